"""Who a request comes from: keys, signatures, sessions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

import pytest
import urllib3
from moto.sts.models import sts_backends

from byoc.sandbox.emulator.client import EmulatorClient, EmulatorError
from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.emulator_stage import CONTROL_PLANE, REGION, Stage, allow, code


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Emulator.in_process() as emulator:
        yield Stage(emulator)


def test_the_administrator_is_a_user_of_the_account(stage: Stage) -> None:
    identity = stage.aws("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{stage.account}:user/administrator"
    assert identity["Account"] == stage.account


def test_the_administrator_is_made_once(stage: Stage) -> None:
    assert stage.client.administrator(stage.account) == stage.administrator


def test_the_control_plane_is_a_role_session_of_its_own_account(stage: Stage) -> None:
    identity = stage.aws("sts", stage.client.control_plane(CONTROL_PLANE)).get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::640174622193:assumed-role/HostBackendRoleProd/control-plane"
    assert identity["Account"] == "640174622193"


def test_the_control_plane_may_assume_roles_and_nothing_else(stage: Stage) -> None:
    control_plane = stage.client.control_plane(CONTROL_PLANE)
    assert code(lambda: stage.aws("ec2", control_plane).describe_vpcs()) == "UnauthorizedOperation"


def test_a_control_plane_that_is_no_role_is_refused(stage: Stage) -> None:
    with pytest.raises(EmulatorError, match="is not the ARN of an IAM role"):
        stage.client.control_plane("arn:aws:iam::640174622193:user/someone")


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("ecs", "list_clusters", "UnrecognizedClientException"),
    ],
)
def test_an_unknown_key_is_refused_in_the_words_of_the_protocol(
    stage: Stage, service: str, operation: str, expected: str
) -> None:
    stranger = dataclasses.replace(stage.administrator, access_key_id="AKIAIOSFODNN7EXAMPLE")
    assert code(getattr(stage.aws(service, stranger), operation)) == expected


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("ecs", "list_clusters", "InvalidSignatureException"),
        ("route53", "list_hosted_zones", "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_secret_is_refused(stage: Stage, service: str, operation: str, expected: str) -> None:
    forged = dataclasses.replace(
        stage.administrator, secret_access_key="x" * 40, access_key_id=stage.administrator.access_key_id
    )
    client = Stage.aws(_without_cache(stage), service, forged)
    assert code(getattr(client, operation)) == expected


def _without_cache(stage: Stage) -> Stage:
    other = Stage.__new__(Stage)
    other.__dict__.update(stage.__dict__, _clients={})
    return other


def test_a_session_key_without_its_token_is_refused(stage: Stage) -> None:
    session = dataclasses.replace(stage.role(allow("*")), session_token="")
    assert code(stage.aws("sts", session).get_caller_identity) == "InvalidClientTokenId"


def test_a_session_key_with_another_token_is_refused(stage: Stage) -> None:
    session = dataclasses.replace(stage.role(allow("*")), session_token="FQoGZXIvYXdzEBYaDother")
    assert code(stage.aws("sts", session).get_caller_identity) == "InvalidClientTokenId"


def test_a_session_ends(stage: Stage) -> None:
    session = stage.role(allow("*"))
    stage.aws("sts", session).get_caller_identity()
    held = sts_backends[stage.account]["aws"].get_assumed_role_from_access_key(session.access_key_id)
    assert held is not None
    held.expiration -= timedelta(hours=2)
    assert code(stage.aws("sts", session).get_caller_identity) == "ExpiredToken"


def test_a_deleted_key_works_no_more(stage: Stage) -> None:
    iam = stage.aws("iam")
    iam.create_user(UserName="short-lived")
    key = iam.create_access_key(UserName="short-lived")["AccessKey"]
    user = dataclasses.replace(
        stage.administrator, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"]
    )
    assert stage.aws("sts", user).get_caller_identity()["Arn"].endswith(":user/short-lived")
    iam.delete_access_key(UserName="short-lived", AccessKeyId=key["AccessKeyId"])
    assert code(stage.aws("sts", user).get_caller_identity) == "InvalidClientTokenId"


def test_an_unsigned_request_is_refused(stage: Stage) -> None:
    url = f"{stage.emulator.endpoint}/?Action=DescribeVpcs&Version=2016-11-15"
    assert urllib3.request("GET", url, retries=False).status == 403


def test_an_account_header_does_not_lend_another_account(stage: Stage) -> None:
    ec2 = stage.aws("ec2")
    before = stage.client.inventory("999999999999", REGION)

    def claim(request: object, **_: object) -> None:
        request.headers["x-moto-account-id"] = "999999999999"  # type: ignore[attr-defined]

    ec2.meta.events.register_last("before-send.ec2.CreateVpc", claim)
    ec2.create_vpc(CidrBlock="10.9.0.0/16")
    ec2.meta.events.unregister("before-send.ec2.CreateVpc", claim)
    assert stage.client.inventory("999999999999", REGION) == before
    assert "ec2:vpc" in stage.inventory()


def test_the_control_api_wants_its_token(stage: Stage) -> None:
    with pytest.raises(EmulatorError, match="wants the emulator's token"):
        EmulatorClient(stage.emulator.endpoint, "guessed").administrator(stage.account)


def test_an_account_id_has_twelve_digits(stage: Stage) -> None:
    with pytest.raises(EmulatorError, match="account_id is '123'; an AWS account id has twelve digits"):
        stage.client.administrator("123")


def test_credentials_do_not_print_their_secrets(stage: Stage) -> None:
    shown = repr(stage.administrator) + repr(stage.client)
    assert stage.administrator.secret_access_key not in shown
    assert stage.emulator.token not in shown
