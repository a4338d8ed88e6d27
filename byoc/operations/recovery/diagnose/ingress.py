"""Whether the load balancer is there, and containers behind it answer."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.operations.recovery.facts import RecoveryFacts
from byoc.operations.recovery.finding import Area, Finding, Severity
from byoc.operations.status.facts import Absent, IngressFacts, ServiceFacts, Unknown
from byoc.operations.status.findings import ON_THEIR_WAY, ingress_words

_STATES = {"failed": Severity.CRITICAL, "active_impaired": Severity.WARNING, "provisioning": Severity.NOTE}
"""Of a load balancer that is not ``active`` (Elastic Load Balancing API Reference: LoadBalancerState)."""


def diagnose_ingress(facts: RecoveryFacts) -> Iterator[Finding]:
    """What keeps requests from the containers."""
    ingress = facts.status.ingress
    if isinstance(ingress, Unknown):
        return
    if isinstance(ingress, Absent):
        again = f"byoc up --refresh {facts.expected.stack} makes it again, with another address"
        yield _finding("load-balancer-absent", Severity.CRITICAL, "the load balancer is not there", again)
        return
    if ingress.state != "active":
        severity = _STATES.get(ingress.state, Severity.WARNING)
        out = (
            "" if severity is Severity.NOTE else "AWS Health and the console say why; byoc doctor looks at its subnets"
        )
        yield _finding(f"load-balancer-{ingress.state}", severity, f"the load balancer is {ingress.state}", out)
    if ingress.healthy is None or ingress.state == "provisioning":
        return
    behind = IngressFacts(state="active", url="", healthy=ingress.healthy, unhealthy=ingress.unhealthy)
    for words in ingress_words(behind):
        yield _finding("none-healthy" if ingress.healthy == 0 else "unhealthy", _severity(facts, ingress), words, _OUT)


_OUT = "byoc logs says what the servers do; what else is found says why they are not there"


def _severity(facts: RecoveryFacts, ingress: IngressFacts) -> Severity:
    """While a revision rolls out, a new container may fail its health checks for five minutes."""
    api = facts.status.services["api"]
    rolling = isinstance(api, ServiceFacts) and api.rollout == "IN_PROGRESS"
    if ingress.healthy:
        return Severity.NOTE if rolling else Severity.WARNING
    if not rolling:
        return Severity.CRITICAL
    return Severity.NOTE if set(ingress.unhealthy) <= set(ON_THEIR_WAY) else Severity.WARNING


def _finding(name: str, severity: Severity, words: str, way_out: str) -> Finding:
    return Finding(
        id=f"ingress.{name}", area=Area.INGRESS, part="ingress", severity=severity, words=words, way_out=way_out
    )
