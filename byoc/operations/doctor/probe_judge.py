"""From what a probe told to answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from byoc.operations.doctor.asking import NoAnswer
from byoc.operations.doctor.checks import Area, Check, Verdict, failed, passed, unknown
from byoc.operations.doctor.probe import Ended, Told
from byoc.operations.doctor.probe_plan import Plan

_AREA = Area.EGRESS
_WAYS_OUT: Mapping[str, tuple[str, str]] = {
    "dns": (
        "its name is not found",
        "see the VPC's DNS attributes and DHCP options, and whether a DNS firewall lets the name pass",
    ),
    "tcp": (
        "no connection",
        "let TCP pass to it: routes, network ACLs, security groups, and the firewall on the way",
    ),
    "tls": (
        "connected, but TLS fails",
        "let the firewall on the way leave its TLS alone; or the host shows a certificate that the image does not "
        "trust",
    ),
}
"""By the stage that was not passed: what happened, and the way out."""


def judge_probe(plan: Plan, ended: Ended, before: Iterable[Check]) -> tuple[Check, ...]:
    """The checks of every host, and one of what the probe made. ``before``: what was said of the hosts without it."""
    known = {check.name: check for check in before}
    hosts = tuple(_judge(plan, ended.outcome, name, known.get(name)) for name in plan.destinations)
    return (*hosts, _left(plan, ended.left)) if ended.made else hosts


def without_probe(plan: Plan, why: NoAnswer, before: Iterable[Check]) -> tuple[Check, ...]:
    """The checks where no probe could be tried: what stands without it, and why."""
    known = {check.name: check for check in before}
    return tuple(_judge(plan, why, name, known.get(name)) for name in plan.destinations)


def no_image(stack: str) -> Check:
    """An account stack without deployments cannot run a probe."""
    return unknown(
        _AREA,
        "hosts outside AWS",
        "cannot be probed: an account stack without deployments has no image to run",
        f"probe with a deployment stack of this account, instead of {stack}: its subnets and security group are the "
        "same",
    )


def _judge(plan: Plan, outcome: Told | NoAnswer, name: str, before: Check | None) -> Check:
    if isinstance(outcome, NoAnswer):
        if before is not None and before.verdict is Verdict.FAIL:
            return before
        return unknown(_AREA, name, outcome.why, outcome.remedy)
    answer = outcome.answers.get(name, {})
    stage, why = answer.get("stage"), answer.get("why") or "no reason told"
    if stage == "reached":
        by = f", certificate by {answer['issuer']}" if answer.get("issuer") else ""
        return passed(_AREA, name, f"reached from {outcome.where} over {answer.get('tls') or 'TLS'}{by}")
    if stage not in _WAYS_OUT:
        return unknown(_AREA, name, "the probe's container did not say what became of it", "repeat it")
    words, remedy = _WAYS_OUT[str(stage)]
    evidence = f"{words} from {outcome.where}: {why}"
    if plan.elsewhere:
        return unknown(
            _AREA,
            name,
            f"{evidence}; the deployment sets {', '.join(plan.elsewhere)}, which the probe does not use",
            "look for errors of this host in byoc logs",
        )
    return failed(_AREA, name, evidence, remedy)


def _left(plan: Plan, left: tuple[str, ...]) -> Check:
    name = "end of the probe"
    if not left:
        return passed(_AREA, name, "nothing of it is left: its task has ended, its definition is deleted")
    return failed(
        _AREA,
        name,
        f"could not be taken away: {'; '.join(left)}",
        f"a task ends by itself within a minute. Then: aws ecs list-task-definitions --family-prefix {plan.family}, "
        "and aws ecs deregister-task-definition for each",
    )
