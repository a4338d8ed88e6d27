"""Only what was asked for is open to the internet: HTTPS at load balancers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from byoc.naming import Names
from byoc.policy.facts import Resource, Settings, Violation, referred, violation
from byoc.policy.openings import ANY_PROTOCOL, GROUP, Opening, is_everyone, openings_of

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LOAD_BALANCER_GROUP = Names("").load_balancer_security_group
"""How the name of the group of load balancers ends, whatever the install's prefix."""
HTTPS_PORT = 443


def only_open_ports(resource: Resource, settings: Settings) -> Iterator[Violation]:
    """What is open to everyone is TCP on one of ``openPorts``, by default 443."""
    allowed_ports = [int(port) for port in settings.get("openPorts", [HTTPS_PORT])]
    for opening in openings_of([resource]):
        for key, source in opening.addresses:
            if is_everyone(source) and not _is_within(opening, allowed_ports):
                yield violation(
                    resource,
                    key,
                    f"{source}, with {_what(opening)}",
                    allowed=f"TCP on {_listed(allowed_ports)} is all that may be open to everyone",
                    remedy="name the addresses or the security group that need it; for load balancers "
                    "byoc:runtime.loadBalancer.allowedCidrs",
                )


def _is_within(opening: Opening, allowed: Sequence[int]) -> bool:
    """Also true of what a preview does not know yet: the update asks again."""
    ports = opening.ports
    if ports is None:
        return True
    return opening.protocol in ("tcp", "6") and ports[0] == ports[1] and ports[0] in allowed


def _what(opening: Opening) -> str:
    ports = opening.ports
    if opening.protocol == ANY_PROTOCOL or ports is None:
        return "every protocol and port"
    return f"{opening.protocol} {ports[0]}" if ports[0] == ports[1] else f"{opening.protocol} {ports[0]} to {ports[1]}"


def _listed(ports: Sequence[int]) -> str:
    return ", ".join(str(port) for port in ports) or "no port"


def only_at_load_balancers(resources: Sequence[Resource], settings: Settings) -> Iterator[Violation]:  # noqa: ARG001
    """What is open to everyone is a group of load balancers: named so, or worn by one of the stack."""
    for opening in openings_of(resources):
        for key, source in opening.addresses:
            if not is_everyone(source):
                continue
            for group in opening.groups(resources):
                if not _is_for_load_balancers(resources, group):
                    yield violation(
                        opening.resource,
                        key,
                        f"{source} into {group.name}, which is no group of load balancers",
                        allowed=f"a group that a load balancer wears, or whose name ends in {LOAD_BALANCER_GROUP}",
                        remedy="put a load balancer before it, and open that one's group",
                    )


def _is_for_load_balancers(resources: Sequence[Resource], group: Resource) -> bool:
    name = group.get("name")
    if isinstance(name, str) and name.endswith(LOAD_BALANCER_GROUP):
        return True
    balancers = (resource for resource in resources if resource.type == BALANCER)
    return any(group in referred(resources, balancer, "securityGroups", GROUP) for balancer in balancers)
