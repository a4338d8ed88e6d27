"""The supplement is exactly what a deployment stack needs and the five documented policies lack."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoc import tags
from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Decision, Document, Request, evaluate
from byoc.permissions.evaluation.matching import like
from byoc.permissions.install import (
    DEPLOYMENT_TAG,
    INSTALL_TAG,
    LOAD_BALANCER_NAME_LIMIT,
    RDS_IDENTIFIER_LIMIT,
    SECRET_TAG,
    name_pattern,
)
from byoc.permissions.needs.deployment import deployment_needs, missing_needs
from byoc.permissions.needs.features import HEALTH, OPERATING, Feature
from byoc.permissions.needs.requests import requests_of
from byoc.permissions.policies.documents import MANAGED_POLICY_LIMIT, compact
from byoc.permissions.policies.managed import CONTROL_PLANE, TASK_EXECUTION, documented_identity, managed_policies
from byoc.permissions.policies.supplement import REASONS, supplement
from byoc.types import AwsAccount

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
NAMES = Names()
INSTALLS = [
    (ACCOUNT, NAMES),
    (ACCOUNT, Names("acme")),
    (AwsAccount(account_id="123456789012", region="us-gov-west-1"), NAMES),
    (AwsAccount(account_id="123456789012", region="cn-north-1"), Names("an-install-with-a-very-long-name")),
]


SUPPLEMENTED = (*HEALTH, *(feature for feature in OPERATING if feature is not Feature.PREFLIGHT))
"""What the documented role is used for beside provisioning; a preflight is asked by somebody of the account."""


def actions_of(document: Document) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


def ask(action: str, resource: str, context: dict[str, str] | None = None, names: Names = NAMES) -> Decision:
    request = Request(principal="", action=action, resource=resource, context=context or {})
    return evaluate(request, identity={"supplement": supplement(ACCOUNT, names)})


def elb(resource: str) -> str:
    return f"arn:aws:elasticloadbalancing:us-west-2:123456789012:{resource}"


@pytest.mark.parametrize(("account", "names"), INSTALLS)
def test_the_supplement_holds_exactly_the_actions_that_are_missing(account: AwsAccount, names: Names) -> None:
    missing = {need.action for need in missing_needs(documented_identity(), account, names, features=SUPPLEMENTED)}
    assert actions_of(supplement(account, names)) == missing


@pytest.mark.parametrize(("account", "names"), INSTALLS)
def test_with_it_a_deployment_stack_has_all_that_it_needs(account: AwsAccount, names: Names) -> None:
    together = {**documented_identity(), "supplement": supplement(account, names)}
    assert missing_needs(together, account, names, features=SUPPLEMENTED) == ()


@pytest.mark.parametrize("action", sorted(actions_of(supplement(ACCOUNT, NAMES))))
def test_every_action_is_needed_because_the_five_do_not_allow_it(action: str) -> None:
    requests = [
        request
        for need in deployment_needs(features=SUPPLEMENTED)
        if need.action == action
        for request in requests_of(need, ACCOUNT, NAMES)
    ]
    assert not all(evaluate(request, identity=documented_identity()).allowed for request in requests)


@pytest.mark.parametrize(
    ("sid", "action"),
    [
        (statement["Sid"], action)
        for statement in supplement(ACCOUNT, NAMES)["Statement"]
        for action in statement["Action"]
    ],
)
def test_without_any_one_action_of_any_statement_something_is_missing(sid: str, action: str) -> None:
    document = supplement(ACCOUNT, NAMES)
    for statement in document["Statement"]:
        if statement["Sid"] == sid:
            statement["Action"] = [kept for kept in statement["Action"] if kept != action]
    assert missing_needs({**documented_identity(), "supplement": document}, ACCOUNT, NAMES, features=SUPPLEMENTED)


def test_every_statement_has_a_reason_and_every_reason_a_statement() -> None:
    statements = supplement(ACCOUNT, NAMES)["Statement"]
    assert [statement["Sid"] for statement in statements] == list(REASONS)
    assert all(statement["Effect"] == "Allow" for statement in statements)


def test_it_grants_no_action_by_wildcard() -> None:
    assert all("*" not in action for action in actions_of(supplement(ACCOUNT, NAMES)))


def test_only_reads_and_cloud_map_tags_are_granted_on_everything() -> None:
    open_to_all = [s for s in supplement(ACCOUNT, NAMES)["Statement"] if s["Resource"] == "*"]
    assert {statement["Sid"] for statement in open_to_all} == {"ReadLoadBalancing", "CloudMapTags"}


OWN_TAG = {"aws:ResourceTag/byoc-install": "langgraph-cloud"}


@pytest.mark.parametrize(
    ("action", "resource", "context", "allowed"),
    [
        ("ModifyLoadBalancerAttributes", "loadbalancer/app/langgraph-cloud-chat/50dc6c495c0c9188", {}, True),
        ("ModifyLoadBalancerAttributes", "loadbalancer/app/other/50dc6c495c0c9188", OWN_TAG, False),
        ("ModifyLoadBalancerAttributes", "loadbalancer/net/langgraph-cloud-chat/50dc6c495c0c9188", {}, False),
        ("SetSecurityGroups", "loadbalancer/app/langgraph-cloud-chat/50dc6c495c0c9188", {}, True),
        ("SetSecurityGroups", "loadbalancer/app/langgraph-clouds/50dc6c495c0c9188", {}, False),
        ("ModifyListener", "listener/app/langgraph-cloud-chat/50dc6c495c0c9188/0467ef3c8400ae65", {}, True),
        ("ModifyListener", "listener/app/other/50dc6c495c0c9188/0467ef3c8400ae65", OWN_TAG, False),
        ("ModifyTargetGroup", "targetgroup/abc123/943f017f100becff", OWN_TAG, True),
        ("ModifyTargetGroup", "targetgroup/langgraph-cloud-chat/943f017f100becff", {}, False),
        ("ModifyTargetGroup", "targetgroup/abc123/9", {"aws:ResourceTag/byoc-install": "other"}, False),
        ("AddTags", "loadbalancer/app/other/50dc6c495c0c9188", OWN_TAG, False),
        ("AddTags", "targetgroup/abc123/943f017f100becff", {"aws:RequestTag/byoc-install": "langgraph-cloud"}, False),
        ("DeleteLoadBalancer", "loadbalancer/app/langgraph-cloud-chat/50dc6c495c0c9188", {}, False),
    ],
)
def test_load_balancing_is_changed_on_this_installs_resources_only(
    action: str, resource: str, context: dict[str, str], allowed: bool
) -> None:
    assert ask(f"elasticloadbalancing:{action}", elb(resource), context).allowed is allowed


@pytest.mark.parametrize(
    ("alarm", "allowed"), [("langgraph-cloud-chat-5xx", True), ("billing", False), ("langgraph-clouds", False)]
)
def test_alarms_are_tagged_by_name_only(alarm: str, allowed: bool) -> None:
    resource = f"arn:aws:cloudwatch:us-west-2:123456789012:alarm:{alarm}"
    assert ask("cloudwatch:TagResource", resource).allowed is allowed


def test_arns_carry_the_partition_of_the_region() -> None:
    for region, partition in [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eu-west-1", "aws")]:
        text = compact(supplement(AwsAccount(account_id="123456789012", region=region), NAMES), limit=9999, what="it")
        assert set(re.findall(r"arn:([^:]+):[a-z-]+:([^:]+):", text)) == {(partition, region)}


LABELS = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True)


@given(LABELS.filter(lambda prefix: len(prefix) <= 40), LABELS)
def test_the_name_pattern_fits_every_name_that_an_install_gives(prefix: str, deployment: str) -> None:
    names = Names(prefix)
    for name, limit in [
        (names.load_balancer(deployment), LOAD_BALANCER_NAME_LIMIT),
        (names.database(deployment), RDS_IDENTIFIER_LIMIT),
    ]:
        assert like(name_pattern(prefix, limit), name, {}, variables=False)


def test_a_prefix_of_normal_length_is_followed_by_a_hyphen_in_the_pattern() -> None:
    assert name_pattern("langgraph-cloud", LOAD_BALANCER_NAME_LIMIT) == "langgraph-cloud-*"


def test_the_tags_are_those_of_the_rest_of_the_library() -> None:
    assert (INSTALL_TAG, SECRET_TAG, DEPLOYMENT_TAG) == (tags.INSTALL_KEY, tags.SECRET_KEY, tags.DEPLOYMENT_KEY)


def test_the_managed_policies_are_the_documented_ones_at_the_versions_tested_with() -> None:
    versions = {name: policy.version for name, policy in managed_policies().items()}
    assert versions == {
        "AmazonVPCReadOnlyAccess": "v12",
        "AmazonECS_FullAccess": "v22",
        "SecretsManagerReadWrite": "v6",
        "CloudWatchReadOnlyAccess": "v25",
        "AmazonRDSFullAccess": "v14",
        "AmazonECSTaskExecutionRolePolicy": "v1",
    }
    assert set(versions) == {*CONTROL_PLANE, TASK_EXECUTION}
    assert managed_policies()[TASK_EXECUTION].arn_name == "service-role/AmazonECSTaskExecutionRolePolicy"
    assert all(managed_policies()[name].arn_name == name for name in CONTROL_PLANE)


@pytest.mark.parametrize(("account", "names"), INSTALLS)
def test_it_fits_into_a_managed_policy(account: AwsAccount, names: Names) -> None:
    compact(supplement(account, names), limit=MANAGED_POLICY_LIMIT, what="the supplement")


def test_it_can_be_read_as_a_whole() -> None:
    statement: dict[str, Any] = supplement(ACCOUNT, Names("acme"))["Statement"][3]
    assert statement == {
        "Sid": "TargetGroups",
        "Effect": "Allow",
        "Action": [
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:ModifyTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "elasticloadbalancing:RemoveTags",
        ],
        "Resource": elb("targetgroup/*"),
        "Condition": {"StringEquals": {"aws:ResourceTag/byoc-install": "acme"}},
    }
