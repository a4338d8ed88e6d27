"""Policies of VPC endpoints, and what containers need of them in order to start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byoc.operations.doctor.endpoint_policy import Needed, needed, passes
from byoc.operations.doctor.place import Passes
from byoc.sandbox.aws_profiles import ACCOUNT as OWNER
from tests.operations.test_doctor_life import Doctor
from tests.operations.test_doctor_zones import subject_of_example
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World

EVERYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
BUCKET = "arn:aws:s3:::prod-us-west-2-starport-layer-bucket"
ROLE = "arn:aws:iam::123456789012:role/LangGraphCloudECSTaskExecutionRole"
REPOSITORY = "arn:aws:ecr:us-west-2:123456789012:repository"
HERE = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}


def allow(actions: Any, resource: str = "*", principal: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": resource, **more}


def deny(actions: Any, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**allow(actions, resource, **more), "Effect": "Deny"}


@pytest.fixture(scope="module")
def chat() -> Needed:
    """What the deployment of the example needs."""
    return needed(subject_of_example(CHAT, {}))


def judged(chat: Needed, service: str, *statements: dict[str, Any]) -> Passes:
    return passes(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), chat[service])


def test_what_containers_need_is_named_with_its_resources(chat: Needed) -> None:
    assert {service: [(one.action, one.resource) for one in asked] for service, asked in chat.items()} == {
        "ecr.api": [
            ("ecr:GetAuthorizationToken", "*"),
            ("ecr:BatchGetImage", f"{REPOSITORY}/agents/chat"),
            ("ecr:GetDownloadUrlForLayer", f"{REPOSITORY}/agents/chat"),
        ],
        "ecr.dkr": [
            ("ecr:BatchGetImage", f"{REPOSITORY}/agents/chat"),
            ("ecr:GetDownloadUrlForLayer", f"{REPOSITORY}/agents/chat"),
        ],
        "logs": [
            (f"logs:{name}", "arn:aws:logs:us-west-2:123456789012:log-group:/aws/ecs/langgraph-cloud:log-stream:one")
            for name in ("CreateLogStream", "PutLogEvents")
        ],
        "secretsmanager": [
            (
                "secretsmanager:GetSecretValue",
                f"arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat/{content}-AbCdEf",
            )
            for content in ("environment", "connections")
        ],
        "s3": [("s3:GetObject", f"{BUCKET}/layer")],
    }


@pytest.mark.parametrize("service", ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "s3"])
@pytest.mark.parametrize("written", [None, "", json.dumps({"Version": "2008-10-17", "Statement": [EVERYTHING]})])
def test_by_default_everything_goes_through(chat: Needed, service: str, written: str | None) -> None:
    assert passes(written, chat[service]) == Passes()


S3 = ("s3:GetObject",)


@pytest.mark.parametrize(
    ("service", "statements", "expected"),
    [
        ("s3", [allow("s3:GetObject", f"{BUCKET}/*")], Passes()),
        ("s3", [allow("s3:*", "arn:aws:s3:::acme-data/*")], Passes(denied=S3)),
        ("s3", [], Passes(denied=S3)),
        ("s3", [EVERYTHING, deny("s3:*", f"{BUCKET}/*")], Passes(denied=S3)),
        ("s3", [EVERYTHING, deny("s3:*", "arn:aws:s3:::acme-data/*")], Passes()),
        # The links to layers are signed by ECR: an Allow for principals of the customer's own leaves them out.
        ("s3", [allow("*", principal={"AWS": ROLE})], Passes(denied=S3)),
        ("s3", [allow("*", Condition=HERE)], Passes(unclear=S3)),
        ("s3", [allow("*", Condition=HERE), allow("s3:GetObject", f"{BUCKET}/*")], Passes()),
        (
            "s3",
            [EVERYTHING, deny("*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})],
            Passes(unclear=S3),
        ),
        ("logs", [allow("logs:*", principal={"AWS": ROLE})], Passes()),
        ("logs", [allow("logs:*", principal={"AWS": "123456789012"})], Passes()),
        (
            "logs",
            [allow("logs:*", principal={"AWS": "210987654321"})],
            Passes(denied=("logs:CreateLogStream", "logs:PutLogEvents")),
        ),
        ("logs", [allow("logs:PutLogEvents")], Passes(denied=("logs:CreateLogStream",))),
        ("ecr.api", [allow("ecr:*", f"{REPOSITORY}/agents/*")], Passes(denied=("ecr:GetAuthorizationToken",))),
        (
            "secretsmanager",
            [allow("*", "arn:aws:secretsmanager:*:*:secret:langgraph-cloud/chat/environment-*")],
            Passes(denied=("secretsmanager:GetSecretValue",)),  # not that of the connections
        ),
    ],
)
def test_a_policy_of_ones_own_is_read(
    chat: Needed, service: str, statements: list[dict[str, Any]], expected: Passes
) -> None:
    assert judged(chat, service, *statements) == expected


@pytest.mark.parametrize("written", ["{", "[]", "3", '{"Statement": [{"Effect": "Maybe"}]}', '{"Statement": [7]}'])
def test_what_is_no_policy_is_not_known(chat: Needed, written: str) -> None:
    assert passes(written, chat["s3"]) == Passes(unclear=S3)


@pytest.mark.slow
def test_an_endpoint_in_the_way_fails_though_there_is_a_nat_gateway(
    world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world.up(ACCOUNT).done()
    doctor = Doctor(capsys, tmp_path / "profiles")
    ec2 = world.aws("ec2")
    (gateway,) = [each for each in ec2.describe_vpc_endpoints()["VpcEndpoints"] if each["ServiceName"].endswith(".s3")]
    own = {"Version": "2012-10-17", "Statement": [allow("s3:*", "arn:aws:s3:::acme-data/*")]}
    ec2.modify_vpc_endpoint(VpcEndpointId=gateway["VpcEndpointId"], PolicyDocument=json.dumps(own))
    _, checks = doctor.checks(world, CHAT, "--profile", OWNER, "--own-credentials")
    answer, evidence = checks["network: way out of private subnets"]
    assert answer == "fail"
    assert "; the policy of the endpoint does not allow what containers need: s3 (s3:GetObject)" in evidence
    ec2.modify_vpc_endpoint(VpcEndpointId=gateway["VpcEndpointId"], ResetPolicy=True)
    ec2.modify_vpc_endpoint(
        VpcEndpointId=gateway["VpcEndpointId"],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]}),
    )
    _, checks = doctor.checks(world, CHAT, "--profile", OWNER, "--own-credentials")
    assert checks["network: way out of private subnets"][0] == "pass"
