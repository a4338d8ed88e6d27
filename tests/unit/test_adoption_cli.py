"""``byoc adopt --terraform``: the files it writes, what it refuses, and where the external id goes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from byoc.cli.adopt_source import Source
from byoc.project.stack_file import read_stack_file
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import copy_project
from tests.unit.adoption_states import EXTERNAL_ID, SAMPLE, attributes, sample


@dataclass
class Folder:
    """A project of its own."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def adopt(self, *words: str, state: Path = SAMPLE) -> Outcome:
        return byoc(self.capsys, "adopt", "--terraform", str(state), "--cwd", str(self.root), *words)

    @property
    def stack_file(self) -> Path:
        return self.root / "stacks" / "Pulumi.adopted.yaml"

    @property
    def import_file(self) -> Path:
        return self.root / "adopted.import.json"


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    root = tmp_path / "project"
    copy_project(root)
    return Folder(root, capsys)


def test_without_a_passphrase_the_external_id_is_written_nowhere_and_the_way_to_set_it_is_shown(
    folder: Folder,
) -> None:
    outcome = folder.adopt()
    assert outcome.code == 0, outcome.err
    everything = outcome.out + outcome.err + folder.stack_file.read_text() + folder.import_file.read_text()
    assert EXTERNAL_ID not in everything
    content = yaml.safe_load(folder.stack_file.read_text())
    assert content.keys() == {"config"}
    assert "byoc:externalId" not in content["config"]
    assert (
        f"byoc adopt --terraform {SAMPLE} --secret-to-stdout externalId | "
        "pulumi config set --stack adopted --secret byoc:externalId"
    ) in outcome.out


def test_with_a_passphrase_the_external_id_is_in_the_file_encrypted(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "a long passphrase")
    outcome = folder.adopt("--stack", "acme")
    assert outcome.code == 0, outcome.err
    path = folder.root / "stacks" / "Pulumi.acme.yaml"
    assert EXTERNAL_ID not in path.read_text() + outcome.out
    assert read_stack_file(folder.root, "acme").config["byoc:externalId"] == EXTERNAL_ID
    assert "--secret-to-stdout" not in outcome.out
    assert (folder.root / "acme.import.json").exists()


def test_an_empty_passphrase_protects_nothing_and_is_not_used(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    assert "--secret-to-stdout externalId" in folder.adopt().out
    assert "secure" not in folder.stack_file.read_text()


def test_the_secret_alone_goes_into_a_pipe(folder: Folder) -> None:
    outcome = folder.adopt("--secret-to-stdout", "externalId")
    assert (outcome.code, outcome.out) == (0, EXTERNAL_ID)
    assert not folder.stack_file.exists()
    assert not folder.import_file.exists()


def test_the_secret_is_not_shown_on_a_terminal(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    outcome = folder.adopt("--secret-to-stdout", "externalId")
    assert outcome.code == 2
    assert "standard output is a terminal, which would show and keep the secret" in outcome.err
    assert EXTERNAL_ID not in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("password", "allowed are externalId and previousExternalId"),
        ("previousExternalId", "the role's trust policy holds none"),
    ],
)
def test_a_secret_that_is_not_there_is_refused(folder: Folder, key: str, message: str) -> None:
    outcome = folder.adopt("--secret-to-stdout", key)
    assert outcome.code == 2
    assert message in outcome.err


def test_nothing_is_overwritten_unless_it_is_asked_for(folder: Folder) -> None:
    folder.import_file.write_text("mine")
    outcome = folder.adopt()
    assert outcome.code == 2
    assert f"there already: {folder.import_file}; nothing was written" in outcome.err
    assert folder.import_file.read_text() == "mine"
    assert not folder.stack_file.exists()
    assert folder.adopt("--force").code == 0
    assert folder.import_file.read_text() != "mine"


def test_the_import_file_goes_where_it_is_wanted(folder: Folder, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "import.json"
    assert folder.adopt("--out", str(out)).code == 0
    assert json.loads(out.read_text())["resources"]
    assert not folder.import_file.exists()


def test_a_folder_in_the_place_of_a_file_is_refused_and_nothing_is_written(folder: Folder, tmp_path: Path) -> None:
    outcome = folder.adopt("--out", str(tmp_path), "--force")
    assert outcome.code == 2
    assert f"{tmp_path}: this is a folder; name a file" in outcome.err
    assert not folder.stack_file.exists()


def test_the_import_file_cannot_be_the_stacks_own_file(folder: Folder) -> None:
    outcome = folder.adopt("--out", str(folder.stack_file), "--force")
    assert outcome.code == 2
    assert "that is the stack's own file; name another one" in outcome.err
    assert not folder.stack_file.exists()


def test_what_is_in_the_way_ends_with_1_and_nothing_is_written(folder: Folder, tmp_path: Path) -> None:
    state = sample()
    attributes(state, "aws_iam_role", "ecs_role")["path"] = "/other/"
    path = tmp_path / "terraform.tfstate"
    path.write_text(json.dumps(state))
    outcome = folder.adopt(state=path)
    assert outcome.code == 1
    assert "up would replace these or take something away; nothing was written" in outcome.out
    assert "account-runtime-execution-role" in outcome.out
    assert not folder.stack_file.exists()
    assert not folder.import_file.exists()
    document = json.loads(folder.adopt("--json", state=path).out)
    assert document["written"] == document["next"] == []
    assert [(c["name"], c["property"], c["replaces"]) for c in document["conflicts"]] == [
        ("account-runtime-execution-role", "path", True)
    ]


def test_a_state_that_is_refused_ends_with_2_and_nothing_is_written(folder: Folder, tmp_path: Path) -> None:
    state = sample()
    state["resources"] = [item for item in state["resources"] if item["type"] != "aws_ecs_cluster"]
    path = tmp_path / "terraform.tfstate"
    path.write_text(json.dumps(state))
    outcome = folder.adopt(state=path)
    assert outcome.code == 2
    assert "0 clusters with a documented name: none" in outcome.err
    assert not folder.stack_file.exists()
    assert not folder.import_file.exists()


def test_the_commands_to_type_come_in_their_order(folder: Folder) -> None:
    document = json.loads(folder.adopt("--json").out)
    assert [step.split(" --")[0] for step in document["next"]] == [
        "pulumi stack init adopted",
        "byoc adopt",
        "pulumi import",
        "pulumi preview",
        "pulumi up",
    ]
    assert document["afterwards"] == ["terraform state rm module.setup"]


def test_a_module_that_holds_more_is_taken_out_of_the_state_piece_by_piece(folder: Folder, tmp_path: Path) -> None:
    state = sample()
    bucket = {"id": "b", "arn": "arn:aws:s3:::b"}
    state["resources"].append(
        {
            "module": "module.setup",
            "mode": "managed",
            "type": "aws_s3_bucket",
            "name": "b",
            "instances": [{"attributes": bucket}],
        }
    )
    path = tmp_path / "terraform.tfstate"
    path.write_text(json.dumps(state))
    steps = json.loads(folder.adopt("--json", state=path).out)["afterwards"]
    assert len(steps) == 25
    assert "terraform state rm module.setup.aws_ecs_cluster.langgraph_cloud_cluster" in steps
    vpc = 'module.setup.aws_ec2_tag.langgraph_cloud_enabled_tags["vpc-0aa2a53f5a8ad42a8"]'
    assert f"terraform state rm '{vpc}'" in steps
    assert not [step for step in steps if "aws_s3_bucket" in step]


def test_what_was_scanned_is_named_again_in_full() -> None:
    source = Source(terraform=None, scan=True, account="123456789012", region="us-west-2", name_prefix="acme")
    assert source.words == [
        *("--scan", "--account", "123456789012", "--region", "us-west-2"),
        *("--name-prefix", "acme"),
    ]


def test_a_path_with_a_space_stays_one_word_in_the_commands(folder: Folder, tmp_path: Path) -> None:
    path = tmp_path / "my states" / "terraform.tfstate"
    path.parent.mkdir()
    path.write_text(SAMPLE.read_text())
    out = tmp_path / "my states" / "import.json"
    steps = json.loads(folder.adopt("--json", "--out", str(out), state=path).out)["next"]
    assert [step for step in steps if f"--terraform '{path}'" in step] == [steps[1]]
    assert [step for step in steps if f"--file '{out}'" in step] == [steps[2]]


def test_json_is_one_object_with_everything(folder: Folder) -> None:
    document = json.loads(folder.adopt("--json").out)
    assert document["externalId"] == "to be set"
    assert len(document["taken"]) == 25
    assert len(document["notMapped"]) == 9
    assert {item["name"] for item in document["added"]} >= {"account-runtime-data-sg", "account-runtime-alarms"}
    assert EXTERNAL_ID not in json.dumps(document)


def test_the_account_id_keeps_its_leading_zeros(folder: Folder, tmp_path: Path) -> None:
    path = tmp_path / "terraform.tfstate"
    path.write_text(SAMPLE.read_text().replace("123456789012", "089000000012"))
    assert folder.adopt(state=path).code == 0
    assert 'byoc:accountId: "089000000012"' in folder.stack_file.read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--scan", "--account", "123456789012", "--region", "us-west-2", "--name-prefix", "A_b"),
            "--name-prefix: not an",
        ),
        ((), "either --terraform STATE, or --scan with --account and --region"),
        (("--terraform", "x", "--scan"), "either --terraform STATE, or --scan with --account and --region"),
        (("--terraform", "x", "--region", "us-west-2"), "--region: a Terraform state says this by itself"),
        (("--scan", "--account", "123456789012"), "--scan needs --account and --region"),
        (("--scan", "--account", "12", "--region", "us-west-2"), "--account: not an account id of twelve digits"),
        (("--scan", "--account", "123456789012", "--region", "moon"), "--region: not an account id"),
        (("--terraform", "x", "--stack", "a/b"), "'a/b' is no stack name"),
    ],
)
def test_words_that_do_not_go_together_are_refused(folder: Folder, words: tuple[str, ...], message: str) -> None:
    outcome = byoc(folder.capsys, "adopt", *words, "--cwd", str(folder.root))
    assert outcome.code == 2
    assert message in outcome.err


def test_settings_of_aws_that_cannot_be_read_are_named(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder.root / "none"))
    words = ["--scan", "--account", "123456789012", "--region", "us-west-2", "--cwd", str(folder.root)]
    outcome = byoc(folder.capsys, "adopt", *words)
    assert outcome.code == 2
    assert "boto3 finds no credentials: The config profile (nobody) could not be found" in outcome.err
    assert not folder.stack_file.exists()


def test_outside_of_a_project_the_way_out_is_told(folder: Folder, tmp_path: Path) -> None:
    outcome = byoc(folder.capsys, "adopt", "--terraform", str(SAMPLE), "--cwd", str(tmp_path))
    assert outcome.code == 2
    assert "no Pulumi.yaml in" in outcome.err
