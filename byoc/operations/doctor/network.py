"""Whether a network serves: names, zones, room, ways out, and subnets that are what they are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from byoc import tags
from byoc.config import AccountConfig, CreateNetwork, ExistingNetwork
from byoc.operations.account import Account
from byoc.operations.doctor.acls import Passage, flows, known_rules, passage
from byoc.operations.doctor.asking import Absent, NoAnswer, known, silence_of
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.place import ANYWHERE, Network, Place, Several, Subnet
from byoc.operations.doctor.subject import Subject
from byoc.operations.doctor.ways_out import judge_ways_out

_AREA = Area.NETWORK
LEAST_ZONES = 2
"""RDS and load balancers take no fewer (AWS docs)."""
BALANCER_ADDRESSES = 8
"""Free addresses that a load balancer wants in each of its subnets (Elastic Load Balancing docs: subnets)."""

_DNS_SWITCHES = {"enableDnsSupport": "--enable-dns-support", "enableDnsHostnames": "--enable-dns-hostnames"}


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a stack asks of its network."""

    is_deployment: bool
    created: bool
    """Whether the stack makes the network itself."""
    tagging: bool
    """Whether the account stack writes the documented tags to a network that is there already."""
    internet_facing: bool
    containers: int
    """The most containers at once, during a rolling update."""
    databases: int
    """Addresses of databases, standbys included."""


def demand(subject: Subject) -> Demand:
    """What the stack asks of its network, from its config."""
    config, deployments = subject.config, subject.deployments.values()
    network = config.network if isinstance(config, AccountConfig) else None
    return Demand(
        is_deployment=subject.is_deployment,
        created=isinstance(network, CreateNetwork),
        tagging=isinstance(network, ExistingNetwork) and network.tag,
        internet_facing=any(section.ingress.scheme == "internet-facing" for section, _ in deployments),
        containers=sum(
            section.most_tasks + (1 if secrets.redis_uri_custom is None else 0) for section, secrets in deployments
        ),
        databases=sum(
            1 + section.database.multi_zone for section, secrets in deployments if secrets.postgres_uri_custom is None
        ),
    )


def judged(subject: Subject, place: Place) -> tuple[Check, ...]:
    """Judge the network; ask for the region's zones where it is still to be made."""
    checks = judge_place(place, demand(subject), subject.names.prefix)
    config = subject.config
    if not isinstance(place, Absent) or not isinstance(config, AccountConfig):
        return checks
    if not isinstance(config.network, CreateNetwork):
        return checks
    wanted = config.network.zones
    return (*checks, judge_zones(wanted, known(lambda: _available_zones(subject.account)), config.region))


def _available_zones(account: Account) -> tuple[str, ...]:
    filters = [{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
    zones = account.all("ec2:DescribeAvailabilityZones", "AvailabilityZones", Filters=filters)
    return tuple(sorted(zone["ZoneName"] for zone in zones))


def judge_zones(wanted: int | tuple[str, ...], there: tuple[str, ...] | Absent | NoAnswer, region: str) -> Check:
    """Whether the account has the zones of a network that is still to be made: so many, or these."""
    name = "zones of the region"
    if isinstance(there, NoAnswer):
        return there.check(_AREA, name)
    open_ = () if isinstance(there, Absent) else there
    told = f"{region} has {len(open_)} for this account: {', '.join(open_) or 'none'}"
    missing = [zone for zone in wanted if zone not in open_] if isinstance(wanted, tuple) else []
    if missing:
        return failed(_AREA, name, f"{told}; not {', '.join(missing)}", "name others in byoc:network.zones")
    if isinstance(wanted, int) and len(open_) < wanted:
        return failed(_AREA, name, f"{told}; {wanted} are wanted", "lower byoc:network.zones")
    return passed(_AREA, name, told)


def judge_place(place: Place, wanted: Demand, prefix: str) -> tuple[Check, ...]:
    """All checks of a network; while there is none, one that says whose it would be."""
    if isinstance(place, NoAnswer):
        return (place.check(_AREA, "VPC"),)
    if isinstance(place, Absent):
        return (_absent(wanted, prefix),)
    if isinstance(place, Several):
        ids = ", ".join(place.vpc_ids)
        return (
            failed(
                _AREA,
                "VPC",
                f"{len(place.vpc_ids)} VPCs are of install {prefix}: {ids}",
                "remove the one of an earlier install, or name one under byoc:runtime.vpcId",
            ),
        )
    return tuple(_judge(place, wanted))


def _absent(wanted: Demand, prefix: str) -> Check:
    if wanted.created:
        return passed(_AREA, "VPC", "is not there yet: up makes it")
    if wanted.is_deployment:
        return failed(
            _AREA,
            "VPC",
            f"the runtime of install {prefix} is not there: no security group {prefix}-service-sg, or no DB subnet "
            f"group {prefix}-db-subnet-group",
            "bring the account stack up first; or correct byoc:namePrefix or byoc:region, or name ids in byoc:runtime",
        )
    return failed(
        _AREA,
        "VPC",
        "AWS knows no VPC or subnet of one of the ids in byoc:network",
        "correct vpcId, privateSubnetIds and publicSubnetIds, or byoc:region",
    )


def _judge(network: Network, wanted: Demand) -> Iterator[Check]:
    private, public = network.of_kind(public=False), network.of_kind(public=True)
    if strangers := [subnet.subnet_id for subnet in network.subnets if subnet.vpc_id != network.vpc_id]:
        remedy = "give subnets of one VPC: vpcId, privateSubnetIds and publicSubnetIds"
        yield failed(_AREA, "VPC", f"not in {network.vpc_id}: {', '.join(strangers)}", remedy)
        return
    owner = ", shared by another account" if network.shared else ""
    yield passed(_AREA, "VPC", f"{network.vpc_id}, {', '.join(network.cidrs)}{owner}")
    yield _dns(network)
    yield _zones("private", private)
    if public or wanted.internet_facing:
        yield _zones("public", public)
    yield _room(network, private, wanted)
    yield _private_ones(private)
    if public:
        yield _public_ones(public)
    yield judge_ways_out(network, private)
    yield _acls(network, wanted)
    yield _tags(network, wanted)


def _dns(network: Network) -> Check:
    if isinstance(network.dns, NoAnswer):
        return network.dns.check(_AREA, "DNS")
    off = [name for name, on in network.dns.items() if not on]
    if off:
        return failed(
            _AREA,
            "DNS",
            f"off in {network.vpc_id}: {', '.join(off)}; caches and endpoints are found by name",
            " && ".join(
                f"aws ec2 modify-vpc-attribute --vpc-id {network.vpc_id} {_DNS_SWITCHES[name]}" for name in off
            ),
        )
    return passed(_AREA, "DNS", "enableDnsSupport and enableDnsHostnames are on")


def _zones(kind: str, subnets: tuple[Subnet, ...]) -> Check:
    name = f"zones of {kind} subnets"
    zones = sorted({subnet.zone for subnet in subnets})
    told = f"{len(subnets)} {kind} subnets in {len(zones)} zones" + (f": {', '.join(zones)}" if zones else "")
    if len(zones) < LEAST_ZONES:
        return failed(_AREA, name, told, f"give {kind} subnets in two zones or more: RDS and load balancers need them")
    return passed(_AREA, name, told)


def _room(network: Network, private: tuple[Subnet, ...], wanted: Demand) -> Check:
    name = "free addresses"
    balanced = network.of_kind(public=True) if wanted.internet_facing else private
    small = [subnet for subnet in balanced if subnet.free < BALANCER_ADDRESSES and not network.balancer_there]
    free = sum(subnet.free for subnet in private)
    needed = max(0, wanted.containers - network.running) + (0 if network.balancer_there else wanted.databases)
    told = f"{free} free in the private subnets; containers and databases need {needed} more at most"
    if small:
        tight = ", ".join(f"{subnet.subnet_id} ({subnet.free})" for subnet in small)
        return failed(
            _AREA,
            name,
            f"{told}; fewer than {BALANCER_ADDRESSES} are free in {tight}",
            "a load balancer needs 8 in each of its subnets: free some, or give larger subnets",
        )
    if free < needed:
        return failed(_AREA, name, told, "free some, give larger subnets, or lower size.maxContainers")
    return passed(_AREA, name, told)


def _private_ones(private: tuple[Subnet, ...]) -> Check:
    if silence := silence_of(subnet.routes for subnet in private):
        return silence.check(_AREA, "private subnets")
    ways = {
        subnet.subnet_id: [
            r.destination for r in subnet.known_routes if r.target.startswith("igw-") and not r.blackhole
        ]
        for subnet in private
    }
    if open_ := [subnet_id for subnet_id, destinations in ways.items() if destinations]:
        routes = dict.fromkeys(destination for destinations in ways.values() for destination in destinations)
        return failed(
            _AREA,
            "private subnets",
            f"{', '.join(open_)}: {', '.join(routes)} goes to an internet gateway",
            "give them a route table whose way out is a NAT gateway, or name other subnets",
        )
    return passed(_AREA, "private subnets", f"none of {len(private)} has a route to an internet gateway")


def _public_ones(public: tuple[Subnet, ...]) -> Check:
    if silence := silence_of(subnet.routes for subnet in public):
        return silence.check(_AREA, "public subnets")
    others = {
        s.subnet_id: s.default_routes for s in public if not any(each.startswith("igw-") for each in s.default_routes)
    }
    closed = [
        subnet_id for subnet_id, targets in others.items() if not any(each.startswith("vpce-") for each in targets)
    ]
    if closed:
        return failed(
            _AREA,
            "public subnets",
            f"{', '.join(closed)}: {ANYWHERE} does not go to an internet gateway",
            "give them a route to the VPC's internet gateway, or name other subnets",
        )
    if others:
        through = "; ".join(f"{subnet_id}: {ANYWHERE} goes to {targets[0]}" for subnet_id, targets in others.items())
        words = f"{through}, a firewall's endpoint: what is beyond it cannot be seen from here"
        return unknown(_AREA, "public subnets", words, "ask who runs the firewall")
    return passed(_AREA, "public subnets", f"all {len(public)} have a route to an internet gateway")


def _acls(network: Network, wanted: Demand) -> Check:
    name = "network ACLs"
    found: dict[Passage, list[str]] = {Passage.CLOSED: [], Passage.IN_PART: []}
    asked = 0
    facts = [part for subnet in network.subnets for part in (subnet.rules, subnet.routes)]
    if silence := silence_of([*facts, network.nats]):
        return silence.check(_AREA, name)
    for subnet in network.subnets:
        for flow in flows(network, subnet, internet_facing=wanted.internet_facing):
            asked += 1
            result = passage(known_rules(subnet), flow)
            if result is not Passage.OPEN:
                first, last = flow.ports
                ports = str(first) if first == last else f"{first}-{last}"
                way = "to" if flow.outbound else "from"
                found[result].append(f"{subnet.subnet_id}: {flow.words} (tcp {ports} {way} {flow.cidr})")
    if found[Passage.CLOSED]:
        return failed(_AREA, name, f"closed: {'; '.join(found[Passage.CLOSED])}", "let it through in the network ACL")
    if found[Passage.IN_PART]:
        return unknown(
            _AREA, name, f"open in part: {'; '.join(found[Passage.IN_PART])}", "see that what is open is enough"
        )
    return passed(_AREA, name, f"open for all {asked} flows of {len(network.subnets)} subnets")


def _tags(network: Network, wanted: Demand) -> Check:
    name = "documented tags"
    lacking = []
    if network.tags.get(tags.ENABLED_KEY) != "1":
        lacking.append(f"{network.vpc_id}: {tags.ENABLED_KEY}=1")
    for subnet in network.subnets:
        expected = tags.PUBLIC_SUBNET if subnet.public else tags.PRIVATE_SUBNET
        missing = [f"{key}={value}" for key, value in expected.items() if subnet.tags.get(key) != value]
        if missing:
            lacking.append(f"{subnet.subnet_id}: {', '.join(missing)}")
    if not lacking:
        return passed(_AREA, name, f"on the VPC and on {len(network.subnets)} subnets")
    told = f"not there: {'; '.join(lacking)}"
    if wanted.created:
        return failed(_AREA, name, told, "run up: it writes them; see who took them off")
    if wanted.tagging:
        return passed(_AREA, name, f"{told}; up writes them")
    return passed(_AREA, name, f"{told}; subnets are named by id or by the DB subnet group, and nothing needs the tags")
