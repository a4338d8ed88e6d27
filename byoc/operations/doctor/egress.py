"""The hosts outside AWS that a deployment calls: whether it reaches them cannot be seen from outside its subnets."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.checks import Area, Check, failed, unknown
from byoc.operations.doctor.place import ANYWHERE, Network, Place, Subnet
from byoc.operations.doctor.subject import Subject

_AREA = Area.EGRESS
_PROBE = "--probe-egress tries it from a container in the private subnets"
LICENCE = "beacon.langchain.com:443"
"""Where the server checks its licence (LangGraph docs: egress)."""
_HTTPS_PORT = 443
_ELSEWHERE = frozenset(
    {"ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
)
"""Variables by which a deployment goes another way than its routes, or trusts others than its image does."""


def destinations(subject: Subject) -> tuple[str, ...]:
    """What the stack's deployments call over TLS, as ``host:port``."""
    found = []
    for section, _ in subject.deployments.values():
        found.append(LICENCE)
        if section.tracing.enabled:
            url = urlsplit(section.tracing.endpoint_url)
            found.append(f"{url.hostname}:{url.port or _HTTPS_PORT}")
    return tuple(dict.fromkeys(found))


def goes_elsewhere(subject: Subject) -> tuple[str, ...]:
    """The variables of the stack's deployments that send them another way, or have them trust others."""
    given = {
        name.upper()
        for section, secrets in subject.deployments.values()
        for name in (*section.environment, *secrets.secret_environment)
    }
    return tuple(sorted(given & _ELSEWHERE))


def judge_egress(wanted: Iterable[str], place: Place, elsewhere: tuple[str, ...] = ()) -> tuple[Check, ...]:
    """One check for each ``host:port``: a fail where no route leads out of a private subnet, else unknown.

    ``elsewhere``: :func:`goes_elsewhere`; through a proxy, subnets need no route to the internet of their own.
    """
    proxies = [name for name in elsewhere if name.endswith("_PROXY")]
    stuck = [] if proxies else _without_route(place)
    return tuple(_judge(destination, stuck) for destination in wanted)


def _without_route(place: Place) -> list[str]:
    if not isinstance(place, Network):
        return []
    return [
        subnet.subnet_id
        for subnet in place.of_kind(public=False)
        if not isinstance(subnet.routes, NoAnswer) and not _may_lead_out(subnet)
    ]


def _may_lead_out(subnet: Subnet) -> bool:
    return bool(subnet.default_routes) or any(r.destination == "::/0" and not r.blackhole for r in subnet.known_routes)


def _judge(destination: str, stuck: list[str]) -> Check:
    if stuck and destination == LICENCE:
        return failed(
            _AREA,
            destination,
            f"no route to {ANYWHERE} in {', '.join(stuck)}",
            "give the private subnets a NAT gateway, or another way to the host",
        )
    if stuck:
        # A host of one's own can have an address inside.
        return unknown(
            _AREA,
            destination,
            f"no route to {ANYWHERE} in {', '.join(stuck)}; whether the host has an address inside is not known",
            _PROBE,
        )
    return unknown(
        _AREA,
        destination,
        "cannot be tried from outside the subnets: a firewall, proxy or DNS rule on the way is not seen from here",
        _PROBE,
    )
