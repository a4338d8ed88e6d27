"""No database can be reached from outside the install."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from byoc import tags
from byoc.naming import Names
from byoc.policy.facts import Resource, Settings, Violation, referred, violation
from byoc.policy.openings import GROUP, Opening, openings_of

INSTANCE = "aws:rds/instance:Instance"
DATABASES = (INSTANCE, "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance")
SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"
SUBNET = "aws:ec2/subnet:Subnet"
ROUTE = "aws:ec2/route:Route"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
INTERNET_GATEWAY = "aws:ec2/internetGateway:InternetGateway"

DATA_GROUP = Names("").data_security_group
"""How the name of the group of databases and caches ends, whatever the install's prefix."""
SERVICE_GROUP = Names("").service_security_group
"""How the name of the group of the install's servers ends."""


def not_public(resource: Resource, settings: Settings) -> Iterator[Violation]:  # noqa: ARG001 - every rule is given them
    """A database has no public address (AWS docs: "Hiding a DB instance in a VPC from the internet")."""
    if resource.type in DATABASES and resource.get("publiclyAccessible") is True:
        yield violation(
            resource,
            "publiclyAccessible",
            True,
            allowed="false: a database is reached from inside its VPC alone",
            remedy="leave it out or set it to false; people reach it through a bastion host or a VPN",
        )


def in_private_subnets(resources: Sequence[Resource], settings: Settings) -> Iterator[Violation]:  # noqa: ARG001
    """The subnets of a database give no public addresses, have no route to an internet gateway, and are not tagged as
    public ones.
    """
    for group in (resource for resource in resources if resource.type == SUBNET_GROUP):
        for subnet in referred(resources, group, "subnetIds", SUBNET):
            reason = _why_public(resources, subnet)
            if reason:
                yield violation(
                    group,
                    "subnetIds",
                    f"the subnet {subnet.name}, which is public: {reason}",
                    allowed="private subnets: no public addresses and no route to an internet gateway",
                    remedy="give the group the private subnets of the VPC",
                )


def _why_public(resources: Sequence[Resource], subnet: Resource) -> str | None:
    if subnet.get("mapPublicIpOnLaunch") is True:
        return "mapPublicIpOnLaunch is true"
    carried = subnet.get("tags")
    if isinstance(carried, dict) and carried.get(tags.PRIVATE_KEY) == tags.PUBLIC_SUBNET[tags.PRIVATE_KEY]:
        return f"its tag {tags.PRIVATE_KEY} is {carried[tags.PRIVATE_KEY]}"
    for association in (resource for resource in resources if resource.type == ASSOCIATION):
        if subnet not in referred(resources, association, "subnetId", SUBNET):
            continue
        for table in referred(resources, association, "routeTableId", ROUTE_TABLE):
            if _leads_out(resources, table):
                return f"its route table {table.name} has a route to an internet gateway"
    return None


def _leads_out(resources: Sequence[Resource], table: Resource) -> bool:
    inside = [route for route in table.items("routes") if isinstance(route, dict)]
    if any(_is_internet_gateway(route.get("gatewayId")) for route in inside):
        return True
    return any(
        table in referred(resources, route, "routeTableId", ROUTE_TABLE)
        and (
            _is_internet_gateway(route.get("gatewayId"))
            or any(True for _ in referred(resources, route, "gatewayId", INTERNET_GATEWAY))
        )
        for route in resources
        if route.type == ROUTE
    )


def _is_internet_gateway(identifier: object) -> bool:
    return isinstance(identifier, str) and identifier.startswith("igw-")


def open_to_servers_alone(resources: Sequence[Resource], settings: Settings) -> Iterator[Violation]:  # noqa: ARG001
    """What goes into the security group of a database comes from the group of the install's servers, or from the group
    itself.
    """
    data_groups = [group for group in resources if group.type == GROUP and _holds_data(resources, group)]
    for opening in openings_of(resources):
        for group in opening.groups(resources):
            if group in data_groups:
                yield from _too_open(resources, opening, group)


def _holds_data(resources: Sequence[Resource], group: Resource) -> bool:
    if _ends_in(group, DATA_GROUP):
        return True
    databases = (resource for resource in resources if resource.type in DATABASES)
    return any(group in referred(resources, database, "vpcSecurityGroupIds", GROUP) for database in databases)


def _ends_in(group: Resource, suffix: str) -> bool:
    name = group.get("name")
    return isinstance(name, str) and name.endswith(suffix)


def _too_open(resources: Sequence[Resource], opening: Opening, group: Resource) -> Iterator[Violation]:
    allowed = f"the group of the install's servers (its name ends in {SERVICE_GROUP}), or {group.name} itself"
    for key, source in opening.addresses:
        yield violation(
            opening.resource,
            key,
            f"{source} may reach the databases in {group.name}",
            allowed=allowed,
            remedy="name a security group as the source, not addresses",
        )
    for source_group in opening.source_groups(resources):
        if source_group is not group and not _ends_in(source_group, SERVICE_GROUP):
            yield violation(
                opening.resource,
                opening.source_key,
                f"{source_group.name} may reach the databases in {group.name}",
                allowed=allowed,
                remedy="run what needs the database as one of the install's servers",
            )
