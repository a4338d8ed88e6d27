"""The load balancer as ``byoc watch`` sees it: gone, failed, or with nobody behind it who answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from byoc.operations.recovery.diagnose import diagnose
from byoc.operations.recovery.finding import Area, Diagnosis, Severity
from byoc.operations.status.facts import Absent, IngressFacts, ServiceFacts, Unknown
from tests.operations import situations
from tests.operations.recovery_situations import recovery_facts

ROLLING = situations.service(rollout="IN_PROGRESS", running=1)


def with_ingress(ingress: IngressFacts | Absent | Unknown, api: ServiceFacts | None = None) -> Diagnosis:
    """What is found of a deployment that is well but for its load balancer."""
    facts = recovery_facts(api=api or situations.service())
    return diagnose(replace(facts, status=replace(facts.status, ingress=ingress)))


@pytest.mark.parametrize(
    ("ingress", "api", "id_", "severity"),
    [
        (Absent(), None, "ingress.load-balancer-absent", Severity.CRITICAL),
        (situations.ingress(state="failed"), None, "ingress.load-balancer-failed", Severity.CRITICAL),
        (situations.ingress(state="active_impaired"), None, "ingress.load-balancer-active_impaired", Severity.WARNING),
        (situations.ingress(0, state="provisioning"), None, "ingress.load-balancer-provisioning", Severity.NOTE),
        (situations.ingress(1, Target_Timeout=1), None, "ingress.unhealthy", Severity.WARNING),
        (situations.ingress(1, Target_Timeout=1), ROLLING, "ingress.unhealthy", Severity.NOTE),
        (situations.ingress(0, Target_ResponseCodeMismatch=2), None, "ingress.none-healthy", Severity.CRITICAL),
        (situations.ingress(0, Target_ResponseCodeMismatch=2), ROLLING, "ingress.none-healthy", Severity.WARNING),
        (situations.ingress(0, Elb_InitialHealthChecking=2), ROLLING, "ingress.none-healthy", Severity.NOTE),
        (situations.ingress(0, Target_NotInUse=2), None, "ingress.none-healthy", Severity.CRITICAL),
        (situations.ingress(0), None, "ingress.none-healthy", Severity.CRITICAL),
    ],
)
def test_what_keeps_requests_from_the_containers_is_found(
    ingress: IngressFacts | Absent, api: ServiceFacts | None, id_: str, severity: Severity
) -> None:
    diagnosis = with_ingress(ingress, api)
    (found,) = [finding for finding in diagnosis.findings if finding.area is Area.INGRESS]
    assert (found.id, found.severity, found.remedy, found.restore) == (id_, severity, None, None)
    assert bool(found.way_out) or severity is Severity.NOTE
    assert diagnosis.well is (severity is Severity.NOTE)


@pytest.mark.parametrize(
    "ingress",
    [situations.ingress(2), situations.ingress(2, Elb_InitialHealthChecking=1, Target_DeregistrationInProgress=1)],
)
def test_a_load_balancer_with_containers_that_answer_is_well(ingress: IngressFacts) -> None:
    assert with_ingress(ingress).well


def test_a_load_balancer_that_aws_does_not_tell_of_is_unknown() -> None:
    diagnosis = with_ingress(Unknown(why="x:Y: denied"))
    assert (diagnosis.findings, diagnosis.unknown) == ((), ("not known: load balancer: x:Y: denied",))
    assert with_ingress(situations.ingress(None)).unknown == ("not known: health of the containers: AWS does not say",)
