"""A VPC with its subnets, ways in and out, and endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.components.flow import after
from byoc.components.network_spec import CreateNetwork, Nat
from byoc.naming import Names
from byoc.subnets import plan_subnets
from byoc.types import AwsAccount

ANYWHERE = "0.0.0.0/0"


class CreatedNetwork:
    """The resources of a network of one's own, as children of ``parent``.

    Everything of a zone is named by the zone, so that another zone more or less leaves the rest as it is.
    """

    def __init__(
        self,
        parent: pulumi.Resource,
        name: str,
        *,
        account: AwsAccount,
        names: Names,
        spec: CreateNetwork,
        zones: Sequence[str],
    ) -> None:
        self._parent = parent
        self._name = name
        self._names = names
        self._child = pulumi.ResourceOptions(parent=parent)
        plan = plan_subnets(spec.cidr, len(zones), spec.subnet_prefix_length)
        self.vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=spec.cidr,
            # Both are needed for Cloud Map names and for the private names of endpoints.
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": names.prefix, **tags.ENABLED},
            opts=self._child,
        )
        self.private = self._subnets("private", tags.PRIVATE_SUBNET, dict(zip(zones, plan.private, strict=True)))
        self.public = self._subnets("public", tags.PUBLIC_SUBNET, dict(zip(zones, plan.public, strict=True)))
        self._gateway = aws.ec2.InternetGateway(
            f"{name}-internet-gateway", vpc_id=self.vpc.id, tags=self._named("internet-gateway"), opts=self._child
        )
        self._public_ready = self._public_routes()
        tables, self._private_ready = self._private_routes(spec.nat)
        self._private_ready += self._endpoints(account, spec, tables)

    @property
    def public_subnet_ids(self) -> pulumi.Output[Sequence[str]]:
        """Of the public subnets, for use once they are reached from the internet."""
        return after(pulumi.Output.all(*(subnet.id for subnet in self.public.values())), self._public_ready)

    @property
    def private_subnet_ids(self) -> pulumi.Output[Sequence[str]]:
        """Of the private subnets, for use once there is a way out of them."""
        return after(self.database_subnet_ids, self._private_ready)

    @property
    def database_subnet_ids(self) -> pulumi.Output[Sequence[str]]:
        """Of the private subnets, for what needs no way out."""
        return pulumi.Output.all(*(subnet.id for subnet in self.private.values()))

    def _named(self, role: str) -> dict[str, str]:
        return {"Name": f"{self._names.prefix}-{role}"}

    def _subnets(self, kind: str, kind_tags: Mapping[str, str], cidrs: Mapping[str, str]) -> dict[str, aws.ec2.Subnet]:
        return {
            zone: aws.ec2.Subnet(
                f"{self._name}-{kind}-{zone}",
                vpc_id=self.vpc.id,
                availability_zone=zone,
                cidr_block=cidr,
                # Load balancers and NAT gateways bring their own addresses; nothing else belongs into a public subnet.
                map_public_ip_on_launch=False,
                tags={**self._named(f"{kind}-{zone}"), **kind_tags},
                opts=self._child,
            )
            for zone, cidr in cidrs.items()
        }

    def _table(self, role: str) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(
            f"{self._name}-{role}-routes", vpc_id=self.vpc.id, tags=self._named(f"{role}-routes"), opts=self._child
        )

    def _associate(self, kind: str, zone: str, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable) -> pulumi.Resource:
        return aws.ec2.RouteTableAssociation(
            f"{self._name}-{kind}-{zone}-association", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
        )

    def _public_routes(self) -> list[pulumi.Resource]:
        table = self._table("public")
        out = aws.ec2.Route(
            f"{self._name}-public-internet",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=self._gateway.id,
            opts=self._child,
        )
        return [out, *(self._associate("public", zone, subnet, table) for zone, subnet in self.public.items())]

    def _private_routes(self, nat: Nat) -> tuple[list[aws.ec2.RouteTable], list[pulumi.Resource]]:
        """The private route tables, and what must exist before private subnets have their way out.

        All zones share one table, unless each has a NAT gateway of its own.
        """
        zones = list(self.private)
        members = {f"private-{zone}": [zone] for zone in zones} if nat is Nat.PER_ZONE else {"private": zones}
        tables: list[aws.ec2.RouteTable] = []
        ready: list[pulumi.Resource] = []
        for role, served in members.items():
            table = self._table(role)
            tables.append(table)
            ready += [self._associate("private", zone, self.private[zone], table) for zone in served]
            if nat is not Nat.NONE:
                ready.append(self._nat_route(role, table, self._nat_gateway(served[0])))
        return tables, ready

    def _nat_route(self, role: str, table: aws.ec2.RouteTable, gateway: aws.ec2.NatGateway) -> pulumi.Resource:
        return aws.ec2.Route(
            f"{self._name}-{role}-internet",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            nat_gateway_id=gateway.id,
            opts=self._child,
        )

    def _nat_gateway(self, zone: str) -> aws.ec2.NatGateway:
        # AWS docs, "NAT gateway basics" and the AWS provider: the internet gateway must be attached before, and can
        # be detached only after, the address and the NAT gateway; no property says so.
        after_gateway = pulumi.ResourceOptions(parent=self._parent, depends_on=[self._gateway])
        address = aws.ec2.Eip(
            f"{self._name}-nat-{zone}", domain="vpc", tags=self._named(f"nat-{zone}"), opts=after_gateway
        )
        return aws.ec2.NatGateway(
            f"{self._name}-nat-{zone}",
            subnet_id=self.public[zone].id,
            allocation_id=address.id,
            tags=self._named(f"nat-{zone}"),
            opts=after_gateway,
        )

    def _endpoints(
        self, account: AwsAccount, spec: CreateNetwork, tables: Sequence[aws.ec2.RouteTable]
    ) -> list[pulumi.Resource]:
        made: list[pulumi.Resource] = []
        if spec.s3_endpoint:
            made.append(
                aws.ec2.VpcEndpoint(
                    f"{self._name}-endpoint-s3",
                    vpc_id=self.vpc.id,
                    vpc_endpoint_type="Gateway",
                    service_name=service_name(account, "s3"),
                    route_table_ids=[table.id for table in tables],
                    tags=self._named("endpoint-s3"),
                    opts=self._child,
                )
            )
        if spec.interface_endpoints:
            group, opening = self._endpoint_group(spec.cidr)
            made.append(opening)
            made += [
                aws.ec2.VpcEndpoint(
                    f"{self._name}-endpoint-{service}",
                    vpc_id=self.vpc.id,
                    vpc_endpoint_type="Interface",
                    service_name=service_name(account, service),
                    subnet_ids=[subnet.id for subnet in self.private.values()],
                    security_group_ids=[group.id],
                    private_dns_enabled=True,
                    tags=self._named(f"endpoint-{service}"),
                    opts=self._child,
                )
                for service in dict.fromkeys(spec.interface_endpoints)
            ]
        return made

    def _endpoint_group(self, cidr: str) -> tuple[aws.ec2.SecurityGroup, pulumi.Resource]:
        group = aws.ec2.SecurityGroup(
            f"{self._name}-endpoints-sg",
            description="Security group for LangGraph Cloud VPC endpoints",
            vpc_id=self.vpc.id,
            tags=self._named("endpoints-sg"),
            opts=self._child,
        )
        opening = aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-endpoints-https",
            security_group_id=group.id,
            description="HTTPS from the VPC",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=cidr,
            opts=self._child,
        )
        return group, opening


def service_name(account: AwsAccount, service: str) -> str:
    """The name of an endpoint service: ``service`` by its short name, or whole already."""
    if service.startswith(("com.", "cn.com.")):
        return service
    return f"com.amazonaws.{account.region}.{service}"
