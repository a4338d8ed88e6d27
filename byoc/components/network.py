"""The network that deployments run in: made here, or one that exists already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from byoc.components.created_network import CreatedNetwork
from byoc.components.existing_network import tag_network, vpc_cidr
from byoc.components.network_spec import CreateNetwork, ExistingNetwork, Nat
from byoc.errors import ByocError, Problem
from byoc.naming import Names
from byoc.types import AwsAccount

__all__ = ["CreateNetwork", "ExistingNetwork", "Nat", "Network", "NetworkArgs"]


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Which network; by default a VPC over three zones with one NAT gateway."""

    account: AwsAccount
    names: Names
    network: CreateNetwork | ExistingNetwork = field(default_factory=CreateNetwork)


class Network(pulumi.ComponentResource):
    """A VPC with private subnets for tasks and databases, and public ones for load balancers.

    Tags are those of the documented AWS setup, by which deployments find the public subnets.

    Created: a destroy deletes all of it; it fails while something that others made still stands in the VPC. The VPC's
    own default security group is left as AWS makes it; nothing uses it. Adopted: the VPC is read, the documented
    tags are written unless ``tag`` is false, and a destroy takes away these tags.
    Raises ``ByocError`` if the region has fewer zones than wanted, or if the existing VPC cannot be used.
    """

    vpc_id: pulumi.Output[str]
    """The VPC."""
    vpc_cidr: pulumi.Output[str]
    """Its primary IPv4 range."""
    private_subnet_ids: pulumi.Output[Sequence[str]]
    """Where tasks run; known once there is a way out, so that a task made with them can pull its image."""
    database_subnet_ids: pulumi.Output[Sequence[str]]
    """The same subnets, for databases: these need no way out and take longest, so they should not wait for one."""
    public_subnet_ids: pulumi.Output[Sequence[str]]
    """Where internet-facing load balancers stand; known once the internet reaches them. May be empty if adopted."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Network", name, None, opts)
        if isinstance(args.network, CreateNetwork):
            self._create(name, args, args.network)
        else:
            self._adopt(name, args.network)
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "vpc_cidr": self.vpc_cidr,
                "private_subnet_ids": self.private_subnet_ids,
                "database_subnet_ids": self.database_subnet_ids,
                "public_subnet_ids": self.public_subnet_ids,
            }
        )

    def _create(self, name: str, args: NetworkArgs, spec: CreateNetwork) -> None:
        zones = self._first_zones(args.account, spec.zones) if isinstance(spec.zones, int) else spec.zones
        made = CreatedNetwork(self, name, account=args.account, names=args.names, spec=spec, zones=zones)
        self.vpc_id = made.vpc.id
        self.vpc_cidr = made.vpc.cidr_block
        self.private_subnet_ids = made.private_subnet_ids
        self.database_subnet_ids = made.database_subnet_ids
        self.public_subnet_ids = made.public_subnet_ids

    def _first_zones(self, account: AwsAccount, count: int) -> tuple[str, ...]:
        found = aws.get_availability_zones(
            # Local and wavelength zones have neither RDS nor Fargate. The zones' state is not asked for: a zone that is
            # impaired for an hour must not move a network to another one.
            filters=[aws.GetAvailabilityZonesFilterArgs(name="zone-type", values=["availability-zone"])],
            opts=pulumi.InvokeOptions(parent=self),
        )
        names = sorted(found.names)
        if len(names) < count:
            problem = Problem(
                key="byoc:network.zones",
                value=str(count),
                allowed=f"at most {len(names)} in {account.region}: {', '.join(names)}",
                remedy="ask for fewer zones, or use another region",
            )
            raise ByocError(f"the region has too few zones; nothing was created\n{problem.render()}")
        return tuple(names[:count])

    def _adopt(self, name: str, spec: ExistingNetwork) -> None:
        self.vpc_cidr = pulumi.Output.from_input(vpc_cidr(self, spec))
        if spec.tag:
            tag_network(self, name, spec)
        self.vpc_id = pulumi.Output.from_input(spec.vpc_id)
        self.private_subnet_ids = pulumi.Output.from_input(list(spec.private_subnet_ids))
        self.database_subnet_ids = self.private_subnet_ids
        self.public_subnet_ids = pulumi.Output.from_input(list(spec.public_subnet_ids))
