"""A VPC that exists already: looked at, tagged if so asked, otherwise left alone."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.components.network_spec import ExistingNetwork
from byoc.errors import ByocError, Problem


def vpc_cidr(parent: pulumi.Resource, spec: ExistingNetwork) -> str:
    """The primary IPv4 range of the VPC, which is found fit for use.

    Raises ``ByocError`` if there is no such VPC, if it does not resolve Cloud Map's names, or if a given subnet is not
    in it. Whether the subnets have a way out is not looked at.
    """
    opts = pulumi.InvokeOptions(parent=parent)
    try:
        vpc = aws.ec2.get_vpc(id=spec.vpc_id, opts=opts)
    except Exception as error:  # an invoke raises nothing narrower
        raise _unusable(
            "vpcId",
            f"{spec.vpc_id}; AWS's answer: {error}",
            "the id of a VPC of byoc:accountId in byoc:region",
            "look it up with: aws ec2 describe-vpcs",
        ) from error
    if vpc.enable_dns_support is False or vpc.enable_dns_hostnames is False:
        raise _unusable(
            "vpcId",
            f"{spec.vpc_id}, with DNS support {_on(vpc.enable_dns_support)}, hostnames {_on(vpc.enable_dns_hostnames)}",
            "a VPC with both DNS attributes on, or tasks cannot find their cache",
            f"aws ec2 modify-vpc-attribute --vpc-id {spec.vpc_id} --enable-dns-support (and: --enable-dns-hostnames)",
        )
    found = aws.ec2.get_subnets(filters=[aws.ec2.GetSubnetsFilterArgs(name="vpc-id", values=[spec.vpc_id])], opts=opts)
    for key, given in (("privateSubnetIds", spec.private_subnet_ids), ("publicSubnetIds", spec.public_subnet_ids)):
        strangers = [subnet_id for subnet_id in given if subnet_id not in found.ids]
        if strangers:
            raise _unusable(
                key,
                ", ".join(strangers),
                f"subnets of {spec.vpc_id}: {', '.join(sorted(found.ids)) or 'it has none'}",
                "give subnets of that VPC, or another byoc:network.vpcId",
            )
    return str(vpc.cidr_block)


def tag_network(parent: pulumi.Resource, name: str, spec: ExistingNetwork) -> None:
    """Write the documented tags on the VPC and the given subnets: a resource per tag, so that no other is touched."""
    _tag(parent, name, spec.vpc_id, tags.ENABLED)
    for subnet_id in spec.private_subnet_ids:
        _tag(parent, name, subnet_id, tags.PRIVATE_SUBNET)
    for subnet_id in spec.public_subnet_ids:
        _tag(parent, name, subnet_id, tags.PUBLIC_SUBNET)


def _tag(parent: pulumi.Resource, name: str, resource_id: str, wanted: Mapping[str, str]) -> None:
    for key, value in wanted.items():
        aws.ec2.Tag(
            f"{name}-tag-{resource_id}-{key}",
            resource_id=resource_id,
            key=key,
            value=value,
            opts=pulumi.ResourceOptions(parent=parent),
        )


def _on(attribute: bool) -> str:
    return "on" if attribute else "off"


def _unusable(key: str, got: str, allowed: str, remedy: str) -> ByocError:
    problem = Problem(key=f"byoc:network.{key}", value=got, allowed=allowed, remedy=remedy)
    return ByocError(f"the existing network cannot be used; nothing of it was changed\n{problem.render()}")
