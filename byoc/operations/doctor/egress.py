"""The hosts outside AWS that a deployment calls: whether it reaches them cannot be seen from outside its subnets."""

from __future__ import annotations

from urllib.parse import urlsplit

from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.checks import Area, Check, failed, unknown
from byoc.operations.doctor.place import ANYWHERE, Network, Place
from byoc.operations.doctor.subject import Subject

_AREA = Area.EGRESS
LICENCE_HOST = "beacon.langchain.com"
"""Where the server checks its licence (LangGraph docs: egress)."""


def hosts(subject: Subject) -> tuple[str, ...]:
    """The hosts that the stack's deployments call over HTTPS."""
    found = []
    for section, _ in subject.deployments.values():
        found.append(LICENCE_HOST)
        if section.tracing.enabled:
            found.append(urlsplit(section.tracing.endpoint_url).hostname or "")
    return tuple(dict.fromkeys(found))


def judge_egress(wanted: tuple[str, ...], place: Place) -> tuple[Check, ...]:
    """One check for each host: a fail where no route leads out of a private subnet, else unknown."""
    stuck = _without_route(place)
    return tuple(_judge(host, stuck) for host in wanted)


def _without_route(place: Place) -> list[str]:
    if not isinstance(place, Network):
        return []
    return [
        subnet.subnet_id
        for subnet in place.of_kind(public=False)
        if not isinstance(subnet.routes, NoAnswer) and not subnet.default_routes
    ]


def _judge(host: str, stuck: list[str]) -> Check:
    name = f"{host}:443"
    if stuck and host == LICENCE_HOST:
        return failed(
            _AREA,
            name,
            f"no route to {ANYWHERE} in {', '.join(stuck)}",
            "give the private subnets a NAT gateway, or another way to the host",
        )
    if stuck:
        # A host of one's own can have an address inside.
        return unknown(
            _AREA,
            name,
            f"no route to {ANYWHERE} in {', '.join(stuck)}; whether the host has an address inside is not known",
            "try it from a container in those subnets",
        )
    return unknown(
        _AREA,
        name,
        "cannot be tried from outside the subnets: a firewall, proxy or DNS rule on the way is not seen from here",
        f"try it from a container in the private subnets: curl -sS https://{host}/",
    )
