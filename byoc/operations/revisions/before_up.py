"""Asked before ``byoc up`` makes a new revision: whether one is rolling out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from byoc.automation.stack_run import REFUSED, Guard, Verdict
from byoc.errors import ByocError
from byoc.operations.answers import AskingError
from byoc.operations.revisions.guard import rolling_out
from byoc.operations.revisions.outcome import is_service_of
from byoc.operations.revisions.read import present_services
from byoc.operations.stacks import read_stacks
from byoc.operations.targets import Accounts, Target, targets
from byoc.runs import Failure, Op, RunResult

_SERVICE = "aws:ecs/service:Service"


def no_roll_out_under_way(root: Path) -> Guard:
    """A guard that refuses an ``up`` which makes a new revision while one of the same deployment is rolling out.

    AWS is asked only about deployments of which the preview changes a service that is there; without a preview, about
    all of the stack. Where it cannot be asked, the run goes on with a note: a permission that is missing must not keep
    a stack from being mended. So does one whose config cannot be read here: the run itself says what is wrong with it.
    """
    accounts = Accounts()

    def guard(stack: str, preview: RunResult | None) -> Verdict:
        if preview is not None and not makes_a_revision(preview):
            return Verdict()
        try:
            found = list(targets(read_stacks(root, [stack]), accounts))
        except ByocError:
            return Verdict()
        return _verdict(found if preview is None else _concerned(found, preview))

    return guard


def makes_a_revision(preview: RunResult) -> bool:
    """Whether a service that is there would change. One that is not there yet rolls nothing out."""
    return bool(_changed_services(preview))


def _changed_services(preview: RunResult) -> list[str]:
    """The logical names of services that are there and would change."""
    changing = (Op.UPDATE, Op.REPLACE)
    return [step.urn.rpartition("::")[2] for step in preview.steps if step.type == _SERVICE and step.op in changing]


def _concerned(found: list[Target], preview: RunResult) -> list[Target]:
    """Those deployments of a stack whose services would change; all, if a service is of none that is known."""
    if len(found) == 1:
        return found
    concerned = []
    for name in _changed_services(preview):
        its = [target for target in found if is_service_of(target.deployment, name)]
        if not its:
            return found
        concerned += its
    return [target for target in found if target in concerned]


def _verdict(found: list[Target]) -> Verdict:
    told = [item for target in found for item in _told(target)]
    refusal = next((item for item in told if isinstance(item, Failure)), None)
    return Verdict(refusal=refusal, notes=tuple(item for item in told if isinstance(item, str)))


def _told(target: Target) -> Iterator[Failure | str]:
    """Why a new revision of a deployment is refused, or what could not be found out."""
    try:
        found = rolling_out(present_services(target))
    except AskingError as error:
        yield f"{target.deployment}: whether a revision is rolling out is not known: {error.action}: {error.what}"
        return
    if found is not None:
        yield Failure(urn="", type="", op=REFUSED, action="", error=found.error(target), remedy=found.remedy(target))
