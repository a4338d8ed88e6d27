"""How tasks in private subnets reach AWS: a NAT gateway, endpoints, or something that cannot be seen from here."""

from __future__ import annotations

import ipaddress
from collections import defaultdict

from byoc.operations.doctor.asking import NoAnswer, silence_of
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.place import ANYWHERE, Door, Endpoint, NatGateway, Network, Subnet, default_routes

_AREA = Area.NETWORK
NEEDED_ENDPOINTS = ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
"""Interface endpoints without which a task does not start where there is no way to the internet (Amazon ECS docs)."""

_THROUGH_ENDPOINTS = (*NEEDED_ENDPOINTS, "s3")
_ELSEWHERE = ("tgw-", "pcx-", "vgw-", "eni-", "i-", "lgw-", "cagw-", "arn:", "nat-")
"""What may lead to the endpoints of another network, by the beginning of its id."""


def judge_ways_out(network: Network, private: tuple[Subnet, ...]) -> Check:
    """Whether images, secrets and logs are in reach of every private subnet."""
    name = "way out of private subnets"
    if silence := silence_of(subnet.routes for subnet in private):
        return silence.check(_AREA, name)
    found: dict[tuple[str, bool | None], list[str]] = defaultdict(list)
    for subnet in private:
        found[_out(network, subnet)].append(subnet.subnet_id)
    stuck, unsure = (
        [f"{', '.join(ids)}: {words}" for (words, verdict), ids in found.items() if verdict is sought]
        for sought in (False, None)
    )
    if stuck:
        return failed(
            _AREA,
            name,
            "; ".join(stuck),
            "give them a route to a NAT gateway in a public subnet; or endpoints for ecr.api, ecr.dkr, logs and "
            "secretsmanager (private DNS on, tcp 443 open to them) and a gateway endpoint for s3, whose policies allow "
            "what containers need",
        )
    if unsure:
        return unknown(
            _AREA,
            name,
            "; ".join(unsure),
            "ask who runs what the route leads to, or who wrote the endpoint's policy: image layers come from S3 by "
            "links that ECR has signed, so that a condition on who asks leaves them out",
        )
    return passed(_AREA, name, "; ".join(f"{len(ids)} by {words}" for (words, _), ids in found.items()))


def _out(network: Network, subnet: Subnet) -> tuple[str, bool | None]:
    """By what tasks of a subnet reach AWS, and whether it works: None where that cannot be seen from here."""
    words, verdict = _road(network, subnet)
    if verdict is False:
        return words, verdict
    hindrance, sure = _in_the_way(network, subnet)
    if hindrance and (sure or verdict):
        return f"{words}; {hindrance}", False if sure else None
    return words, verdict


def _road(network: Network, subnet: Subnet) -> tuple[str, bool | None]:
    for target in subnet.default_routes:
        if target.startswith("nat-"):
            return _by_nat(network, target)
        if target.startswith("igw-"):
            return f"{ANYWHERE} goes to {target}, and containers have no public address", False
        return f"{ANYWHERE} goes to {target}: what is beyond it cannot be seen from here", None
    if isinstance(network.endpoints, NoAnswer):
        return f"no route to {ANYWHERE}, and the endpoints are not known: {network.endpoints.why}", None
    return _by_endpoints(network, network.endpoints, subnet)


def _by_nat(network: Network, nat: str) -> tuple[str, bool | None]:
    if isinstance(network.nats, NoAnswer):
        return f"NAT gateway {nat}, whose state is not known: {network.nats.why}", None
    found = network.nats.get(nat)
    if found is None and network.shared:
        return f"NAT gateway {nat} of the account that shares {network.vpc_id}, which AWS does not show", None
    if found is None:
        return f"{nat} is gone", False
    if found.state != "available":
        return f"{nat} is {found.state}", False
    if found.private:
        return f"{nat} is a private NAT gateway: what is beyond it cannot be seen from here", None
    return _out_of_nat(nat, found)


def _out_of_nat(nat: str, found: NatGateway) -> tuple[str, bool | None]:
    """A NAT gateway sends on by the routes of its own subnet; a regional one needs none."""
    if isinstance(found.routes, NoAnswer):
        return f"NAT gateway {nat}, whose own routes are not known: {found.routes.why}", None
    targets = default_routes(found.routes)
    if not found.subnet_id or any(target.startswith("igw-") for target in targets):
        return f"NAT gateway {nat}", True
    if targets:
        return f"{nat} is in {found.subnet_id}, which sends on to {targets[0]}: what is beyond it is not seen", None
    return f"{nat} is in {found.subnet_id}, which has no route to an internet gateway", False


def _by_endpoints(network: Network, endpoints: tuple[Endpoint, ...], subnet: Subnet) -> tuple[str, bool | None]:
    missing = _without_endpoint(endpoints, subnet)
    if not missing:
        return "endpoints", True
    lost = " (its default route leads to what is gone)" if any(route.blackhole for route in subnet.known_routes) else ""
    told = f"no route to {ANYWHERE}{lost}, and no usable endpoint for {', '.join(missing)}"
    if network.shared:
        return f"{told}; those of the account that shares {network.vpc_id} AWS does not show", None
    beyond = [r.target for r in subnet.known_routes if r.target.startswith(_ELSEWHERE) and not r.blackhole]
    if beyond:
        return f"{told}; whether {', '.join(dict.fromkeys(beyond))} leads to them cannot be seen from here", None
    return told, False


def _in_the_way(network: Network, subnet: Subnet) -> tuple[str, bool]:
    """What endpoints keep from a subnet's containers, if anything, and whether that is certain.

    An endpoint takes its service's name or route for itself: what it does not let through, goes no other way.
    """
    if isinstance(network.endpoints, NoAnswer):
        return f"whether endpoints are in the way is not known: {network.endpoints.why}", False
    met = [
        each
        for each in network.endpoints
        if each.service in _THROUGH_ENDPOINTS and _is_usable(each) and (not each.gateway or _is_routed(each, subnet))
    ]
    closed, unsure = _closed(network, [each for each in met if not each.gateway], subnet)
    forbidden = [f"{each.service} ({', '.join(each.policy.denied)})" for each in met if each.policy.denied]
    unclear = [f"{each.service} ({', '.join(each.policy.unclear)})" for each in met if each.policy.unclear]
    certain = [
        *_told("no security group of the endpoint lets it in on tcp 443", closed),
        *_told("the policy of the endpoint does not allow what containers need", forbidden),
    ]
    if certain:
        return "; ".join(certain), True
    doubts = [
        *_told("whether security groups of endpoints let it in is not known", unsure),
        *_told("whether the policy of the endpoint allows it hangs on its conditions", unclear),
    ]
    return "; ".join(doubts), False


def _told(words: str, services: list[str]) -> list[str]:
    return [f"{words}: {', '.join(sorted(services))}"] if services else []


def _closed(network: Network, doors: list[Endpoint], subnet: Subnet) -> tuple[list[str], list[str]]:
    """The endpoints whose security groups do not let the subnet's containers in, and those of which it is not known."""
    closed, unsure = [], []
    for each in doors:
        if isinstance(each.https, NoAnswer):
            unsure.append(f"{each.service} ({each.https.why})")
            continue
        let_in = _lets_in(each.https, subnet, network.service_groups)
        if let_in is False:
            closed.append(each.service)
        elif let_in is None:
            unsure.append(f"{each.service} (in part)")
    return closed, unsure


def _lets_in(doors: tuple[Door, ...], subnet: Subnet, groups: frozenset[str]) -> bool | None:
    """Whether containers of a subnet are let in; None for a part of them, or by a list that is not read."""
    own = ipaddress.IPv4Network(subnet.cidr) if subnet.cidr else None
    unsure = False
    for door in doors:
        if door.source in groups:
            return True
        if door.prefix_list:
            unsure = True
        elif own is not None and "/" in door.source:
            block = ipaddress.IPv4Network(door.source, strict=False)
            if own.subnet_of(block):
                return True
            unsure = unsure or own.overlaps(block)
    return None if unsure else False


def _is_usable(endpoint: Endpoint) -> bool:
    return endpoint.state == "available" and (endpoint.gateway or endpoint.private_dns)


def _without_endpoint(endpoints: tuple[Endpoint, ...], subnet: Subnet) -> list[str]:
    """The services that a task of a subnet needs and does not reach through an endpoint."""
    usable = {each.service for each in endpoints if _is_usable(each)}
    missing = [service for service in NEEDED_ENDPOINTS if service not in usable]
    return missing if _reaches_s3(endpoints, subnet) else [*missing, "s3"]


def _reaches_s3(endpoints: tuple[Endpoint, ...], subnet: Subnet) -> bool:
    ways = [each for each in endpoints if each.service == "s3" and _is_usable(each)]
    return any(not each.gateway or _is_routed(each, subnet) for each in ways)


def _is_routed(gateway: Endpoint, subnet: Subnet) -> bool:
    """A gateway endpoint works through a route to its prefix list; AWS writes the route with the endpoint as target."""
    return any(route.target == gateway.endpoint_id and not route.blackhole for route in subnet.known_routes)
