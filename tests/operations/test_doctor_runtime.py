"""What an account's deployments share, and a deployment stack looks up: found, lacking, not known."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from byoc.access.required import Planned
from byoc.operations.answers import AbsentError, DeniedError
from byoc.operations.doctor import runtime
from byoc.operations.doctor.asking import Absent
from byoc.operations.doctor.checks import Check
from byoc.operations.doctor.doctor import subject_of
from byoc.operations.doctor.place import Place
from byoc.operations.targets import Accounts, Stack
from byoc.project.stack_file import read_stack_file
from byoc.stack_config import load_stack_config
from tests.golden.examples import PASSPHRASE, ROOT
from tests.operations.fake_account import FakeAccount
from tests.operations.test_doctor_life import Doctor
from tests.operations.test_doctor_network import NETWORK
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, Worlds

PREFIX = "langgraph-cloud"
GROUPS = {f"sg-{name}": f"{PREFIX}-{name}-sg" for name in ("lb", "service", "data")}
ANSWERS: dict[str, Any] = {
    "ecs:DescribeServices": {"services": [], "failures": [{"reason": "MISSING"}]},
    "servicediscovery:ListNamespaces": {"Namespaces": [{"Name": f"{PREFIX}-redis", "Type": "DNS_PRIVATE"}]},
}


def _check(answers: dict[str, Any], groups: Any = GROUPS, **ids: Any) -> Check:
    file = read_stack_file(ROOT, "demo-chat", passphrase=lambda: PASSPHRASE)
    raw = {**file.config, "byoc:runtime": json.dumps(ids)}
    config = load_stack_config(raw, file.secret_keys, source=file.path.name)
    planned = Planned(registered=(), functions=frozenset())
    subject = subject_of(Stack(name="demo-chat", config=config), planned, Accounts(), None)
    subject = dataclasses.replace(subject, account=FakeAccount({**ANSWERS, **answers}))
    (check,) = runtime.judged(subject, dataclasses.replace(NETWORK, groups=groups))
    absent: Place = Absent()
    assert runtime.judged(subject, absent) == ()
    return check


def test_a_whole_runtime_passes() -> None:
    check = _check({})
    assert (check.verdict.value, check.evidence) == (
        "pass",
        "all 6 things are there that a deployment looks up",
    )


@pytest.mark.parametrize(
    ("answers", "groups", "lacking"),
    [
        # As the documented Terraform module leaves an account.
        ({}, {key: name for key, name in GROUPS.items() if key != "sg-data"}, f"security group {PREFIX}-data-sg"),
        ({"ecs:DescribeServices": AbsentError("ClusterNotFoundException")}, GROUPS, f"cluster {PREFIX}-cluster"),
        ({"servicediscovery:ListNamespaces": {"Namespaces": []}}, GROUPS, f"namespace {PREFIX}-redis"),
        (
            {"servicediscovery:ListNamespaces": {"Namespaces": [{"Name": f"{PREFIX}-redis", "Type": "HTTP"}]}},
            GROUPS,
            f"namespace {PREFIX}-redis",
        ),
    ],
)
def test_what_is_lacking_fails_with_its_name(answers: dict[str, Any], groups: dict[str, str], lacking: str) -> None:
    check = _check(answers, groups)
    assert (check.verdict.value, check.evidence) == ("fail", f"is not there: {lacking}")


def test_what_the_config_names_by_id_is_looked_for_by_it() -> None:
    given = {
        "dataSecurityGroupId": "sg-0a1b2c3d4e5f60718",
        "namespaceId": "ns-e4anhexample0004",
        "privateSubnetIds": ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
    }
    groups = {"sg-1": f"{PREFIX}-lb-sg", "sg-2": f"{PREFIX}-service-sg", "sg-0a1b2c3d4e5f60718": "mine"}
    silent: dict[str, Any] = {"servicediscovery:ListNamespaces": DeniedError("servicediscovery:ListNamespaces", "")}
    there: dict[str, Any] = {"rds:DescribeDBSubnetGroups": {"DBSubnetGroups": [{}]}}
    assert _check({**silent, **there}, groups, **given).verdict.value == "pass"
    gone: dict[str, Any] = {"rds:DescribeDBSubnetGroups": AbsentError("DBSubnetGroupNotFoundFault")}
    assert _check({**silent, **gone}, groups, **given).evidence == (
        f"is not there: DB subnet group {PREFIX}-db-subnet-group"
    )


def test_what_cannot_be_asked_about_is_unknown_unless_something_else_lacks() -> None:
    silent: dict[str, Any] = {"servicediscovery:ListNamespaces": DeniedError("servicediscovery:ListNamespaces", "")}
    check = _check(silent)
    assert (check.verdict.value, check.evidence) == (
        "unknown",
        f"namespace {PREFIX}-redis: servicediscovery:ListNamespaces: denied",
    )
    assert _check(silent, {}).verdict.value == "fail"


@pytest.mark.slow
def test_a_runtime_that_lost_its_namespace_is_found_out(
    worlds: Worlds, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world = worlds.new()
    world.up(ACCOUNT).done()
    doctor = Doctor(capsys, tmp_path / "profiles")
    _, checks = doctor.checks(world, CHAT)
    assert checks["network: runtime of the account"][0] == "pass"
    discovery = world.aws("servicediscovery")
    (namespace,) = discovery.list_namespaces()["Namespaces"]
    discovery.delete_namespace(Id=namespace["Id"])
    _, checks = doctor.checks(world, CHAT)
    assert checks["network: runtime of the account"] == ("fail", "is not there: namespace langgraph-cloud-redis")
