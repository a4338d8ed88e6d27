"""Whether who asks may do all that the stack's own resources call for: tried where possible, else simulated."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from byoc.operations.doctor.asking import Absent, NoAnswer, known
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.identity import Caller
from byoc.operations.doctor.place import Place
from byoc.operations.doctor.requests import Question, questions
from byoc.operations.doctor.simulation import Allowed, Denied, Ruling, simulate, unanswered
from byoc.operations.doctor.subject import Subject
from byoc.operations.doctor.trials import tried

_AREA = Area.ACTIONS
_SHOWN = 6
"""Actions named in one line; the rest are counted, and stand in full in JSON's remedy."""


def judged(subject: Subject, caller: Caller, place: Place) -> tuple[Check, ...]:
    """Ask and judge."""
    asked = questions(subject)
    rulings = list(_simulation(subject, caller, asked))
    if subject.through_role or subject.role_arn is None:  # else what is tried tells of somebody else
        rulings += tried(subject, place, frozenset(question.action for question in asked))
    return judge_actions([question.action for question in asked], rulings)


def _simulation(subject: Subject, caller: Caller, asked: Sequence[Question]) -> tuple[Ruling, ...]:
    principal = _principal(subject, caller)
    if isinstance(principal, NoAnswer):
        return unanswered(asked, principal)
    return simulate(subject.account, principal, asked)


def _principal(subject: Subject, caller: Caller) -> str | NoAnswer:
    """The user or role whose policies decide."""
    if subject.role_arn is not None:
        return subject.role_arn
    *_, resource = caller.arn.split(":", 5)
    if resource.startswith("user/"):
        return caller.arn
    if not resource.startswith("assumed-role/"):
        return NoAnswer(why=f"IAM's simulation takes users and roles, not {caller.arn}")
    # A session's ARN lacks the role's path.
    name = resource.split("/")[1]
    found = known(lambda: str(subject.account.ask("iam:GetRole", RoleName=name)["Role"]["Arn"]))
    return NoAnswer(why=f"iam:GetRole: no role {name} in this account") if isinstance(found, Absent) else found


def judge_actions(needed: Iterable[str], rulings: Iterable[Ruling]) -> tuple[Check, ...]:
    """One check for each service of AWS; an action that was tried for real is not judged by its simulation."""
    by_action: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        by_action[ruling.action].append(ruling)
    services: dict[str, dict[str, list[Ruling]]] = defaultdict(dict)
    for action in sorted(set(needed)):
        services[action.partition(":")[0]][action] = _deciding(by_action[action])
    return tuple(_judge(service, actions) for service, actions in sorted(services.items()))


def _deciding(rulings: Sequence[Ruling]) -> list[Ruling]:
    real = [one for one in rulings if one.how != "simulated" and not isinstance(one.answer, NoAnswer)]
    return real or [one for one in rulings if one.how == "simulated"] or list(rulings)


def _judge(service: str, actions: Mapping[str, list[Ruling]]) -> Check:
    denied = {action: found for action, rulings in actions.items() if (found := _first(rulings, Denied))}
    open_ = {
        action: _first(rulings, NoAnswer)
        for action, rulings in actions.items()
        if action not in denied and not (rulings and all(isinstance(one.answer, Allowed) for one in rulings))
    }
    count = len(actions) - len(denied) - len(open_)
    told = f"{count} of {len(actions)} actions allowed{_ways(actions, {*denied, *open_})}"
    if denied:
        return failed(
            _AREA,
            service,
            f"{told}; denied: {_listed(_denial(ruling) for ruling in denied.values())}",
            f"allow to who runs the stack: {', '.join(denied)} ('byoc access actions' lists all with their reasons)",
        )
    if open_:
        reasons = Counter(_reason(ruling) for ruling in open_.values())
        return unknown(
            _AREA,
            service,
            f"{f'{told}; not known of' if count else 'not known of any of'} {len(open_)}: {_listed(reasons)}",
            "let somebody of the account ask who may iam:SimulatePrincipalPolicy (for a deployment stack with "
            "--own-credentials), or see 'byoc access actions'",
        )
    return passed(_AREA, service, told)


def _first(rulings: Iterable[Ruling], kind: type[Denied | NoAnswer]) -> Ruling | None:
    return next((ruling for ruling in rulings if isinstance(ruling.answer, kind)), None)


def _ways(actions: Mapping[str, list[Ruling]], others: set[str]) -> str:
    ways = Counter(rulings[0].how for action, rulings in actions.items() if action not in others)
    return f" ({', '.join(f'{number} {how}' for how, number in sorted(ways.items()))})" if ways else ""


def _denial(ruling: Ruling) -> str:
    layer = ruling.answer.layer if isinstance(ruling.answer, Denied) else ""
    return f"{ruling.action} by {layer}" if layer else ruling.action


def _reason(ruling: Ruling | None) -> str:
    return ruling.answer.why if ruling is not None and isinstance(ruling.answer, NoAnswer) else "nobody was asked"


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    more = f"; and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return "; ".join(every[:_SHOWN]) + more
