"""What ``byoc fleet export`` refuses: each message whole, exit code 2, and nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.cli_runner import byoc
from tests.unit.fleet_projects import ENCRYPTED, FleetProject, fleet

__all__ = ["fleet"]


def refused(fleet: FleetProject, *words: str, form: str = "operator") -> str:
    outcome = fleet.export(form, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert not (fleet.root / "fleet").exists()
    return outcome.err


def message(key: str, got: str, allowed: str, remedy: str) -> str:
    block = f"  {key}\n      got:      {got}\n      allowed:  {allowed}\n      mend it:  {remedy}\n"
    return f"error: byoc fleet export: 1 problem; nothing was created\n{block}"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"organisation": "acme"},
            (
                "organisation",
                "an unknown key",
                "the keys that docs/fleet.md lists",
                "correct its spelling or remove it",
            ),
        ),
        (
            {"backend": "file:///state", "organization": None},
            (
                "backend",
                '"file:///state"',
                "a backend that every job reaches: s3://…, gs://…, azblob://… or https://…",
                "use a bucket or Pulumi Cloud: the disk of one job is not there for the next",
            ),
        ),
        (
            {"backend": "https://pulumi.acme.example/$(id)"},
            (
                "backend",
                '"https://pulumi.acme.example/$(id)"',
                "s3://…, gs://…, azblob://… or https://…, without credentials",
                "write what pulumi login takes",
            ),
        ),
        (
            {"backend": "s3://acme-state"},
            (
                "backend",
                '"s3://acme-state"',
                "no bucket beside organization",
                "remove one of the two: organizations are Pulumi Cloud's",
            ),
        ),
        (
            {"source": {"repository": "https://user:ghp_hidden@github.com/acme/fleet", "branch": "main"}},
            (
                "source.repository",
                '"https://[secret]@github.com/acme/fleet"',
                "https://host/path or git@host:path, without a user name or token in it",
                "write the address that git clone takes; give the token to the engine as docs/fleet.md says",
            ),
        ),
        (
            {"source": {"repository": "https://github.com/acme/fleet", "branch": "main", "folder": "../other"}},
            (
                "source.folder",
                '"../other"',
                "a path in the repository",
                "write it from the repository's root, without .. and a leading /",
            ),
        ),
        (
            {"source": {"repository": "https://github.com/acme/fleet", "branch": "main", "commit": "0" * 40}},
            ("source", "an object of 3 keys", "either branch or commit", "remove one of the two"),
        ),
        (
            {"roles": {"account": "arn:aws:iam::{account}:role/provisioner"}},
            (
                "roles.account",
                '"arn:aws:iam::{account}:role/provisioner"',
                "the ARN of an IAM role; {accountId} in it stands for the stack's account",
                "write it as in arn:aws:iam::{accountId}:role/provisioner, in quotes",
            ),
        ),
        (
            {"environment": {"OPENAI_API_KEY": "sk-hidden"}},
            (
                "environment.OPENAI_API_KEY",
                "[not shown]",
                "variables that are no secret; this name says that it is one",
                "list its name under secretEnvironment, and give its value to the engine",
            ),
        ),
        (
            {"environment": {"RETRIES": 3}},
            ("environment.RETRIES", "[not shown]", "text", "put quotes around what looks like a number"),
        ),
        (
            {"operator": {"memory": "2GB"}},
            ("operator.memory", '"2GB"', "a whole number of Mi or Gi", "write it as in 1536Mi or 2Gi"),
        ),
        (
            {"operator": {"resyncSeconds": 30}},
            ("operator.resyncSeconds", "30", "at least 60", "write 60 or more"),
        ),
        ({"matrix": {"maxParallel": 257}}, ("matrix.maxParallel", "257", "at most 256", "write 256 or less")),
        (
            {"pulumiVersion": 3.259},
            (
                "pulumiVersion",
                "3.259",
                "a version of three numbers, as text",
                'write it in quotes, such as "3.259.0", so that YAML keeps every digit',
            ),
        ),
        (
            {"operator": {"namespace": "Byoc"}},
            (
                "operator.namespace",
                '"Byoc"',
                "1 to 63 lowercase letters, digits and hyphens, beginning with a letter, not ending with a hyphen",
                "respell it: Kubernetes refuses other names",
            ),
        ),
        (
            {"secretEnvironment": ["PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "AWS_MAX_ATTEMPTS"]},
            (
                "secretEnvironment",
                "a list of 3 entries",
                "names that environment does not set, unlike AWS_MAX_ATTEMPTS",
                "remove one of the two",
            ),
        ),
        (
            {"secretEnvironment": ["PULUMI_ACCESS_TOKEN"]},
            (
                "secretEnvironment",
                "no PULUMI_CONFIG_PASSPHRASE",
                "PULUMI_CONFIG_PASSPHRASE among the names, for acme, acme-0, acme-1",
                "add the name, or encrypt these stacks with a key service: pulumi stack change-secrets-provider",
            ),
        ),
        (
            {"secretEnvironment": ["PULUMI_CONFIG_PASSPHRASE"]},
            (
                "secretEnvironment",
                "no PULUMI_ACCESS_TOKEN",
                "PULUMI_ACCESS_TOKEN among the names, since state is in Pulumi Cloud",
                "add the name; its value is kept by the engine, as docs/fleet.md says",
            ),
        ),
        (
            {"organization": None},
            (
                "backend",
                "nothing",
                "where state is kept: an organization of Pulumi Cloud, or a bucket as backend",
                "add organization or backend",
            ),
        ),
        (
            {"source": {"branch": "main"}},
            ("source.repository", "nothing", "the git repository of the project", "add it"),
        ),
    ],
)
def test_a_setting_that_is_wrong_is_refused(
    fleet: FleetProject, changed: dict[str, Any], expected: tuple[str, str, str, str]
) -> None:
    fleet.settings(**changed)
    key, *rest = expected
    error = refused(fleet)
    assert error == message(f"fleet.yaml: {key}", *rest)
    assert "hidden" not in error


def test_everything_that_is_wrong_is_said_at_once(fleet: FleetProject) -> None:
    fleet.settings(backend="file:///x", organization=None, matrix={"runner": ""}, operator={"size": 1})
    (fleet.root / "stacks" / "Pulumi.bad.yaml").write_text("config:\n  byoc:kind: server\n")
    error = refused(fleet, "bad", "acme", "nobody")
    assert error.startswith("error: byoc fleet export: 7 problems; nothing was created\n")
    keys = [line.strip() for line in error.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    assert keys == [
        "stack nobody",
        "Pulumi.bad.yaml: config kind",
        "Pulumi.bad.yaml: config accountId",
        "Pulumi.bad.yaml: config region",
        "fleet.yaml: backend",
        "fleet.yaml: operator.size",
        "fleet.yaml: matrix.runner",
    ]


def test_without_settings_the_way_to_them_is_shown(fleet: FleetProject) -> None:
    (fleet.root / "fleet.yaml").unlink()
    assert refused(fleet) == (
        f"error: {fleet.root / 'fleet.yaml'}: this file cannot be read\n"
        "      allowed:  the settings of the fleet, by default fleet.yaml in the project's folder\n"
        "      mend it:  write it as docs/fleet.md shows, or name another one with --settings\n"
    )


def test_settings_that_are_no_yaml_are_refused_with_their_line(fleet: FleetProject) -> None:
    (fleet.root / "fleet.yaml").write_text("organization: acme\norganization: other\n")
    assert refused(fleet) == (
        f"error: {fleet.root / 'fleet.yaml'}, line 2: the key organization stands there twice; correct the line\n"
    )


def test_a_word_that_meets_no_stack_is_refused_with_the_stacks_there_are(fleet: FleetProject) -> None:
    assert refused(fleet, "acmee") == message(
        "stack acmee",
        "no stack of this name",
        "acme, acme-0, acme-1",
        "name one of these, or a pattern in quotes such as 'acme-*'",
    )


def test_a_long_list_of_stacks_is_cut(fleet: FleetProject) -> None:
    fleet.customer("big", "222222222222", 20)
    names = "acme, acme-0, acme-1, big, big-0, big-1, big-10, big-11, big-12, big-13, big-14, big-15 and 12 more"
    assert f"      allowed:  {names}\n" in refused(fleet, "x*")


def test_a_project_without_stacks_is_refused(fleet: FleetProject) -> None:
    for path in (fleet.root / "stacks").glob("Pulumi.*"):
        path.unlink()
    assert refused(fleet) == message(
        "stacks",
        "none",
        f"at least one file Pulumi.<stack>.yaml in {fleet.root / 'stacks'}",
        "write one, or name the project's folder with --cwd",
    )


def test_a_stack_file_that_is_wrong_concerns_only_exports_with_its_stack(fleet: FleetProject) -> None:
    (fleet.root / "stacks" / "Pulumi.bad.yaml").write_text("config:\n  byoc:kind: account\n  byoc:accountId: 12\n")
    error = refused(fleet)
    assert "  Pulumi.bad.yaml: config accountId\n" in error
    assert "  Pulumi.bad.yaml: config region\n      got:      nothing\n" in error
    assert fleet.exported("operator", "acme*")["stacks"] == ["acme", "acme-0", "acme-1"]


def test_a_stack_file_that_is_no_yaml_and_a_name_that_is_none_are_refused(fleet: FleetProject) -> None:
    path = fleet.root / "stacks" / "Pulumi.bad.yaml"
    path.write_text("config:\n  byoc:kind: account\n  byoc:kind: hidden\n")
    assert refused(fleet, "bad") == message(
        "stack bad",
        f"{path}, line 3: the key byoc:kind stands there twice",
        "a stack file that can be read",
        "correct the line",
    )
    path.rename(fleet.root / "stacks" / "Pulumi.two words.yaml")
    assert refused(fleet, "two words") == message(
        "stack two words",
        "'two words' is no stack name: write 1 to 100 letters, digits and . _ -",
        "a stack file that can be read",
        "rename the file",
    )


def test_a_kind_that_is_encrypted_is_refused_without_its_ciphertext(fleet: FleetProject) -> None:
    (fleet.root / "stacks" / "Pulumi.bad.yaml").write_text(
        "config:\n  byoc:kind: {secure: 'v1:a:hidden'}\n  byoc:accountId: '111111111111'\n  byoc:region: us-west-2\n"
    )
    error = refused(fleet, "bad")
    assert "  Pulumi.bad.yaml: config kind\n      got:      an object of 1 key\n" in error
    assert "hidden" not in error


def test_two_stacks_that_kubernetes_would_call_the_same_are_refused(fleet: FleetProject) -> None:
    fleet.stack("Acme", "account", "555555555555")
    fleet.stack("acme-37036cd8", "account", "555555555555")
    assert refused(fleet) == message(
        "stack acme-37036cd8",
        "the same Kubernetes name as stack Acme",
        "stacks with different Kubernetes names",
        "rename one of the two: pulumi stack rename",
    )
    assert fleet.exported("matrix")["stacks"] == ["Acme", "acme", "acme-0", "acme-1", "acme-37036cd8"]


def test_an_unknown_format_and_a_folder_without_a_project_are_refused(
    fleet: FleetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "'terraform' is not one of 'operator', 'matrix', 'deployments'" in refused(fleet, form="terraform")
    outcome = byoc(capsys, "fleet", "export", "--format", "matrix", "--cwd", str(tmp_path))
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: no Pulumi.yaml in {tmp_path} or above it\n")


def test_a_program_without_requirements_is_said(fleet: FleetProject) -> None:
    (fleet.root / "stacks" / "requirements.txt").unlink()
    assert fleet.exported("matrix")["notes"] == [
        "there is no stacks/requirements.txt: the engine's pulumi install would install nothing (docs/fleet.md)"
    ]


@pytest.mark.parametrize("form", ["operator", "matrix", "deployments"])
def test_no_secret_is_written_in_any_format_encrypted_or_not(fleet: FleetProject, form: str) -> None:
    stack = fleet.root / "stacks" / "Pulumi.acme-0.yaml"
    stack.write_text(stack.read_text().replace("config:", "config:\n  byoc:langsmithApiKey: plain-by-mistake"))
    fleet.exported(form)
    everything = "".join(path.read_text() for path in fleet.out(form).iterdir())
    for secret in (ENCRYPTED, "v1:salt", "plain-by-mistake"):
        assert secret not in everything
