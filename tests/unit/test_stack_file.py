from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from byoc.errors import ByocError
from byoc.project.passphrase import PassphraseCrypter, new_salt
from byoc.project.stack_file import StackFile, passphrase_of_environment, read_stack_file, stacks_of

PASSPHRASE = "open sesame"
SALT = new_salt(PASSPHRASE)
CRYPTER = PassphraseCrypter.of_salt(SALT, PASSPHRASE)

PROJECT = """
name: agents
runtime: python
main: program
stackConfigDir: settings
config:
  kind: {type: string, description: what it is}
  owner: {type: string, default: nobody}
  limits: {type: object, default: {soft: 1}}
  rounds: {type: integer, default: 3}
  loud: {type: boolean, default: false}
  places: {type: array, items: {type: string}, default: []}
  shorthand: 7
  aws:region: eu-west-1
  pulumi:disable-default-providers:
    value: [aws]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "settings").mkdir()
    return tmp_path


def no_passphrase() -> str:
    raise AssertionError("the passphrase was asked for, and nothing is encrypted")


def read(root: Path, text: str, passphrase: Callable[[], str] | None = no_passphrase, stack: str = "test") -> StackFile:
    (root / "settings" / f"Pulumi.{stack}.yaml").write_text(text)
    return read_stack_file(root, stack, passphrase)


def test_the_project_says_where_program_and_stacks_are(root: Path) -> None:
    file = read(root, "config: {kind: x}")
    assert file.project.name == "agents"
    assert file.project.main == root / "program"
    assert file.path == root / "settings" / "Pulumi.test.yaml"
    assert file.stack == "test"


def test_a_stack_gets_the_defaults_of_the_project(root: Path) -> None:
    assert read(root, "config: {kind: x}").config == {
        "agents:kind": "x",
        "agents:owner": "nobody",
        "agents:limits": '{"soft":1}',
        "agents:rounds": "3",
        "agents:loud": "false",
        "agents:places": "[]",
        "agents:shorthand": "7",
        "aws:region": "eu-west-1",
        "pulumi:disable-default-providers": '["aws"]',
    }


def test_a_stack_can_say_otherwise(root: Path) -> None:
    config = read(root, "config: {kind: x, agents:owner: me, aws:region: us-east-1}").config
    assert (config["agents:owner"], config["aws:region"]) == ("me", "us-east-1")


# What the Go SDK of Pulumi 3.190 gives for the same text.
SCALARS = [
    ("yes", "yes"),
    ("off", "off"),
    ("True", "true"),
    ("1.50", "1.5"),
    ("1e3", "1000"),
    (".5", "0.5"),
    ("010", "8"),
    ("0o10", "8"),
    ("0x1F", "31"),
    ("1_000", "1000"),
    ("012345678901", "12345678901"),
    ('"012345678901"', "012345678901"),
    ("-7", "-7"),
    ("1e400", "1e400"),
    ("123456789012345678901234567890", "1.2345678901234568e+29"),
    ("{a: 1.0, b: 2.50}", '{"a":1,"b":2.5}'),
    ("", ""),
    ("null", ""),
    ("12:30", "12:30"),
    ("[a, null, 1, yes]", '["a",null,1,"yes"]'),
    ("{b: 1, a: [true], 3: x}", '{"3":"x","a":[true],"b":1}'),
    ("|\n    two\n    lines", "two\nlines\n"),
]


@pytest.mark.parametrize(("written", "text"), SCALARS)
def test_values_are_read_as_the_cli_reads_them(root: Path, written: str, text: str) -> None:
    assert read(root, f"config:\n  kind: x\n  value: {written}\n").config["agents:value"] == text


def test_encrypted_values_are_decrypted_wherever_they_stand(root: Path) -> None:
    sealed, nested = CRYPTER.encrypt("s1"), CRYPTER.encrypt("s2")
    text = f"""
encryptionsalt: {SALT}
config:
  kind: x
  token: {{secure: '{sealed}'}}
  options: {{plain: 1, deep: [{{secure: '{nested}'}}]}}
  lookalike: {{secure: 1}}
"""
    file = read(root, text, lambda: PASSPHRASE)
    assert file.of_namespace("agents")["token"] == "s1"
    assert file.of_namespace("agents")["options"] == '{"deep":["s2"],"plain":1}'
    assert file.of_namespace("agents")["lookalike"] == '{"secure":1}'
    assert file.secret_keys == {"agents:token", "agents:options"}
    assert file.secrets_of_namespace("agents") == {"token", "options"}
    assert "s1" not in repr(file)


def test_the_passphrase_is_not_asked_for_where_nothing_is_encrypted(root: Path) -> None:
    assert read(root, f"encryptionsalt: {SALT}\nconfig: {{kind: x}}").secret_keys == frozenset()


def test_a_wrong_passphrase_names_the_file_and_the_way_out(root: Path) -> None:
    text = f"encryptionsalt: {SALT}\nconfig: {{kind: {{secure: '{CRYPTER.encrypt('s1')}'}}}}"
    with pytest.raises(ByocError, match=r"Pulumi\.test\.yaml: the passphrase does not fit") as caught:
        read(root, text, lambda: "wrong")
    assert "PULUMI_CONFIG_PASSPHRASE" in str(caught.value)
    assert "s1" not in str(caught.value)


def test_a_value_of_another_stack_is_named_by_its_key(root: Path) -> None:
    other = PassphraseCrypter.of_salt(new_salt("other"), "other").encrypt("s1")
    with pytest.raises(ByocError, match="agents:kind was encrypted under another passphrase"):
        read(root, f"encryptionsalt: {SALT}\nconfig: {{kind: {{secure: '{other}'}}}}", lambda: PASSPHRASE)
    with pytest.raises(ByocError, match="agents:kind: a secure value is not of the form"):
        read(root, f"encryptionsalt: {SALT}\nconfig: {{kind: {{secure: plain}}}}", lambda: PASSPHRASE)


def test_a_file_of_another_secrets_provider_is_said_so(root: Path) -> None:
    with pytest.raises(ByocError, match="there is no encryptionsalt"):
        read(root, "config: {kind: {secure: 'v1:AAAA:AAAA'}}", lambda: PASSPHRASE)


def test_a_stack_without_file_names_the_stacks_there_are(root: Path) -> None:
    read(root, "config: {kind: x}", stack="one")
    read(root, "config: {kind: x}", stack="two")
    with pytest.raises(
        ByocError, match=r"Pulumi\.three\.yaml: there is no such file; stacks of this project: one, two"
    ):
        read_stack_file(root, "three", None)
    assert stacks_of(root) == ("one", "two")


@pytest.mark.parametrize("stack", ["", "../secrets", "a/b", "a b"])
def test_a_stack_name_leads_to_no_other_folder(root: Path, stack: str) -> None:
    with pytest.raises(ByocError, match="is no stack name"):
        read_stack_file(root, stack, None)


def test_a_folder_without_project_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ByocError, match=r"Pulumi\.yaml: there is no such file"):
        read_stack_file(tmp_path, "test", None)


def test_a_key_that_the_project_requires_is_missed(root: Path) -> None:
    with pytest.raises(ByocError, match=r"missing, and required by Pulumi\.yaml: agents:kind"):
        read(root, "config: {other: x}")
    with pytest.raises(ByocError, match="agents:kind"):
        read(root, "")


@pytest.mark.parametrize(
    "setting",
    [
        "kind: [x]",
        "rounds: many",
        "rounds: 1.5",
        "loud: yes",
        "limits: 3",
        "limits: [1]",
        "places: here",
        "places: [1]",
    ],
)
def test_a_value_of_another_type_than_declared_is_refused_as_the_cli_does(root: Path, setting: str) -> None:
    key = setting.partition(":")[0]
    with pytest.raises(ByocError, match=f"agents:{key} must be of type"):
        read(root, f"config:\n  {'kind: x' if key != 'kind' else 'other: x'}\n  {setting}\n")


@pytest.mark.parametrize(
    "setting", ["kind: 5", "rounds: '5'", "rounds: 5.0", "loud: 'true'", "limits: {}", "places: [a]"]
)
def test_a_value_that_the_cli_takes_for_the_declared_type_is_accepted(root: Path, setting: str) -> None:
    key = setting.partition(":")[0]
    assert read(root, f"config:\n  {'kind: x' if key != 'kind' else 'other: x'}\n  {setting}\n")


def test_a_declared_secret_in_plain_text_is_refused_as_the_cli_does(root: Path) -> None:
    (root / "Pulumi.yaml").write_text(
        "name: agents\nruntime: python\nstackConfigDir: settings\nconfig: {t: {type: string, secret: true}}\n"
    )
    with pytest.raises(ByocError, match="agents:t must be encrypted"):
        read(root, "config: {t: x}")
    sealed = CRYPTER.encrypt("s1")
    assert read(root, f"encryptionsalt: {SALT}\nconfig: {{t: {{secure: '{sealed}'}}}}", lambda: PASSPHRASE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: {kind: x", "line"),
        ("config:\n  kind: x\n  kind: hunter2\n", "line 3: the key kind stands there twice"),
        ("config:\n  kind: x\n  day: 2024-01-31\n", "would be read as a point in time; put quotes around it"),
        ("config:\n  kind: .inf\n", "is no value that config can hold"),
        ("- kind", "should hold keys and values"),
        ("config: [kind]", "config should be keys and values"),
        ("config: {kind: !!python/object:os.system x}", "line 1"),
        ("\x00", "not YAML in UTF-8"),
    ],
)
def test_a_file_that_is_no_stack_file_is_said_so_by_line(root: Path, text: str, message: str) -> None:
    with pytest.raises(ByocError, match=message) as caught:
        read(root, text)
    assert "hunter2" not in str(caught.value)
    assert "Pulumi.test.yaml" in str(caught.value)


def test_the_passphrase_comes_from_the_environment_as_for_the_cli(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    with pytest.raises(ByocError, match="PULUMI_CONFIG_PASSPHRASE_FILE"):
        passphrase_of_environment()
    file = tmp_path / "passphrase"
    file.write_text("from a file\n")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(file))
    assert passphrase_of_environment() == "from a file"
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    assert passphrase_of_environment() == ""
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(tmp_path / "absent"))
    with pytest.raises(ByocError, match="cannot be read"):
        passphrase_of_environment()


def test_a_stack_file_is_opened_with_the_environments_passphrase(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    text = f"encryptionsalt: {SALT}\nconfig: {{kind: {{secure: '{CRYPTER.encrypt('s1')}'}}}}"
    assert read(root, text, None).config["agents:kind"] == "s1"
