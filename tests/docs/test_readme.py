"""The README: its commands and examples run, its tables and links hold."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from byoc.config.keys import KINDS, fields_of
from tests.components.harness import run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
CLI = [sys.executable, "-c", "from byoc.cli import main; main()"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """Every shell command of a program, as words, in order."""
    lines = [line for block in blocks("shell") for line in block.splitlines()]
    return [words[1:] for line in lines if (words := shlex.split(line, comments=True)) and words[0] == program]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project's program and stacks, with a sandbox of its own."""
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    yield tmp_path
    subprocess.run([*CLI, "sandbox", "stop"], cwd=tmp_path, check=False, capture_output=True)


def environment() -> dict[str, str]:
    exports = [words[0] for words in commands("export")]
    return {**os.environ, **dict(export.split("=", 1) for export in exports), "PYTHONPATH": str(ROOT)}


def test_the_first_two_commands_are_demo_and_test() -> None:
    assert blocks("shell")[0] == "make demo\nmake test\n"


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words[0] for words in commands("make")} | set(re.findall(r"`make ([a-z-]+)`", README))
    assert {"demo", "test", "bench", "lint"} <= named <= targets


@pytest.mark.slow
def test_every_sandbox_command_runs_in_the_order_of_the_page(project: Path) -> None:
    """The other commands need the Pulumi CLI: tests/engine/test_production_path.py runs them."""
    written = [words for words in commands("byoc") if words[0] == "sandbox"]
    assert len(written) > 5
    for words in written:
        done = subprocess.run(
            [*CLI, *words], cwd=project, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"byoc {shlex.join(words)}\n{done.stdout}{done.stderr}"


def normal(text: str) -> list[str]:
    """Lines of output without what differs from run to run: times, numbers, names that AWS makes, widths, order."""
    for pattern, stand_in in ((r" \d+\.\d s\b", ""), (r"final-\w+", "final-X"), (r"\d+(\.\d+)?", "N"), (r" +", " ")):
        text = re.sub(pattern, stand_in, text)
    return sorted({line.strip() for line in text.splitlines() if line.strip()})


@pytest.mark.slow
def test_what_the_page_says_the_demo_prints_is_what_it_prints(project: Path) -> None:
    shown = re.search(r"<!-- output of: byoc demo -->\n```text\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    done = subprocess.run([*CLI, "demo"], cwd=project, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = normal(done.stdout)
    assert [line for line in normal(shown[1]) if line not in printed] == []


def test_the_table_of_examples_names_every_stack() -> None:
    files = {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in (ROOT / "stacks").glob("Pulumi.*.yaml")
    }
    assert set(re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE)) == files


def test_every_config_key_on_the_page_exists() -> None:
    known = {key for model in KINDS.values() for key in fields_of(model)}
    named = {name.partition(".")[0] for name in re.findall(r"byoc:([A-Za-z]+(?:\.[A-Za-z]+)*)", README)}
    assert named
    assert named <= known


def test_every_relative_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_copied_files_exist() -> None:
    assert all((ROOT / words[0]).is_file() for words in commands("cp"))


def test_the_library_example_makes_an_account() -> None:
    (example,) = blocks("python")
    recording = run(
        lambda: exec(compile(example, "README.md", "exec"), {}),
        answers={
            "aws:index/getAvailabilityZones:getAvailabilityZones": {
                "names": ["us-west-2a", "us-west-2b", "us-west-2c"]
            },
            "aws:iam/getRoles:getRoles": {"names": [], "arns": []},
        },
        computed={"aws:iam/role:Role": lambda _name, inputs: {"name": inputs["name"]}},
        config={"byoc:externalId": "5f0c1b7e9a3d42c8"},
        secret_config=("byoc:externalId",),
    )
    assert recording.only("byoc:index:CustomerAccount").name == "customer"
    assert recording.only("aws:ec2/vpc:Vpc").inputs["cidrBlock"] == "10.0.0.0/16"
    assert set(recording.exported) == {"roleArn"}
