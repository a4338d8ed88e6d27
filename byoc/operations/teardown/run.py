"""Takes a stack down: clears what is ours and in the way, has the engine destroy, looks at what is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError
from byoc.operations.teardown.clearing import Clear, Told
from byoc.operations.teardown.look import look_around
from byoc.operations.teardown.look_containers import strays
from byoc.operations.teardown.look_data import BACKUP, PENDING_SECRET, SNAPSHOT
from byoc.operations.teardown.look_serving import REPOSITORY
from byoc.operations.teardown.plan import Options, Plan, keys_of, make_plan, traces
from byoc.operations.teardown.sign_off import NOBODY, Signature, SignedOff, Verdict, sign_off
from byoc.operations.teardown.subject import Subject
from byoc.runs import Failure, RunResult
from byoc.types import AwsAccount

_REPOSITORY_TYPE = "aws:ecr/repository:Repository"
_NOT_EMPTY = "RepositoryNotEmptyException"
_SNAPSHOT_THERE = "DBSnapshotAlreadyExists"
_KEEP_THAT_SNAPSHOT = (
    "a snapshot has the name that the final one is to have, and may hold what is nowhere else: copy it to "
    "another name (aws rds copy-db-snapshot), delete it under this one, and run teardown again"
)
SECRET_SECONDS = 60.0
"""How long AWS may take to end a secret that was deleted without recovery, until it counts as left over."""
_PAUSE = 5.0


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What holds the stacks' state and deletes what they made: Pulumi, or the sandbox's engine.

    ``destroy``: everything of a stack by its name, going on where one thing cannot be deleted. ``unprotect``: take the
    engine's own protection off all resources of a stack. ``final_snapshots``: whether the deletion of each database of
    a stack, by identifier, leaves a final snapshot; the engine deletes as the last run had it, not as the config says
    by now. Raises where another run is at the stack.
    """

    destroy: Callable[[str], RunResult]
    unprotect: Callable[[str], None]
    final_snapshots: Callable[[str], Mapping[str, bool]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one stack."""

    plan: Plan
    told: tuple[Told, ...]
    """Every change that was made outside the engine, and why."""
    destroyed: RunResult | None = None
    """None where it did not come to that."""
    signed: SignedOff | None = None
    error: str = ""
    """Why it stopped early."""

    @property
    def is_clean(self) -> bool:
        """Whether the stack is gone, and the sweep found nothing but what is kept on purpose."""
        return not self.error and self.signed is not None and self.signed.is_clean


def sweep(subject: Subject, *, ended: Mapping[str, str] = NOBODY) -> SignedOff:
    """What is left of a stack; nothing is changed.

    ``ended``: databases that must leave a final snapshot when they go, as for
    :func:`~byoc.operations.teardown.sign_off.sign_off`.
    """
    look = look_around(subject)
    keys = keys_of(subject, look.of(SNAPSHOT, BACKUP))
    signed = sign_off(subject.stack, look, keys, traces=traces(subject), ended=ended)
    account = subject.account
    return replace(signed, signature=Signature(at=datetime.now(UTC), account=account.account, by=_asks(account)))


def _asks(account: Account) -> str:
    if account.role is not None:
        return account.role.role_arn
    try:
        return account.require_right_account()
    except ByocError:
        return ""


def tear_down(
    plans: Iterable[Plan], engine: Engine, options: Options, tell: Callable[[Told], None] = lambda _: None
) -> Iterator[Outcome]:
    """Take stacks down, one after another, in the order of the plans: deployments before their account.

    Each is asked about once more just before: what holds data and was not in the plan that was shown stops it. A stack
    of an install is not begun if one of its deployments did not go. May be run again after any interruption.
    """
    failed: set[tuple[AwsAccount, str]] = set()
    for shown in plans:
        subject = shown.subject
        place = (subject.account.account, subject.names.prefix)
        if subject.install is not None and place in failed:
            yield Outcome(plan=shown, told=(), error="a deployment of this install did not go; nothing was begun")
            continue
        outcome = _one(shown, engine, options, tell)
        if outcome.error:
            failed.add(place)
        yield outcome


def _one(shown: Plan, engine: Engine, options: Options, tell: Callable[[Told], None]) -> Outcome:
    told: list[Told] = []

    def note(item: Told) -> None:
        told.append(item)
        tell(item)

    plan = make_plan(shown.subject, options)
    try:
        refused = _refused(shown, plan) or _losing(plan, engine)
    except ByocError as failure:
        refused = str(failure)
    if refused:
        return Outcome(plan=plan, told=(), error=refused)
    destroyed: RunResult | None = None
    try:
        destroyed = _destroy(plan, engine, options, note)
        unexpected = unexpected_failures(destroyed, plan)
        error = "\n".join(item.render() for item in unexpected) or ("interrupted" if destroyed.interrupted else "")
        if not error:
            Clear(plan.subject, note).forget(strays(plan.subject))
            named = {item.key for item in shown.purged}
            error = Clear(plan.subject, note).purge(item for item in plan.purged if item.key in named)
    except (ByocError, AbsentError) as failure:
        error = str(failure)
    signed = sweep(plan.subject, ended=plan.ending) if error else _swept(plan)
    return Outcome(plan=plan, told=tuple(told), destroyed=destroyed, signed=signed, error=error)


def _refused(shown: Plan, plan: Plan) -> str:
    if plan.standing:
        lines = "\n".join(f"  {item.kind} {item.id}: {item.why}" for item in plan.standing)
        return f"something stands in the way; nothing was begun\n{lines}"
    unnamed = sorted(plan.data - shown.data)
    if unnamed:
        names = ", ".join(f"{kind} {id_}" for kind, id_ in unnamed)
        return f"the plan that was shown did not name {names}; nothing was begun; look at the plan again"
    return ""


def _losing(plan: Plan, engine: Engine) -> str:
    """Why not, where the plan promises a final snapshot that the engine would not make."""
    makes = engine.final_snapshots(plan.stack)
    losing = [identifier for identifier in plan.ending if makes.get(identifier) is False]
    if not losing:
        return ""
    return (
        f"the config asks for a final snapshot of {', '.join(losing)}, and the stack was last brought up without one: "
        "its data would be lost; nothing was begun\n"
        f"      mend it:  bring {plan.stack} up once more, then run teardown again; or, to lose the data, set "
        "database.finalSnapshot to false"
    )


def _swept(plan: Plan) -> SignedOff:
    """The sweep after a destroy, once AWS has ended the secrets that were deleted without recovery.

    It does that in the background, "so there might be a short delay" (AWS Secrets Manager API Reference:
    ``DeleteSecret``); until then it shows them as waiting for their deletion, and their names are taken.
    """
    until = time.monotonic() + SECRET_SECONDS
    while True:
        signed = sweep(plan.subject, ended=plan.ending)
        ending = (item.kind == PENDING_SECRET and item.id in plan.forgotten for item in signed.of(Verdict.LEFT))
        if not any(ending) or time.monotonic() > until:
            return signed
        time.sleep(_PAUSE)


def _destroy(plan: Plan, engine: Engine, options: Options, note: Callable[[Told], None]) -> RunResult:
    """Clear, destroy; and once more if meanwhile something of ours was left in the way."""
    subject = plan.subject
    Clear(subject, note).clear(plan.cleared)
    if options.unprotect:
        note(Told(action="unprotect", on=subject.stack, why="--unprotect: the engine's own protection goes"))
        engine.unprotect(subject.stack)
    note(Told(action="destroy", on=subject.stack, why="the plan: everything that the stack made goes"))
    result = engine.destroy(subject.stack)
    if result.interrupted or not unexpected_failures(result, plan):
        return result
    again = make_plan(subject, options)
    if not again.cleared or again.standing:
        return result
    Clear(subject, note).clear(again.cleared)
    note(Told(action="destroy", on=subject.stack, why="what its first run met in the way is cleared"))
    return engine.destroy(subject.stack)


def unexpected_failures(result: RunResult, plan: Plan) -> tuple[Failure, ...]:
    """What went wrong, but for repositories that the plan keeps: AWS refuses to delete what holds images."""
    kept = {entry.id for entry in plan.kept if entry.kind == REPOSITORY}

    def is_kept(failure: Failure) -> bool:
        about = any(failure.urn.endswith(f"-repository-{name}") for name in kept)
        return failure.type == _REPOSITORY_TYPE and _NOT_EMPTY in failure.error and about

    return tuple(_with_way_out(failure) for failure in result.failures if not is_kept(failure))


def _with_way_out(failure: Failure) -> Failure:
    """The way out of what only a teardown meets; elsewhere a name that is taken asks for another name."""
    return replace(failure, remedy=_KEEP_THAT_SNAPSHOT) if _SNAPSHOT_THERE in failure.error else failure
