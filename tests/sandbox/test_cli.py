"""The ``byoc sandbox`` command: what it prints, what it exits with, what it never shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from byoc.sandbox.emulator.state_file import STATE_FILE, read_state
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, PROJECT, SUPPORT, Settled, World, copy_project

RESULT_KEYS = {
    "stack",
    "created",
    "updated",
    "replaced",
    "deleted",
    "retained",
    "unchanged",
    "steps",
    "outputs",
    "failures",
    "skipped",
    "kept",
    "provided",
    "seconds",
}
COUNTS = ("created", "updated", "replaced", "deleted", "retained", "unchanged")
CALL_KEYS = {"index", "time", "principal", "action", "outcome", "account", "region", "run", "resources"}


def at(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> Outcome:
    """``byoc sandbox ...`` in a world's folder."""
    return byoc(capsys, "sandbox", *words, "--cwd", str(world.root))


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["sandbox", "--help"], ["sandbox", "up", "--help"]])
def test_help_imports_neither_pulumi_nor_boto3(words: list[str]) -> None:
    code = (
        "import sys\nfrom byoc.cli import main\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    code = ended.code\n"
        "heavy = ('pulumi', 'pulumi_aws', 'boto3', 'botocore', 'moto')\n"
        "print('HEAVY', code, [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "HEAVY 0 []", done.stderr
    assert re.search(r"^(Usage: |byoc \d)", done.stdout)


def test_json_prints_one_object_with_the_documented_keys(settled: Settled, capsys: pytest.CaptureFixture[str]) -> None:
    for verb, stack in (("up", CHAT), ("preview", SUPPORT)):
        outcome = at(settled.world, capsys, verb, stack, "--json")
        document = json.loads(outcome.out)
        assert (outcome.code, outcome.err) == (0, "")
        assert set(document) == RESULT_KEYS
        assert [document[key] for key in COUNTS[:-1]] == [0] * 5
        assert document["unchanged"] == settled.runs[stack].counts["created"]
        assert document["stack"] == stack
        assert document["outputs"]["url"].startswith("http")


def test_json_says_what_an_up_made_step_by_step(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = at(world, capsys, "preview", ACCOUNT, "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 0
    assert document["created"] == len(document["steps"]) > 50
    assert all(set(step) == {"op", "urn", "type", "changed"} for step in document["steps"])
    assert {step["op"] for step in document["steps"]} == {"create"}
    (vpc,) = [step for step in document["steps"] if step["type"] == "aws:ec2/vpc:Vpc"]
    assert vpc["urn"].startswith(
        "urn:pulumi:demo-account::byoc::byoc:index:CustomerAccount$byoc:index:Network$aws:ec2/vpc"
    )


def test_output_that_is_not_for_a_terminal_is_plain(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = at(world, capsys, "preview", ACCOUNT)
    assert outcome.code == 0
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", outcome.out + outcome.err) == []
    assert "create aws:ec2:Vpc account-network-vpc" in outcome.out
    assert "demo-account: would be" in outcome.out


def test_outputs_resources_and_status_say_what_is_there(settled: Settled, capsys: pytest.CaptureFixture[str]) -> None:
    world = settled.world
    outputs = json.loads(at(world, capsys, "outputs", CHAT, "--json").out)
    assert outputs["databaseIdentifier"] == "langgraph-cloud-chat"
    assert outputs == settled.runs[CHAT].result.document()["outputs"]
    shown = at(world, capsys, "outputs", CHAT)
    assert re.search(r"^databaseIdentifier +langgraph-cloud-chat *$", shown.out, re.MULTILINE)
    resources = json.loads(at(world, capsys, "resources", SUPPORT, "--json").out)
    assert len(resources) == settled.runs[SUPPORT].counts["created"]
    assert [item["name"] for item in resources if item["protect"]] == ["deployment-database-instance"]
    assert "deployment-database-instance" in at(world, capsys, "resources", SUPPORT).out
    status = json.loads(at(world, capsys, "status", "--json").out)
    assert status["running"] is True
    assert status["endpoint"] == world.client.endpoint
    assert status["stacks"] == {stack: run.counts["created"] for stack, run in settled.runs.items()}


@pytest.mark.parametrize("verb", ["up", "preview", "destroy", "outputs", "resources"])
def test_an_unknown_stack_is_bad_input_and_the_known_ones_are_named(
    settled: Settled, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    outcome = at(settled.world, capsys, verb, "demo-nowhere")
    assert (outcome.code, outcome.out) == (2, "")
    assert "demo-nowhere" in outcome.err
    assert "demo-account" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    "words", [["sandbox", "up"], ["sandbox", "nonsense"], ["sandbox", "up", CHAT, "--nonsense"], ["nonsense"]]
)
def test_a_wrong_command_line_is_bad_input(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    outcome = byoc(capsys, *words)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")


def test_a_folder_without_a_project_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = byoc(capsys, "sandbox", "up", CHAT, "--cwd", str(tmp_path))
    assert outcome.code == 2
    assert "no Pulumi.yaml" in outcome.err


def test_what_is_not_up_has_no_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy_project(tmp_path / "project")
    for verb in ("outputs", "resources"):
        outcome = byoc(capsys, "sandbox", verb, CHAT, "--cwd", str(tmp_path / "project"))
        assert outcome.code == 2
        assert "mend it:  byoc sandbox up demo-chat" in outcome.err
    assert byoc(capsys, "sandbox", "status", "--cwd", str(tmp_path / "project")).code == 1
    assert not (tmp_path / "project" / ".byoc" / "sandbox" / STATE_FILE).exists()


def test_a_failed_up_exits_with_1_and_says_what_to_do(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = at(world, capsys, "up", CHAT)
    assert outcome.code == 1
    assert f"cannot assume arn:aws:iam::{world.account_id}:role/LangGraphCloudBYOCRole" in outcome.out + outcome.err
    assert "run the account stack first" in outcome.out + outcome.err
    assert "Traceback" not in outcome.out + outcome.err
    assert world.inventory() == []
    document = json.loads(at(world, capsys, "up", CHAT, "--json").out)
    assert set(document) == RESULT_KEYS
    assert set(document["failures"][0]) == {"urn", "type", "op", "action", "error", "remedy"}


def test_a_refused_destroy_exits_with_1(settled: Settled, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = at(settled.world, capsys, "destroy", SUPPORT)
    assert outcome.code == 1
    assert "error: stack 'demo-support' holds protected resources" in outcome.err


def test_the_call_log_holds_who_called_what_and_no_value(
    settled: Settled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "calls.jsonl"
    assert at(settled.world, capsys, "up", CHAT, "--calls", str(file)).code == 0
    records: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(records) > 5
    assert {frozenset(record) for record in records} == {frozenset(CALL_KEYS)}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"]) for record in records)
    assert {record["outcome"] for record in records} == {"ok"}
    assert records[0]["action"] == "sts:AssumeRole"
    assert [text for text in secrets_of(settled.world) if text in file.read_text()] == []


def test_no_secret_is_printed_or_stands_in_a_process_s_arguments(
    settled: Settled, capsys: pytest.CaptureFixture[str]
) -> None:
    world = settled.world
    printed = ""
    for words in (
        ["up", CHAT],
        ["up", CHAT, "--json"],
        ["preview", CHAT, "--config", "byoc:image=registry.example.com/x:2"],
        ["preview", CHAT, "--json", "--config", "byoc:image=registry.example.com/x:2"],
        ["outputs", CHAT],
        ["outputs", CHAT, "--json"],
        ["resources", CHAT, "--json"],
        ["status", "--json"],
    ):
        outcome = at(world, capsys, *words)
        assert outcome.code == 0, outcome.err
        printed += outcome.out + outcome.err
    state = read_state(world.home)
    assert state is not None
    arguments = Path(f"/proc/{state['pid']}/cmdline").read_bytes().decode()
    assert "byoc.sandbox.emulator.daemon" in arguments
    assert str(state["token"]) not in arguments + printed
    assert [secret for secret in secrets_of(world) if secret in printed + arguments] == []


def secrets_of(world: World) -> list[str]:
    """Every secret of the chat deployment: those of the config, and those that were made."""
    config = world.workspace.deployment_config(CHAT)
    manager = world.aws("secretsmanager")
    values: list[str] = []
    for part in ("environment", "connections"):
        content = json.loads(manager.get_secret_value(SecretId=f"langgraph-cloud/chat/{part}")["SecretString"])
        values += [value for key, value in content.items() if "KEY" in key or "URI" in key or "PASSWORD" in key]
    assert config.external_id is not None
    passwords = [match[1] for value in values if (match := re.search(r":([^:@/]{12,})@", value))]
    assert len(passwords) >= 2
    return [config.external_id.get_secret_value(), *values, *passwords]
