"""Service-linked roles: made where absent, found again by their tag, never taken from anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from byoc.components.service_linked_roles import OWNER_KEY, SERVICES, ServiceLinkedRoles, ServiceLinkedRolesArgs
from byoc.types import AwsAccount
from tests.components.harness import Recording
from tests.components.programs import ACCOUNT, annotated, under_providers

TOKEN = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
GET_ROLES, GET_ROLE = "aws:iam/getRoles:getRoles", "aws:iam/getRole:getRole"
NAMES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
}
OURS = {OWNER_KEY: "byoc/test/roles"}


def arn(service: str, partition: str = "aws") -> str:
    name = NAMES.get(service, "AWSServiceRoleForSomething")
    return f"arn:{partition}:iam::123456789012:role/aws-service-role/{service}/{name}"


def build(existing: Mapping[str, Mapping[str, str]], account: AwsAccount = ACCOUNT) -> Recording:
    """The component in an account that has these roles, by service, with their tags."""
    by_name = {arn(service).rpartition("/")[2]: tags for service, tags in existing.items()}

    def get_roles(args: Mapping[str, Any]) -> Mapping[str, Any]:
        assert args == {"pathPrefix": "/aws-service-role/"}
        arns = [arn(service, account.partition) for service in existing]
        return {"id": "x", "arns": arns, "names": sorted(by_name), "pathPrefix": "/aws-service-role/"}

    def get_role(args: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": args["name"], "name": args["name"], "tags": by_name[args["name"]]}

    return under_providers(
        lambda opts: ServiceLinkedRoles("roles", ServiceLinkedRolesArgs(account=account), opts),
        answers={GET_ROLES: get_roles, GET_ROLE: get_role},
    )


def made(recording: Recording) -> set[str]:
    return {role.plain["awsServiceName"] for role in recording.of_type(TOKEN)}


def test_the_services_of_a_deployment_are_covered() -> None:
    assert set(SERVICES) == set(NAMES)


def test_a_fresh_account_gets_all_of_them_with_our_tag() -> None:
    recording = build({})
    assert {role.name: dict(role.inputs) for role in recording.of_type(TOKEN)} == {
        f"roles-{service.removesuffix('.amazonaws.com')}": {"awsServiceName": service, "tags": OURS}
        for service in SERVICES
    }


def test_roles_that_others_made_are_left_alone() -> None:
    recording = build({"ecs.amazonaws.com": {}, "rds.amazonaws.com": {"team": "data"}})
    assert made(recording) == {"elasticloadbalancing.amazonaws.com", "ecs.application-autoscaling.amazonaws.com"}


def test_a_later_run_declares_what_an_earlier_one_made() -> None:
    recording = build(dict.fromkeys(SERVICES, OURS))
    assert made(recording) == set(SERVICES)


@pytest.mark.parametrize("owner", ["byoc/test/other", "byoc/other/roles", "other/test/roles"])
def test_what_another_component_or_stack_made_is_left_alone(owner: str) -> None:
    recording = build({service: {OWNER_KEY: owner} for service in SERVICES})
    assert made(recording) == set()


def test_a_role_that_we_made_is_declared_by_its_arn_and_a_new_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: dict[str, str | None] = {}
    real = aws.iam.ServiceLinkedRole

    def recording_role(name: str, *, opts: pulumi.ResourceOptions, **inputs: Any) -> pulumi.Resource:
        imported[inputs["aws_service_name"]] = opts.import_
        return real(name, opts=opts, **inputs)

    monkeypatch.setattr(aws.iam, "ServiceLinkedRole", recording_role)
    build({"ecs.amazonaws.com": OURS})
    assert imported == {service: arn(service) if service == "ecs.amazonaws.com" else None for service in SERVICES}


def test_none_of_them_is_ever_destroyed() -> None:
    assert all(role.retain_on_delete for role in build({"ecs.amazonaws.com": OURS}).of_type(TOKEN))


def test_only_roles_that_matter_are_asked_about() -> None:
    recording = build({"ecs.amazonaws.com": {}, "support.amazonaws.com": {}})
    assert [call.args for call in recording.calls if call.token == GET_ROLE] == [{"name": "AWSServiceRoleForECS"}]


def test_roles_are_found_in_other_partitions() -> None:
    china = AwsAccount(account_id="123456789012", region="cn-north-1")
    assert made(build({service: {} for service in SERVICES}, account=china)) == set()


def test_it_has_no_outputs() -> None:
    assert annotated(ServiceLinkedRoles) == set()


def test_it_passes_its_options_on() -> None:
    def program(opts: pulumi.ResourceOptions) -> None:
        ServiceLinkedRoles("roles", ServiceLinkedRolesArgs(account=ACCOUNT), opts)

    recording = under_providers(
        program, answers={GET_ROLES: {"id": "x", "arns": [], "names": [], "pathPrefix": "/aws-service-role/"}}
    )
    component = recording.only("byoc:index:ServiceLinkedRoles")
    assert {role.parent for role in recording.of_type(TOKEN)} == {component.urn}
