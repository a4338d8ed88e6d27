"""Runs a probe: one task definition and one Fargate task, which are taken away whatever happens."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from byoc.errors import ByocError
from byoc.operations.account import Account
from byoc.operations.answers import AbsentError, AskingError, DeniedError, NoAnswerError
from byoc.operations.doctor.asking import HALF, NoAnswer, half_answer, no_answer
from byoc.operations.doctor.probe_end import take_away
from byoc.operations.doctor.probe_plan import CONTAINER, LIMIT, Plan
from byoc.operations.doctor.probe_requests import Made, one_task, task_definition
from byoc.operations.doctor.probe_site import Site
from byoc.operations.task_causes import cause_of

POLL_SECONDS = 3.0
"""Between two looks at the task."""
LOG_DELAY = timedelta(seconds=30)
"""How long the last lines of a container that ended may take to CloudWatch Logs."""
ANSWER = "byocEgress"
"""The key of the line that the container prints (``probe_script``)."""
_NOT_YET = frozenset({"PROVISIONING", "PENDING", "ACTIVATING"})
"""States in which the container has printed nothing (Amazon ECS Developer Guide: Task lifecycle)."""
_NO_REVISION = 2**31 - 1
"""A revision that no family comes to."""
_PAGES = 10
"""Pages of one look at the log; CloudWatch Logs gives empty ones, too (API Reference: GetLogEvents)."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the container printed: by ``host:port``, the keys of ``probe_script``."""

    answers: Mapping[str, Mapping[str, str]]
    where: str
    """The subnet that it ran in, and its zone."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A probe that is over. ``made``: whether anything was made; ``left``: what could not be taken away, with why."""

    outcome: Told | NoAnswer
    made: bool
    left: tuple[str, ...]


class _GiveUpError(ByocError):
    """There will be no answer."""

    def __init__(self, why: str, remedy: str) -> None:
        self.answer = NoAnswer(why=why, remedy=remedy)
        super().__init__(why)


def run_probe(account: Account, plan: Plan, site: Site, stop: threading.Event) -> Ended:
    """What the container found out. ``stop`` ends the wait early; what was made is taken away in any case."""
    made = Made()
    outcome: Told | NoAnswer = NoAnswer(why="the probe was interrupted", remedy="repeat it")
    left: list[str] = []
    try:
        outcome = _answered(account, plan, site, made, stop)
    except _GiveUpError as error:
        outcome = error.answer
    except AbsentError as error:
        outcome = NoAnswer(why=str(error), remedy="bring the account stack up, then repeat")
    except ByocError as error:
        outcome = no_answer(error)
    except HALF as error:
        outcome = half_answer(error)
    finally:
        left += take_away(account, plan, made)
    return Ended(outcome=outcome, made=made.asked_for_definition, left=tuple(left))


def _answered(account: Account, plan: Plan, site: Site, made: Made, stop: threading.Event) -> Told:
    _require_leave(account, plan, site, made)
    made.asked_for_definition = True
    definition = account.ask("ecs:RegisterTaskDefinition", **task_definition(plan, account.account.region))
    made.definition = definition["taskDefinition"]["taskDefinitionArn"]
    made.asked_for_task = True
    answer = account.ask("ecs:RunTask", **one_task(plan, site, made))
    if not answer.get("tasks"):
        reasons = "; ".join(str(failure.get("reason")) for failure in answer.get("failures") or ())
        raise _not_started(reasons or "ECS gave no task, and no reason")
    made.task = answer["tasks"][0]["taskArn"]
    return _awaited(account, plan, made, stop)


def _require_leave(account: Account, plan: Plan, site: Site, made: Made) -> None:
    """Raise where tasks may not be run, before anything is made: AWS authorises a call before it carries it out.

    The call names a revision that is not there, and AWS refuses that where it would not refuse the caller.
    """
    trial = {**one_task(plan, site, made), "taskDefinition": f"{plan.family}:{_NO_REVISION}"}
    try:
        account.ask("ecs:RunTask", **trial)
    except DeniedError as error:
        found = no_answer(error)
        own = f"ask with --own-credentials: {account.role.role_arn} may not run tasks" if account.role else ""
        raise _GiveUpError(found.why, own or found.remedy) from error
    except AskingError:
        raise
    except (AbsentError, ByocError):
        return


def _awaited(account: Account, plan: Plan, made: Made, stop: threading.Event) -> Told:
    """Look at the task and its log until the answer is there, the task has ended without one, or time is up."""
    end = time.monotonic() + LIMIT.total_seconds()
    last_words = float("inf")
    state = "PROVISIONING"
    while time.monotonic() < min(end, last_words):
        if stop.wait(POLL_SECONDS):
            raise _GiveUpError("the probe was interrupted", "repeat it")
        try:
            task = _described(account, plan, made)
            state = str(task.get("lastStatus", state))
            if state not in _NOT_YET and (answers := _printed(account, plan, made)) is not None:
                return Told(answers=answers, where=_where(task))
        except NoAnswerError:  # a moment's silence: there is time
            continue
        if state == "STOPPED":
            made.task_ended = True
            if not task.get("startedAt"):
                raise _why_not(task)
            last_words = min(last_words, time.monotonic() + LOG_DELAY.total_seconds())
    if made.task_ended:
        raise _without_answer(plan, made, task)
    raise _GiveUpError(
        f"no answer within {int(LIMIT.total_seconds() / 60)} minutes; the task was {state}",
        "see what 'byoc doctor' says of the network and the image, then repeat",
    )


def _described(account: Account, plan: Plan, made: Made) -> Mapping[str, Any]:
    """The task; nothing of it while ECS does not know it yet, which is eventually consistent."""
    found = account.ask("ecs:DescribeTasks", cluster=plan.cluster, tasks=[made.task]).get("tasks") or [{}]
    task: Mapping[str, Any] = found[0]
    return task


def _printed(account: Account, plan: Plan, made: Made) -> Mapping[str, Mapping[str, str]] | None:
    """The container's answer, where it is in the log already."""
    try:
        for message in _messages(account, plan, made):
            if (answers := answers_of(message)) is not None:
                return answers
    except AbsentError:  # no stream yet
        pass
    return None


def _messages(account: Account, plan: Plan, made: Made) -> Iterator[str]:
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        page = account.ask(
            "logs:GetLogEvents",
            logGroupName=plan.log_group,
            logStreamName=_stream(plan, made),
            startFromHead=True,
            **token,
        )
        yield from (str(event.get("message", "")) for event in page.get("events") or ())
        following = {"nextToken": page.get("nextForwardToken") or ""}
        if following == token or not following["nextToken"]:
            return
        token = following


def answers_of(message: str) -> Mapping[str, Mapping[str, str]] | None:
    """What a line of the log answers; None for one that is not the probe's."""
    try:
        found = json.loads(message)
    except ValueError:
        return None
    answers = found.get(ANSWER) if isinstance(found, dict) else None
    if not isinstance(answers, dict):
        return None
    return {str(name): answer for name, answer in answers.items() if isinstance(answer, dict)}


def _why_not(task: Mapping[str, Any]) -> _GiveUpError:
    reasons = [str(each.get("reason")) for each in task.get("containers") or () if each.get("reason")]
    said = "; ".join(dict.fromkeys([*reasons, str(task.get("stoppedReason") or "")])).strip("; ")
    return _not_started(said or "the task ended before its container started, and ECS does not say why")


def _not_started(said: str) -> _GiveUpError:
    cause = cause_of(said)
    if cause is None:
        return _GiveUpError(f"the probe's container did not start: {said}", "see AWS's words, then repeat")
    return _GiveUpError(f"the probe's container did not start: {cause.words} ({said})", cause.way_out)


def _without_answer(plan: Plan, made: Made, task: Mapping[str, Any]) -> _GiveUpError:
    containers = task.get("containers") or ()
    codes = [f"exit code {each['exitCode']}" for each in containers if each.get("exitCode") is not None]
    said = "; ".join([*codes, *(str(each["reason"]) for each in containers if each.get("reason"))])
    return _GiveUpError(
        f"the probe's container ended ({said or task.get('stoppedReason') or 'no exit code'}) without an answer",
        f"see its log: stream {_stream(plan, made)} of {plan.log_group}; it needs python3 in the image",
    )


def _where(task: Mapping[str, Any]) -> str:
    details = {
        str(item.get("name")): str(item.get("value"))
        for attachment in task.get("attachments") or ()
        for item in attachment.get("details") or ()
    }
    subnet = details.get("subnetId", "a private subnet")
    zone = task.get("availabilityZone")
    return f"{subnet} ({zone})" if zone else subnet


def _stream(plan: Plan, made: Made) -> str:
    return f"{plan.log_prefix}/{CONTAINER}/{made.task.rpartition('/')[2]}"
