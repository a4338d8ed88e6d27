"""How tasks in private subnets reach AWS: a NAT gateway, endpoints, or something that cannot be seen from here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from byoc.operations.doctor.asking import NoAnswer, silence_of
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.place import ANYWHERE, Endpoint, Network, Subnet

_AREA = Area.NETWORK
NEEDED_ENDPOINTS = ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
"""Interface endpoints without which a task does not start where there is no way to the internet (Amazon ECS docs)."""


def judge_ways_out(network: Network, private: tuple[Subnet, ...]) -> Check:
    """Whether images, secrets and logs are in reach of every private subnet."""
    name = "way out of private subnets"
    if silence := silence_of(subnet.routes for subnet in private):
        return silence.check(_AREA, name)
    by: Counter[str] = Counter()
    stuck, unsure = [], []
    for subnet in private:
        words, verdict = _out(network, subnet)
        by[words] += 1
        if verdict is False:
            stuck.append(f"{subnet.subnet_id}: {words}")
        elif verdict is None:
            unsure.append(f"{subnet.subnet_id}: {words}")
    if stuck:
        return failed(
            _AREA,
            name,
            "; ".join(stuck),
            "add a route to a NAT gateway, or endpoints for ecr.api, ecr.dkr, logs, secretsmanager (private DNS on) "
            "and a gateway endpoint for s3",
        )
    if unsure:
        return unknown(_AREA, name, "; ".join(unsure), "ask who runs what the route leads to")
    return passed(_AREA, name, "; ".join(f"{count} by {words}" for words, count in by.items()))


def _out(network: Network, subnet: Subnet) -> tuple[str, bool | None]:
    """By what tasks of a subnet reach AWS, and whether it works: None where that cannot be seen from here."""
    for target in subnet.default_routes:
        if target.startswith("nat-"):
            return _by_nat(network.nat_states, target)
        if target.startswith("igw-"):
            return f"{ANYWHERE} goes to {target}, and containers have no public address", False
        return f"{ANYWHERE} goes to {target}: what is beyond it cannot be seen from here", None
    if isinstance(network.endpoints, NoAnswer):
        return f"no route to {ANYWHERE}, and the endpoints are not known: {network.endpoints.why}", None
    missing = _without_endpoint(network.endpoints, subnet)
    if not missing:
        return "endpoints", True
    lost = " (its default route leads to what is gone)" if any(route.blackhole for route in subnet.known_routes) else ""
    return f"no route to {ANYWHERE}{lost}, and no usable endpoint for {', '.join(missing)}", False


def _by_nat(states: Mapping[str, str] | NoAnswer, nat: str) -> tuple[str, bool | None]:
    if isinstance(states, NoAnswer):
        return f"NAT gateway {nat}, whose state is not known: {states.why}", None
    state = states.get(nat, "gone")
    return (f"NAT gateway {nat}", True) if state == "available" else (f"{nat} is {state}", False)


def _without_endpoint(endpoints: tuple[Endpoint, ...], subnet: Subnet) -> list[str]:
    """The services that a task of a subnet needs and does not reach through an endpoint."""
    usable = {each.service for each in endpoints if each.state == "available" and (each.gateway or each.private_dns)}
    missing = [service for service in NEEDED_ENDPOINTS if service not in usable]
    return missing if "s3" in usable and _reaches_s3(endpoints, subnet) else [*missing, "s3"]


def _reaches_s3(endpoints: tuple[Endpoint, ...], subnet: Subnet) -> bool:
    if any(each.service == "s3" and not each.gateway and each.private_dns for each in endpoints):
        return True
    # A gateway endpoint works through a route to its prefix list; AWS writes the route with the endpoint as target.
    return any(route.target.startswith("vpce-") and not route.blackhole for route in subnet.known_routes)
