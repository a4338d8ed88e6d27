"""Assuming a role across accounts: both sides must agree, as in AWS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from byoc.sandbox.emulator.client import Credentials
from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.emulator_stage import CONTROL_PLANE, Stage, allow, code, deny, document, error, trust

EXTERNAL_IDS = {"sts:ExternalId": ["first-id", "second-id"]}
OUTSIDER = "arn:aws:iam::640174622193:role/SomebodyElse"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Emulator.in_process() as emulator:
        stage = Stage(emulator)
        stage.make_role("documented", trust(CONTROL_PLANE, StringEquals=EXTERNAL_IDS))
        stage.aws("iam").put_role_policy(
            RoleName="documented", PolicyName="given", PolicyDocument=document(allow(["ec2:*", "sts:AssumeRole"]))
        )
        yield stage


@pytest.fixture(scope="module")
def control_plane(stage: Stage) -> Credentials:
    return stage.client.control_plane(CONTROL_PLANE)


@pytest.mark.parametrize("external_id", ["first-id", "second-id"])
def test_a_right_external_id_opens_a_session_in_the_roles_account(
    stage: Stage, control_plane: Credentials, external_id: str
) -> None:
    session = stage.assume("documented", control_plane, ExternalId=external_id)
    assert session.principal == f"arn:aws:sts::{stage.account}:assumed-role/documented/testing"
    assert stage.aws("sts", session).get_caller_identity()["Account"] == stage.account


def test_what_a_session_makes_is_in_the_roles_account(stage: Stage, control_plane: Credentials) -> None:
    session = stage.assume("documented", control_plane, ExternalId="first-id")
    vpc = stage.aws("ec2", session).create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]
    assert vpc["OwnerId"] == stage.account
    assert {"service": "ec2", "kind": "vpc", "id": vpc["VpcId"]} in stage.client.inventory(stage.account, "us-east-1")


@pytest.mark.parametrize("parameters", [{}, {"ExternalId": "guessed"}, {"ExternalId": "first-id "}])
def test_a_missing_or_wrong_external_id_is_denied(
    stage: Stage, control_plane: Credentials, parameters: dict[str, str]
) -> None:
    assert error(lambda: stage.assume("documented", control_plane, **parameters)) == (
        "AccessDenied",
        "User: arn:aws:sts::640174622193:assumed-role/HostBackendRoleProd/control-plane is not authorized to perform: "
        f"sts:AssumeRole on resource: arn:aws:iam::{stage.account}:role/documented",
    )


def test_a_principal_that_the_role_does_not_trust_is_denied(stage: Stage) -> None:
    outsider = stage.client.control_plane(OUTSIDER)
    assert code(lambda: stage.assume("documented", outsider, ExternalId="first-id")) == "AccessDenied"


def test_a_role_that_does_not_exist_is_denied(stage: Stage, control_plane: Credentials) -> None:
    assert code(lambda: stage.assume("nowhere", control_plane, ExternalId="first-id")) == "AccessDenied"


def test_being_trusted_does_not_suffice_across_accounts(stage: Stage) -> None:
    other = Stage(stage.emulator)
    user = other.role(allow("ec2:*"))
    role_arn = f"arn:aws:iam::{other.account}:role/{user.principal.split('/')[1]}"
    stage.make_role("trusting", trust(role_arn))
    denied, message = error(lambda: stage.assume("trusting", user))
    assert denied == "AccessDenied"
    assert message.endswith("because no identity-based policy allows the sts:AssumeRole action")


def test_in_one_account_being_named_in_the_trust_policy_suffices(stage: Stage) -> None:
    caller = stage.role(allow("ec2:*"))
    stage.make_role("naming", trust(f"arn:aws:iam::{stage.account}:role/{caller.principal.split('/')[1]}"))
    assert stage.assume("naming", caller).principal.endswith("assumed-role/naming/testing")


def test_in_one_account_trusting_the_account_asks_for_an_identity_policy(stage: Stage) -> None:
    caller = stage.role(allow("ec2:*"))
    stage.make_role("open-to-account", trust(f"arn:aws:iam::{stage.account}:root"))
    assert code(lambda: stage.assume("open-to-account", caller)) == "AccessDenied"


def test_an_explicit_deny_wins_over_being_named(stage: Stage) -> None:
    caller = stage.role(allow("*"), deny("sts:AssumeRole"))
    stage.make_role("naming-denied", trust(f"arn:aws:iam::{stage.account}:role/{caller.principal.split('/')[1]}"))
    _, message = error(lambda: stage.assume("naming-denied", caller))
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_session_is_no_longer_than_the_role_allows(stage: Stage) -> None:
    stage.make_role("brief", trust(f"arn:aws:iam::{stage.account}:root"))
    denied, message = error(lambda: stage.assume("brief", DurationSeconds=7200))
    assert (denied, message) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )
    assert stage.assume("brief", DurationSeconds=3600)


def test_a_chained_session_lasts_an_hour_at_most(stage: Stage, control_plane: Credentials) -> None:
    stage.make_role("long", trust(CONTROL_PLANE), MaxSessionDuration=43200)
    denied, message = error(lambda: stage.assume("long", control_plane, DurationSeconds=7200))
    assert denied == "ValidationError"
    assert "role chaining" in message


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("sts:SetSourceIdentity", {"SourceIdentity": "alice"}),
        ("sts:TagSession", {"Tags": [{"Key": "ticket", "Value": "OPS-1"}]}),
    ],
)
def test_a_source_identity_and_session_tags_are_permissions_of_their_own_on_both_sides(
    stage: Stage, action: str, parameters: dict[str, Any]
) -> None:
    plain = stage.role(allow("sts:AssumeRole"))
    able = stage.role(allow(["sts:AssumeRole", action]))
    root = f"arn:aws:iam::{stage.account}:root"
    name = action.partition(":")[2]
    stage.make_role(f"not-for-{name}", trust(root))
    stage.make_role(f"for-{name}", trust(root).replace('"sts:AssumeRole"', f'["sts:AssumeRole", "{action}"]'))
    assert stage.assume(f"for-{name}", able, **parameters)
    for role, caller in ((f"for-{name}", plain), (f"not-for-{name}", able)):
        denied, message = error(partial(stage.assume, role, caller, **parameters))
        assert denied == "AccessDenied"
        assert f"is not authorized to perform: {action} on resource" in message


def test_a_session_policy_limits_the_role(stage: Stage, control_plane: Credentials) -> None:
    limited = stage.assume(
        "documented", control_plane, ExternalId="first-id", Policy=document(allow("ec2:DescribeVpcs"))
    )
    stage.aws("ec2", limited).describe_vpcs()
    denied, message = error(stage.aws("ec2", limited).describe_subnets)
    assert denied == "UnauthorizedOperation"
    assert message.endswith("because no session policy allows the ec2:DescribeSubnets action")


def test_a_session_loses_what_its_role_loses(stage: Stage) -> None:
    session = stage.role(allow("ec2:*"))
    stage.aws("ec2", session).describe_vpcs()
    name = session.principal.split("/")[1]
    stage.aws("iam").delete_role_policy(RoleName=name, PolicyName="given")
    assert code(stage.aws("ec2", session).describe_vpcs) == "UnauthorizedOperation"
    stage.aws("iam").delete_role(RoleName=name)
    assert code(stage.aws("ec2", session).describe_vpcs) == "UnauthorizedOperation"
