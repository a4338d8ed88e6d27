"""Programs for construction tests: a component under explicit providers, and what must hold for all of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from byoc.provider import ProviderArgs, aws_provider, random_provider
from byoc.types import AwsAccount
from tests.components.harness import Recording, Registration, run

grpc: Any = importlib.import_module("grpc")  # it has no types

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
ZONES = ["us-west-2a", "us-west-2b", "us-west-2c", "us-west-2d"]
AVAILABILITY_ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"
GET_VPC = "aws:ec2/getVpc:getVpc"
GET_SUBNETS = "aws:ec2/getSubnets:getSubnets"
GET_SECURITY_GROUPS = "aws:ec2/getSecurityGroups:getSecurityGroups"
GET_SUBNET_GROUP = "aws:rds/getSubnetGroup:getSubnetGroup"
GET_NAMESPACE = "aws:servicediscovery/getDnsNamespace:getDnsNamespace"

ANSWERS: Mapping[str, Any] = {AVAILABILITY_ZONES: {"names": list(reversed(ZONES)), "zoneIds": [], "id": "us-west-2"}}


def failing(message: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """An answer that is an error of the provider's, as the engine reports it."""

    def answer(_: Mapping[str, Any]) -> Mapping[str, Any]:
        error = grpc.RpcError(message)
        error.code = lambda: grpc.StatusCode.UNKNOWN
        error.details = lambda: message
        raise error

    return answer


def under_providers(
    program: Callable[[pulumi.ResourceOptions], object],
    *,
    answers: Mapping[str, Any] | None = None,
    computed: Mapping[str, Any] | None = None,
) -> Recording:
    """Run ``program`` with options that carry this project's providers, and check that nothing used any other."""

    def whole() -> None:
        providers = [aws_provider("aws", ProviderArgs(account=ACCOUNT)), random_provider("random")]
        program(pulumi.ResourceOptions(providers=providers))

    recording = run(whole, answers={**ANSWERS, **(answers or {})}, computed=computed)
    assert_only_our_providers(recording)
    assert_components_register_their_outputs(recording)
    return recording


def assert_only_our_providers(recording: Recording) -> None:
    """Every resource and every provider function goes through a provider of this project."""
    providers = {r.type.rsplit(":", 1)[1]: f"{r.urn}::" for r in recording.registrations if _is_provider(r)}
    for package, token, provider in [
        *((r.type.split(":")[0], r.urn, r.provider) for r in recording.custom),
        *((call.token.split(":")[0], call.token, call.provider) for call in recording.calls),
    ]:
        assert provider.startswith(providers[package]), f"{token} goes through {provider or 'a default provider'}"


def assert_components_register_their_outputs(recording: Recording) -> None:
    """Every component of this project registers outputs."""
    for component in recording.registrations:
        if component.type.startswith("byoc:"):
            assert component.urn in recording.outputs, f"{component.urn} registers no outputs"


def outputs_of(recording: Recording, token: str) -> Mapping[str, Any]:
    """What the one component of a type registered as its outputs."""
    return recording.outputs[recording.only(token).urn]


def annotated(component: type) -> set[str]:
    """The outputs that a component class declares."""
    return set(component.__annotations__)


def inputs_by_name(recording: Recording, token: str) -> dict[str, dict[str, Any]]:
    """The inputs of all resources of a type."""
    return {r.name: dict(r.plain) for r in recording.of_type(token)}


def dependencies_by_name(recording: Recording, registration: Registration) -> set[str]:
    """What a resource waits for, by ``name`` within its type, such as ``Route net-public-internet``."""
    names = {r.urn: f"{r.type.rsplit(':', 1)[1]} {r.name}" for r in recording.registrations}
    return {names[urn] for urn in registration.dependencies}


def _is_provider(registration: Registration) -> bool:
    return registration.type.startswith("pulumi:providers:")
