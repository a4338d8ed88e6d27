"""How a deployment finds the runtime of its account, and what it says when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import pulumi
import pytest

from byoc.components.runtime import AccountRuntime
from byoc.components.runtime_refs import KnownRuntimeIds, RuntimeRefs, find_runtime
from byoc.errors import ByocError
from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Request, evaluate
from byoc.permissions.needs.actions import needs_of
from byoc.permissions.policies.managed import documented_identity
from tests.components.harness import Recording
from tests.components.programs import (
    ACCOUNT,
    GET_NAMESPACE,
    GET_SECURITY_GROUPS,
    GET_SUBNET_GROUP,
    GET_SUBNETS,
    annotated,
    failing,
    under_providers,
)

GROUPS = [
    ("langgraph-cloud-lb-sg", "sg-lb", "vpc-1"),
    ("langgraph-cloud-service-sg", "sg-service", "vpc-1"),
    ("langgraph-cloud-data-sg", "sg-data", "vpc-1"),
    ("team-b-lb-sg", "sg-lb-b", "vpc-2"),
    ("team-b-service-sg", "sg-service-b", "vpc-2"),
    ("team-b-data-sg", "sg-data-b", "vpc-2"),
]
PUBLIC_FILTERS = {"vpc-id": "vpc-1", "tag:langgraph-cloud-enabled": "1", "tag:langgraph-cloud-private": "0"}


def filters_of(args: Mapping[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["values"][0] for entry in args["filters"]}


def account_with(groups: list[tuple[str, str, str]]) -> dict[str, Any]:
    """The answers of an account that holds these security groups, by name, id and VPC."""

    def security_groups(args: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = filters_of(args)
        assert wanted.keys() <= {"group-name", "group-id", "vpc-id"}
        found = [
            (group_id, vpc_id)
            for name, group_id, vpc_id in groups
            if wanted.get("group-name", name) == name
            and wanted.get("group-id", group_id) == group_id
            and wanted.get("vpc-id", vpc_id) == vpc_id
        ]
        return {"id": "us-west-2", "arns": [], "ids": [g for g, _ in found], "vpcIds": [v for _, v in found]}

    def subnets(args: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": "us-west-2", "ids": ["subnet-q", "subnet-p"] if filters_of(args) == PUBLIC_FILTERS else []}

    def subnet_group(args: Mapping[str, Any]) -> Mapping[str, Any]:
        vpc_id = {"langgraph-cloud-db-subnet-group": "vpc-1", "team-b-db-subnet-group": "vpc-2"}[args["name"]]
        return {"id": args["name"], "vpcId": vpc_id, "subnetIds": [f"{vpc_id}-subnet-b", f"{vpc_id}-subnet-a"]}

    def namespace(args: Mapping[str, Any]) -> Mapping[str, Any]:
        assert args["type"] == "DNS_PRIVATE"
        return {"id": f"ns-of-{args['name']}"}

    return {
        GET_SECURITY_GROUPS: security_groups,
        GET_SUBNETS: subnets,
        GET_SUBNET_GROUP: subnet_group,
        GET_NAMESPACE: namespace,
    }


def find(
    prefix: str = "langgraph-cloud",
    *,
    known: KnownRuntimeIds | None = None,
    answers: Mapping[str, Any] | None = None,
    role_path: str = "/",
) -> tuple[dict[str, Any], Recording]:
    found: list[RuntimeRefs] = []

    def program(opts: pulumi.ResourceOptions) -> None:
        assert isinstance(opts.providers, list)
        with_provider = pulumi.InvokeOptions(provider=opts.providers[0])
        found.append(find_runtime(ACCOUNT, Names(prefix), opts=with_provider, role_path=role_path, known=known))

    recording = under_providers(program, answers={**account_with(GROUPS), **(answers or {})})
    return asdict(found[0]), recording


def test_the_runtime_is_found_by_the_documented_names() -> None:
    refs, _ = find()
    assert refs == {
        "vpc_id": "vpc-1",
        "private_subnet_ids": ["vpc-1-subnet-a", "vpc-1-subnet-b"],
        "public_subnet_ids": ["subnet-p", "subnet-q"],
        "cluster_arn": "arn:aws:ecs:us-west-2:123456789012:cluster/langgraph-cloud-cluster",
        "cluster_name": "langgraph-cloud-cluster",
        "load_balancer_security_group_id": "sg-lb",
        "service_security_group_id": "sg-service",
        "data_security_group_id": "sg-data",
        "db_subnet_group_name": "langgraph-cloud-db-subnet-group",
        "namespace_id": "ns-of-langgraph-cloud-redis",
        "namespace_name": "langgraph-cloud-redis",
        "log_group_name": "/aws/ecs/langgraph-cloud",
        "execution_role_arn": "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskExecutionRole",
        "task_role_arn": "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskRole",
        "alarm_topic_arn": "arn:aws:sns:us-west-2:123456789012:langgraph-cloud-alarms",
    }


def test_another_prefix_finds_the_other_install_and_nothing_of_the_first() -> None:
    refs, _ = find("team-b", role_path="/langgraph/")
    assert refs["vpc_id"] == "vpc-2"
    assert refs["private_subnet_ids"] == ["vpc-2-subnet-a", "vpc-2-subnet-b"]
    assert refs["public_subnet_ids"] == []
    assert refs["load_balancer_security_group_id"] == "sg-lb-b"
    assert refs["namespace_id"] == "ns-of-team-b-redis"
    assert refs["execution_role_arn"] == "arn:aws:iam::123456789012:role/langgraph/team-b-ECSTaskExecutionRole"
    assert "langgraph-cloud" not in str(refs)


def test_what_is_found_is_what_the_account_stack_puts_out_under_the_same_names() -> None:
    networks = {"vpc_id", "private_subnet_ids", "public_subnet_ids"}
    assert {f.name for f in fields(RuntimeRefs)} == (annotated(AccountRuntime) - {"repository_urls"}) | networks


def test_each_thing_is_looked_up_once() -> None:
    _, recording = find()
    assert [call.token for call in recording.calls] == [
        GET_SECURITY_GROUPS,
        GET_SUBNET_GROUP,
        GET_SUBNETS,
        GET_SECURITY_GROUPS,
        GET_SECURITY_GROUPS,
        GET_NAMESPACE,
    ]
    assert recording.custom == []


def test_the_documented_role_may_look_up_all_of_it_but_the_tags_of_a_namespace() -> None:
    _, recording = find()
    policies = documented_identity()
    denied = {
        need.action
        for call in recording.calls
        for need in needs_of(call.token)
        if not evaluate(
            Request(principal="arn:aws:iam::123456789012:role/r", action=need.action, resource="*"), identity=policies
        ).allowed
    }
    assert denied == {"servicediscovery:ListTagsForResource"}  # the supplement grants it


KNOWN = KnownRuntimeIds(
    vpc_id="vpc-9",
    private_subnet_ids=("subnet-x", "subnet-y"),
    public_subnet_ids=("subnet-z",),
    load_balancer_security_group_id="sg-7",
    service_security_group_id="sg-8",
    data_security_group_id="sg-9",
    namespace_id="ns-9",
)


def test_if_every_id_is_given_aws_is_not_asked() -> None:
    refs, recording = find(known=KNOWN)
    assert recording.calls == []
    given = asdict(KNOWN)
    assert {key: refs[key] for key in given} == {
        key: list(value) if isinstance(value, tuple) else value for key, value in given.items()
    }


@pytest.mark.parametrize("left_out", [f.name for f in fields(KnownRuntimeIds)])
def test_what_is_given_is_used_and_only_the_rest_is_looked_up(left_out: str) -> None:
    known = {f.name: getattr(KNOWN, f.name) for f in fields(KNOWN) if f.name != left_out}
    groups = [("langgraph-cloud-lb-sg", "sg-7", "vpc-9"), ("langgraph-cloud-data-sg", "sg-9", "vpc-9")]
    groups.append(("langgraph-cloud-service-sg", "sg-8", "vpc-9"))
    answers = account_with(groups)
    answers[GET_SUBNET_GROUP] = {"id": "g", "vpcId": "vpc-9", "subnetIds": ["subnet-y", "subnet-x"]}
    answers[GET_SUBNETS] = {"id": "us-west-2", "ids": ["subnet-z"]}
    answers[GET_NAMESPACE] = {"id": "ns-9"}
    refs, recording = find(known=KnownRuntimeIds(**known), answers=answers)
    assert len(recording.calls) == 1
    expected = getattr(KNOWN, left_out)
    assert refs[left_out] == (list(expected) if isinstance(expected, tuple) else expected)


def test_a_given_vpc_decides_between_two_groups_of_the_same_name() -> None:
    twice = [*GROUPS, ("langgraph-cloud-service-sg", "sg-old", "vpc-old")]
    refs, _ = find(known=KnownRuntimeIds(vpc_id="vpc-1"), answers=account_with(twice))
    assert refs["service_security_group_id"] == "sg-service"


def test_two_service_groups_of_the_same_name_are_an_error_that_names_the_vpcs() -> None:
    twice = [*GROUPS, ("langgraph-cloud-service-sg", "sg-old", "vpc-old")]
    with pytest.raises(ByocError) as caught:
        find(answers=account_with(twice))
    assert "byoc:runtime.vpcId" in str(caught.value)
    assert "2 security groups named langgraph-cloud-service-sg, in vpc-1, vpc-old" in str(caught.value)


def test_without_an_account_stack_the_error_says_what_is_missing_where_and_three_ways_out() -> None:
    with pytest.raises(ByocError) as caught:
        find("team-c")
    assert str(caught.value) == (
        "the runtime of install team-c was not found in account 123456789012, region us-west-2\n"
        "  byoc:runtime.serviceSecurityGroupId\n"
        "      got:      nothing given, and no security group team-c-service-sg found\n"
        "      allowed:  the id of the security group\n"
        "      mend it:  bring the account stack up first; or set byoc:namePrefix (now team-c) or byoc:region to those "
        "of the account stack; or give byoc:runtime.serviceSecurityGroupId"
    )


@pytest.mark.parametrize(
    ("missing", "key"),
    [("lb", "loadBalancerSecurityGroupId"), ("data", "dataSecurityGroupId"), ("service", "serviceSecurityGroupId")],
)
def test_each_missing_group_is_named_by_the_key_that_would_give_it(missing: str, key: str) -> None:
    groups = [group for group in GROUPS if group[0] != f"langgraph-cloud-{missing}-sg"]
    with pytest.raises(ByocError, match=rf"byoc:runtime\.{key}\n.*langgraph-cloud-{missing}-sg"):
        find(answers=account_with(groups))


@pytest.mark.parametrize(
    ("token", "key", "what"),
    [
        (GET_SUBNET_GROUP, "privateSubnetIds", "DB subnet group langgraph-cloud-db-subnet-group"),
        (GET_NAMESPACE, "namespaceId", "private DNS namespace langgraph-cloud-redis"),
    ],
)
def test_what_aws_answered_to_a_failed_lookup_is_told(token: str, key: str, what: str) -> None:
    with pytest.raises(ByocError, match=rf"byoc:runtime\.{key}\n.*no {what} found; AWS's answer: .*no such thing"):
        find(answers={token: failing("no such thing")})


def test_a_subnet_group_in_another_vpc_is_an_error() -> None:
    elsewhere = {"id": "g", "vpcId": "vpc-7", "subnetIds": ["subnet-x"]}
    with pytest.raises(ByocError, match=r"vpc-1, but the DB subnet group langgraph-cloud-db-subnet-group is in vpc-7"):
        find(answers={GET_SUBNET_GROUP: elsewhere})
