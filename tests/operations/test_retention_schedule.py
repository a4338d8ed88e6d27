"""The schedules of docs/retention.md: each is read as its scheduler reads it, and its command is run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from byoc.fleet import github_workflow
from byoc.fleet.settings import FleetSettings
from tests.golden.examples import ROOT
from tests.operations.retention_world import Traced, traced
from tests.sandbox.sandbox_world import CHAT, PASSPHRASE, World

PAGE = (ROOT / "docs" / "retention.md").read_text()
RETENTION = ["byoc", "retention", "--all", "--apply"]


def block(language: str, containing: str) -> str:
    """The one block of the page in a language that holds some words."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return str(found)


def crontab() -> tuple[dict[str, str], list[str], str]:
    """Variables, the five fields and the command, as cron reads them (crontab(5))."""
    *settings, line = block("cron", "retention").splitlines()
    words = line.split(None, 5)
    return dict(setting.split("=", 1) for setting in settings), words[:5], words[5]


def workflow() -> dict[str, Any]:
    """The workflow's one job; YAML 1.1 reads its ``on`` as a truth."""
    text = block("yaml", "schedule:")
    assert text.startswith("on:\n")
    document = yaml.safe_load(text)
    (job,) = document["jobs"].values()
    return {"schedule": document[True]["schedule"], **job}


@pytest.fixture
def life(world: World, tmp_path: Path) -> Iterator[Traced]:
    """A deployment with retention and its tracing project, and the project's folder with its ``.venv``."""
    with traced(world, tmp_path) as found:
        found.server.add_project("chat")
        (world.root / ".venv").symlink_to(Path(sys.prefix))
        yield found


def ran(life: Traced, command: str, folder: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command as a scheduler runs it: with what it was given, what says where AWS is, and nothing else."""
    aws = {key: text for key, text in life.world.workspace.cli_environment().items() if key.startswith("AWS_")}
    known = {**aws, "SSL_CERT_FILE": str(life.server.certificate), "HOME": str(life.world.root)}
    placed = {key: text.replace(folder, str(life.world.root)) for key, text in variables.items()}
    return subprocess.run(
        ["/bin/sh", "-c", command.replace(folder, str(life.world.root))],
        env={**known, **placed},
        cwd=life.world.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_the_line_for_cron_works_in_the_little_that_cron_gives(life: Traced, tmp_path: Path) -> None:
    variables, fields, command = crontab()
    assert fields == ["17", "5", "*", "*", "*"]  # once a day
    assert shlex.split(command) == ["cd", "/srv/byoc", "&&", *RETENTION]
    assert not any("$" in text for text in variables.values()), "cron expands no variables"
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    assert variables["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/etc/byoc/passphrase"
    done = ran(
        life, command, "/srv/byoc", **{**variables, "PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "passphrase")}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^chat +0 +keep +nothing ", done.stdout, re.MULTILINE)
    assert life.record() == f"watched={life.day(0)} looked={life.day(0)}"


@pytest.mark.slow
def test_the_command_of_the_workflow_works_where_its_steps_put_it(life: Traced) -> None:
    step = workflow()["steps"][-1]
    assert shlex.split(step["run"]) == [".venv/bin/byoc", *RETENTION[1:], "--json"]
    assert set(step["env"]) == {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"}
    done = ran(life, step["run"], "/srv/byoc", PULUMI_CONFIG_PASSPHRASE=PASSPHRASE)
    assert done.returncode == 0, done.stderr
    (case,) = json.loads(done.stdout)["deployments"]
    assert (case["stack"], case["action"]) == (CHAT, "keep")


def test_the_workflow_runs_once_a_day_and_is_set_up_as_those_of_the_fleet() -> None:
    job = workflow()
    assert job["schedule"] == [{"cron": "17 5 * * *"}]
    source = Path(github_workflow.__file__).read_text()
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert [name for name in used if f'"{name}"' not in source] == []
    pulumi = next(step for step in job["steps"] if step.get("uses", "").startswith("pulumi/actions"))
    assert pulumi["with"] == {"pulumi-version": FleetSettings.model_fields["pulumi_version"].default}
    installs = [step["run"] for step in job["steps"] if "pip install" in step.get("run", "")]
    (words,) = [shlex.split(line) for line in installs]
    assert (ROOT / words[words.index("--constraint") + 1]).is_file()
    extra = words[-1].removeprefix(".[").removesuffix("]")
    assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text()


@pytest.mark.slow
def test_the_rule_of_eventbridge_is_taken(world: World) -> None:
    events = world.aws("events")
    lines = block("bash", "events put-rule").replace("\\\n", " ").splitlines()
    rule, target = (shlex.split(line) for line in lines)
    assert rule[:3] == ["aws", "events", "put-rule"]
    assert target[:3] == ["aws", "events", "put-targets"]
    options = dict(zip(rule[3::2], rule[4::2], strict=True))
    assert options["--schedule-expression"] == "cron(17 5 * * ? *)"
    events.put_rule(Name=options["--name"], ScheduleExpression=options["--schedule-expression"])
    options = dict(zip(target[3::2], target[4::2], strict=True))
    wanted = dict(part.split("=", 1) for part in options["--targets"].split(","))
    answer = events.put_targets(Rule=options["--rule"], Targets=[wanted])
    assert answer["FailedEntryCount"] == 0
    (there,) = events.list_targets_by_rule(Rule=options["--rule"])["Targets"]
    assert there["RoleArn"].endswith(":role/StartByocRetention")
