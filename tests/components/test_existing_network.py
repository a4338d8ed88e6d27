"""A network that exists already: how little of it is touched, and when it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.components.network import ExistingNetwork, Network, NetworkArgs
from byoc.errors import ByocError
from byoc.naming import Names
from tests.components.harness import Recording
from tests.components.programs import ACCOUNT, GET_SUBNETS, GET_VPC, annotated, failing, outputs_of, under_providers

TAG = "aws:ec2/tag:Tag"
SUBNETS = ["subnet-a", "subnet-b", "subnet-p", "subnet-q"]
EXISTS: dict[str, Any] = {
    GET_VPC: {"id": "vpc-1", "cidrBlock": "172.16.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": True},
    GET_SUBNETS: {"id": "us-west-2", "ids": SUBNETS},
}


def existing(*, tag: bool = True, private: tuple[str, ...] = ("subnet-a", "subnet-b")) -> ExistingNetwork:
    return ExistingNetwork(vpc_id="vpc-1", private_subnet_ids=private, public_subnet_ids=("subnet-p",), tag=tag)


def build(network: ExistingNetwork, answers: dict[str, Any] | None = None) -> Recording:
    args = NetworkArgs(account=ACCOUNT, names=Names(), network=network)
    return under_providers(lambda opts: Network("net", args, opts), answers={**EXISTS, **(answers or {})})


def test_an_existing_network_gets_the_documented_tags_and_nothing_else() -> None:
    recording = build(existing())
    assert recording.types == {TAG}
    assert sorted((r.plain["resourceId"], r.plain["key"], r.plain["value"]) for r in recording.custom) == [
        ("subnet-a", "langgraph-cloud-enabled", "1"),
        ("subnet-a", "langgraph-cloud-private", "1"),
        ("subnet-b", "langgraph-cloud-enabled", "1"),
        ("subnet-b", "langgraph-cloud-private", "1"),
        ("subnet-p", "langgraph-cloud-enabled", "1"),
        ("subnet-p", "langgraph-cloud-private", "0"),
        ("vpc-1", "langgraph-cloud-enabled", "1"),
    ]
    assert all(r.plain.keys() == {"resourceId", "key", "value"} for r in recording.custom)
    assert recording.only(TAG, "net-tag-subnet-p-langgraph-cloud-private")


def test_an_existing_network_that_is_not_to_be_tagged_is_only_read() -> None:
    recording = build(existing(tag=False))
    assert recording.custom == []
    assert [(call.token, call.args) for call in recording.calls] == [
        (GET_VPC, {"id": "vpc-1"}),
        (GET_SUBNETS, {"filters": [{"name": "vpc-id", "values": ["vpc-1"]}]}),
    ]
    outputs = outputs_of(recording, "byoc:index:Network")
    assert set(outputs) == annotated(Network)
    assert outputs == {
        "vpc_id": "vpc-1",
        "vpc_cidr": "172.16.0.0/16",
        "private_subnet_ids": ["subnet-a", "subnet-b"],
        "database_subnet_ids": ["subnet-a", "subnet-b"],
        "public_subnet_ids": ["subnet-p"],
    }


def test_the_order_of_given_subnets_does_not_change_what_is_made() -> None:
    one, other = (build(existing(private=order)) for order in (("subnet-a", "subnet-b"), ("subnet-b", "subnet-a")))
    assert {r.urn: r.plain for r in one.custom} == {r.urn: r.plain for r in other.custom}


def test_a_vpc_that_is_not_there_is_named_with_what_aws_said() -> None:
    with pytest.raises(ByocError, match=r"byoc:network\.vpcId\n.*vpc-1; AWS's answer: .*no matching EC2 VPC found"):
        build(existing(), {GET_VPC: failing("no matching EC2 VPC found")})


@pytest.mark.parametrize("off", ["enableDnsSupport", "enableDnsHostnames"])
def test_a_vpc_in_which_caches_cannot_be_found_by_name_is_refused_with_the_way_out(off: str) -> None:
    vpc = {**EXISTS[GET_VPC], off: False}
    with pytest.raises(ByocError, match=r"modify-vpc-attribute --vpc-id vpc-1"):
        build(existing(), {GET_VPC: vpc})


def test_a_subnet_of_another_vpc_is_refused_before_any_tag_is_written() -> None:
    network = existing(private=("subnet-a", "subnet-elsewhere"))
    with pytest.raises(
        ByocError, match=r"byoc:network\.privateSubnetIds\n +got: +subnet-elsewhere\n.*subnet-a, subnet-b"
    ):
        build(network)
