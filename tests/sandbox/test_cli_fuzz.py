"""Broken stack files through the real command: each is bad input, names its key, and nothing is started or called."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from byoc.errors import ConfigError, InputError
from byoc.project.stack_file import read_stack_file
from byoc.stack_config import load_stack_config
from tests.sandbox.cli_runner import Outcome, byoc
from tests.sandbox.sandbox_world import ACCOUNT, ADOPTED, ALL_IN_ONE, CHAT, PASSPHRASE, SUPPORT, copy_project

CASES = 120
"""Random breakages; with the fixed seed, always the same ones."""
WRONG: tuple[object, ...] = ("", " ", "no such thing", -1, 0, 3.5, True, [], {}, [None], {"x": 1}, "\u0000", "é" * 300)


class Project:
    """A copy of the project with no embedded AWS, and none may be started in it."""

    def __init__(self, root: Path) -> None:
        copy_project(root)
        self.root = root
        self._originals = {path.name: path.read_text() for path in (root / "stacks").glob("Pulumi.*.yaml")}

    def content(self, stack: str) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load(self._originals[f"Pulumi.{stack}.yaml"])
        return loaded

    def up(self, capsys: pytest.CaptureFixture[str], stack: str, content: object) -> Outcome:
        """Write a stack's file, as JSON (which is YAML) or as it is, and bring it up."""
        text = content if isinstance(content, str) else json.dumps(content)
        (self.root / "stacks" / f"Pulumi.{stack}.yaml").write_text(text)
        outcome = byoc(capsys, "sandbox", "up", stack, "--cwd", str(self.root))
        assert not (self.root / ".byoc").exists(), "an embedded AWS was started for a broken config"
        return outcome


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("fuzz") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
        yield Project(root)
    shutil.rmtree(root)


def broken(stack: str, content: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """A stack's content with another value at a path such as ``network.cidr``."""
    first, *rest = key.split(".")
    node = content["config"]
    name = f"byoc:{first}"
    for part in rest:
        node, name = node.setdefault(name, {}), part
    node[name] = value
    return content


@pytest.mark.parametrize(
    ("stack", "key", "value"),
    [
        (ACCOUNT, "kind", "acount"),
        (ACCOUNT, "accountId", "12345"),
        (ACCOUNT, "region", "atlantis-1"),
        (ACCOUNT, "namePrefix", "Big Prefix"),
        (ACCOUNT, "externalId", "plain text"),
        (ACCOUNT, "network.cidr", "10.0.0.0/30"),
        (ACCOUNT, "network.cidr", "10.0.0.1/16"),
        (ACCOUNT, "network.zones", 1),
        (ACCOUNT, "network.nat", "twice"),
        (ACCOUNT, "network.vpcId", "vpc-1"),
        (ACCOUNT, "runtime.logRetentionDays", 31),
        (ACCOUNT, "runtime.repositories", ["Not A Name"]),
        (ACCOUNT, "access.maxSessionHours", 13),
        (ACCOUNT, "access.controlPlane", "moon"),
        (ACCOUNT, "colour", "blue"),
        (ADOPTED, "network.vpcId", "vpc"),
        (ADOPTED, "network.privateSubnetIds", ["subnet-0a1b2c3d"]),
        (ADOPTED, "access.permissionsBoundary", "arn:aws:iam::999999999999:policy/Other"),
        (ALL_IN_ONE, "deployments.sandbox.type", "staging"),
        (ALL_IN_ONE, "deployments.assistant.image", "registry.example.com/x:latest"),
        (CHAT, "image", "registry.example.com/agents/chat"),
        (CHAT, "type", "staging"),
        (CHAT, "name", "Chat_1"),
        (CHAT, "size.cpu", 1000),
        (CHAT, "size.memory", 1),
        (CHAT, "environment", {"POSTGRES_URI": "x"}),
        (CHAT, "environment", {"1BAD": "x"}),
        (CHAT, "database.instanceClass", "db.huge"),
        (CHAT, "database.engineVersion", "14"),
        (CHAT, "database.poolSize", 5000),
        (SUPPORT, "ingress.scheme", "outside"),
        (SUPPORT, "ingress.certificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/1"),
        (SUPPORT, "queue.mode", "sideways"),
        (SUPPORT, "tracing.endpoint", "http://insecure"),
        (SUPPORT, "shutdownGraceSeconds", 180),
    ],
)
def test_a_broken_value_is_bad_input_and_named(
    project: Project, capsys: pytest.CaptureFixture[str], stack: str, key: str, value: object
) -> None:
    outcome = project.up(capsys, stack, broken(stack, project.content(stack), key, value))
    assert (outcome.code, outcome.out) == (2, "")
    assert f"byoc:{key.split('.')[0]}" in outcome.err
    assert key.split(".")[-1] in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "accountId"),
        ("config: [", "Pulumi.demo-chat.yaml"),
        ("config: text", "config"),
        ("- a\n- list", "Pulumi.demo-chat.yaml"),
        ("config:\n  byoc:kind: deployment\n", "byoc:accountId"),
        ("\x00", "Pulumi.demo-chat.yaml"),
        ("config:\n  byoc:kind: account\n  byoc:kind: deployment\n", "byoc:kind"),
    ],
)
def test_a_file_that_is_no_stack_file_is_bad_input(
    project: Project, capsys: pytest.CaptureFixture[str], text: str, named: str
) -> None:
    outcome = project.up(capsys, CHAT, text)
    assert outcome.code == 2
    assert named in outcome.err


def test_secrets_that_cannot_be_read_are_bad_input(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = project.content(CHAT)
    content["config"]["byoc:externalId"] = {"secure": "v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
    assert "byoc:externalId" in project.up(capsys, CHAT, content).err
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another")
    outcome = project.up(capsys, CHAT, project.content(CHAT))
    assert outcome.code == 2
    assert "PULUMI_CONFIG_PASSPHRASE" in outcome.err
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    outcome = project.up(capsys, CHAT, project.content(CHAT))
    assert outcome.code == 2
    assert "PULUMI_CONFIG_PASSPHRASE" in outcome.err


def test_random_breakages_of_the_examples_are_all_bad_input_and_named(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the config's own validation refuses, the command refuses, before anything is started."""
    dice = random.Random(20250115)
    refused = 0
    for _ in range(CASES):
        stack = dice.choice([ACCOUNT, ADOPTED, ALL_IN_ONE, CHAT, SUPPORT])
        content = project.content(stack)
        path = dice.choice(list(_paths(content["config"])))
        _break(content["config"], path, dice)
        keys = _refused_keys(project, stack, content)
        if keys is None:
            continue
        refused += 1
        outcome = project.up(capsys, stack, content)
        assert (outcome.code, outcome.out) == (2, ""), f"{stack} {path}: {outcome}"
        assert all(key in outcome.err for key in keys), f"{stack} {path}: {outcome.err}"
        assert any(str(part).removeprefix("byoc:") in outcome.err for part in path), f"{path}: {outcome.err}"
    assert refused > CASES / 2


def _paths(node: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        if key != "secure":
            yield (*path, key)
            yield from _paths(value, (*path, key))


def _break(config: Any, path: tuple[str | int, ...], dice: random.Random) -> None:
    *way, last = path
    for part in way:
        config = config[part]
    match dice.randrange(4):
        case 0:
            del config[last]
        case 1 if isinstance(last, str):
            config[last + "x"] = config.pop(last)
        case _:
            config[last] = dice.choice(WRONG)


def _refused_keys(project: Project, stack: str, content: object) -> list[str] | None:
    """What reading and validating name: keys, or for a file that cannot be read its name; None where all is right."""
    path = project.root / "stacks" / f"Pulumi.{stack}.yaml"
    path.write_text(json.dumps(content))
    try:
        file = read_stack_file(project.root, stack)
        load_stack_config(file.config, file.secret_keys, source=path.name)
    except ConfigError as error:
        return [problem.key for problem in error.problems]
    except InputError:
        return [path.name]
    return None
