"""Examines a stack: every area on its own, so that one that cannot be asked stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from byoc.access.required import Planned
from byoc.config import DeploymentConfig
from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError
from byoc.operations.doctor import actions, certificate, database, image, linked_roles, names, network, quotas, runtime
from byoc.operations.doctor.asking import HALF, NoAnswer, half_answer
from byoc.operations.doctor.checks import Area, Check, Verdict, unknown
from byoc.operations.doctor.egress import destinations, goes_elsewhere, judge_egress
from byoc.operations.doctor.identity import (
    Caller,
    NoCredentials,
    judge_attempts,
    judge_caller,
    read_attempts,
    read_caller,
)
from byoc.operations.doctor.place_reading import read_place
from byoc.operations.doctor.report import Report, in_order
from byoc.operations.doctor.subject import Subject
from byoc.operations.doctor.trust import judge_trust, read_trust, trusted
from byoc.operations.doctor.zones import in_real_zones
from byoc.operations.many import each
from byoc.operations.targets import Accounts, Stack

Part = tuple[Area, Callable[[], Iterable[Check]]]


def subject_of(
    stack: Stack, planned: Planned, accounts: Accounts, profile: str | None, *, own_credentials: bool = False
) -> Subject:
    """A stack with the ways into its account; nothing is asked yet.

    ``own_credentials``: the caller's, of the account itself, are the way in for a deployment stack too; what its role
    may do is then simulated.
    """
    config = stack.config
    caller = Account(config.account, profile=profile)
    return Subject(
        stack=stack.name,
        config=config,
        planned=planned,
        account=caller if own_credentials else accounts.of(config),
        caller=caller,
    )


def examine(subject: Subject) -> Report:
    """Every check of a stack. Nothing is changed in the account, and nothing that AWS says raises."""
    caller = read_caller(subject.caller)
    checks = _identity(subject, caller)
    entered = isinstance(caller, Caller) and all(check.verdict is Verdict.PASS for check in checks[:2])
    if isinstance(caller, Caller) and entered:
        checks += _inside(subject, caller)
    else:
        checks.append(unknown(Area.ACTIONS, "everything else", "was not asked: there is no way into the account"))
    account = subject.config.account
    return Report(
        stack=subject.stack,
        account_id=account.account_id,
        region=account.region,
        checks=in_order(checks),
        entered=entered,
    )


def _identity(subject: Subject, caller: Caller | NoCredentials | NoAnswer) -> list[Check]:
    """Who asks; then whether the role opens, and to what. The first two decide whether there is a way in."""
    config = subject.config
    wanted = None if subject.through_role else config.account_id
    checks = [judge_caller(caller, wanted)]
    if isinstance(caller, Caller) and isinstance(config, DeploymentConfig) and subject.through_role:
        attempts = read_attempts(subject.caller, config)
        checks += judge_attempts(attempts, config.role_arn) if attempts is not None else ()
    return checks


def _inside(subject: Subject, caller: Caller) -> list[Check]:
    """All that is asked inside of the account."""
    subject = in_real_zones(subject)
    place = read_place(subject)
    parts: tuple[Part, ...] = (
        (Area.IDENTITY, lambda: _trust(subject)),
        (Area.ACTIONS, lambda: actions.judged(subject, caller, place)),
        (Area.LINKED_ROLES, lambda: linked_roles.judged(subject)),
        (Area.QUOTAS, lambda: quotas.judged(subject)),
        (Area.NETWORK, lambda: network.judged(subject, place)),
        (Area.NETWORK, lambda: runtime.judged(subject, place)),
        (Area.DATABASE, lambda: database.judged(subject, place)),
        (Area.NAMES, lambda: names.judged(subject)),
        (Area.IMAGE, lambda: image.judged(subject)),
        (Area.CERTIFICATE, lambda: certificate.judged(subject)),
        (Area.EGRESS, lambda: judge_egress(destinations(subject), place, goes_elsewhere(subject))),
    )
    return [check for found in each(parts, _answered, only_looks=True) for check in found]


def _trust(subject: Subject) -> Iterable[Check]:
    wanted = trusted(subject)
    if wanted is not None:
        yield judge_trust(read_trust(subject.account, wanted.role_arn), wanted)


def _answered(part: Part) -> list[Check]:
    area, judge = part
    try:
        return list(judge())
    except (ByocError, AbsentError) as error:
        # What an area did not foresee AWS to say.
        return [unknown(area, "the whole area", str(error).partition("\n")[0])]
    except HALF as error:
        return [half_answer(error).check(area, "the whole area")]
