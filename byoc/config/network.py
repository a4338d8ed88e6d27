"""The network of an account: made, or there already."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import PlainValidator, ValidationInfo, field_validator

from byoc.config.fields import (
    DISTINCT,
    EndpointName,
    PrivateSubnetIds,
    PublicSubnetIds,
    Switch,
    VpcCidr,
    VpcId,
    Whole,
    counted,
)
from byoc.config.problems import refuse
from byoc.config.section import Section, setting
from byoc.subnets import plan_subnets

LEAST_ZONES = 2
"""RDS subnet groups and application load balancers need two zones (AWS docs)."""
MOST_ZONES = 6
"""The largest region has six zones (AWS docs: us-east-1)."""
NO_NAT_ENDPOINTS = ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
"""What a Fargate task needs to start in a subnet without a route to the internet (AWS docs: "Amazon ECR interface VPC
endpoints"), beside the gateway endpoint of S3."""


def _zones(value: object) -> int | tuple[str, ...]:
    if isinstance(value, int) and not isinstance(value, bool):
        count, zones = value, value
    elif isinstance(value, list | tuple) and all(isinstance(zone, str) for zone in value):
        count, zones = len(value), tuple(value)  # type: ignore[assignment]
    else:
        count, zones = 0, 0
    if not LEAST_ZONES <= count <= MOST_ZONES:
        raise refuse(
            f"a number of zones from {LEAST_ZONES} to {MOST_ZONES}, or a list of so many zone names",
            "write zones: 3, or zones: [us-west-2a, us-west-2b]; RDS and load balancers need at least two",
        )
    if isinstance(zones, tuple) and len(set(zones)) < len(zones):
        raise refuse("every zone once", "remove the repetition")
    return zones


class CreateNetwork(Section):
    """A network that the stack makes (`kind: create`)."""

    kind: Literal["create"] = setting("The stack makes the network.", default="create")
    cidr: VpcCidr = setting(
        "The VPC's IPv4 block, /16 to /28; each zone needs two subnets of at least /28 in it. Private ranges are "
        "advised. A change replaces the network.",
        default="10.0.0.0/16",
    )
    zones: Annotated[int | tuple[str, ...], PlainValidator(_zones, json_schema_input_type=int | tuple[str, ...])] = (
        setting(
            "How many availability zones (2 to 6; the region's first ones are taken), or their names, such as "
            "`[us-west-2a, us-west-2b]`.",
            default=3,
        )
    )
    nat: Literal["single", "none", "per-zone"] = setting(
        "NAT gateways: `single` is one for all zones; `per-zone` survives the loss of a zone and costs one in each; "
        "`none` has no way to the internet, so images must be in ECR, and licence check and traces need a private way.",
        default="single",
    )
    s3_endpoint: Switch = setting("Whether a gateway endpoint for S3 is made; it costs nothing.", default=True)
    interface_endpoints: Annotated[tuple[EndpointName, ...], DISTINCT] = setting(
        "Short names of AWS services that get an interface endpoint in every private subnet, such as `ecr.api`; "
        "each is "
        "billed by the hour and zone. With `nat: none` at least `ecr.api`, `ecr.dkr`, `logs` and `secretsmanager`.",
        default=(),
        shown="none",
    )
    subnet_prefix_length: Annotated[Whole, counted(17, 28)] | None = setting(
        "Prefix length of the subnets, 17 to 28.", default=None, shown="24, or the largest that fit into a smaller VPC"
    )

    @field_validator("interface_endpoints")
    @classmethod
    def _start_without_nat(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Without NAT, tasks reach AWS only through endpoints."""
        if info.data.get("nat") != "none":
            return value
        missing = [name for name in NO_NAT_ENDPOINTS if name not in value]
        if missing or info.data.get("s3_endpoint") is False:
            wanted = [*missing, *(["s3Endpoint: true"] if info.data.get("s3_endpoint") is False else [])]
            raise refuse(
                f"with nat: none at least {', '.join(NO_NAT_ENDPOINTS)}, and s3Endpoint: true",
                f"add {', '.join(wanted)} (tasks could not pull images), or set network.nat to single",
            )
        return value

    @field_validator("subnet_prefix_length")
    @classmethod
    def _fit_the_vpc(cls, value: int | None, info: ValidationInfo) -> int | None:
        """The zones' subnets have room in the VPC."""
        cidr, zones = info.data.get("cidr"), info.data.get("zones")
        if cidr is None or zones is None:
            return value
        count = zones if isinstance(zones, int) else len(zones)
        try:
            plan_subnets(cidr, count, value)
        except ValueError as error:
            if value is None:
                raise refuse(str(error), "widen network.cidr or take fewer zones", key=("network", "cidr")) from None
            raise refuse(str(error), "change it, widen network.cidr, or leave it out") from None
        return value

    @property
    def zone_count(self) -> int:
        """How many zones the network spans."""
        return self.zones if isinstance(self.zones, int) else len(self.zones)


class ExistingNetwork(Section):
    """A network that is there already (`kind: existing`)."""

    kind: Literal["existing"] = setting("The network is there already.")
    vpc_id: VpcId = setting("The VPC.")
    private_subnet_ids: PrivateSubnetIds = setting(
        "Subnets for tasks and databases, in at least two zones, with a route to the internet or to the needed "
        "endpoints."
    )
    public_subnet_ids: PublicSubnetIds = setting(
        "Subnets for public load balancers, in at least two zones.",
        default=(),
        shown="none: load balancers are internal",
    )
    tag: Switch = setting(
        "Whether the VPC and the subnets get the documented tags, by which deployment stacks find them. `false` writes "
        "nothing at all to the network; deployment stacks then name the ids under `runtime`.",
        default=True,
    )


NetworkConfig = CreateNetwork | ExistingNetwork
