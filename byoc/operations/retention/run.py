"""Looks at deployments, tells of those that nobody uses, and has those deleted that were told of for long enough."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from byoc.config import DeploymentConfig
from byoc.config.retention import RetentionConfig
from byoc.errors import ByocError
from byoc.operations.answers import AbsentError
from byoc.operations.langsmith.project import environment_secret, project_name
from byoc.operations.many import each
from byoc.operations.retention.judge import Action, Decision, Evidence, NotDeployed, judge
from byoc.operations.retention.read import Clock, read_evidence
from byoc.operations.retention_record import Record
from byoc.operations.targets import Accounts, Stack, Target, targets
from byoc.tags import RETENTION_KEY

AT_ONCE = 4
"""Deployments that are looked at at once: LangSmith allows few queries of runs per key (LangSmith docs: "API rate
limits")."""

Destroy = Callable[[str], None]
"""Destroys a stack, by its name; raises ``ByocError`` if it does not get to the end."""


class Done(enum.StrEnum):
    """What was done about a deployment."""

    NOTHING = "nothing"
    NOTIFIED = "notified"
    DELETED = "deleted"
    FAILED = "failed"
    BLOCKED = "blocked"
    """It is due, and its config keeps it from being deleted."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A deployment whose config asks for retention."""

    target: Target
    settings: RetentionConfig

    @property
    def stays(self) -> str:
        """What a deletion leaves of the data; empty if nothing. Tracing project and traces stay in any case."""
        if not self.target.own_database:
            return "your own database"
        return "a final snapshot" if self.keeps_snapshot else ""

    @property
    def keeps_snapshot(self) -> bool:
        """Whether the config asks for a snapshot at the end."""
        return self.target.own_database and self.target.section.database.final_snapshot

    @property
    def blocked(self) -> str:
        """What in the config keeps it from being deleted; empty if nothing does."""
        if self.target.own_database and self.target.section.database.deletion_protection:
            return "database.deletionProtection is on"
        return ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A deployment, what is known about it, what is to be done, and what was."""

    subject: Subject
    evidence: Evidence | NotDeployed
    decision: Decision
    done: Done = Done.NOTHING
    failure: str = ""

    @property
    def well(self) -> bool:
        """Whether nobody has to see to it: everything was known, and what was to be done was."""
        return self.decision.action is not Action.UNKNOWN and self.done not in (Done.FAILED, Done.BLOCKED)

    @property
    def noticed(self) -> date | None:
        """When the notice went out; None if it did not."""
        record = self.decision.record
        if record is None:
            return None
        return record.looked if self.done is Done.NOTIFIED else record.noticed

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        decision, target = self.decision, self.subject.target
        return {
            "stack": target.stack,
            "deployment": target.deployment,
            "project": project_name(target),
            "action": decision.action.value,
            "reason": decision.reason,
            "unusedDays": decision.unused_days,
            "notifyOn": _text(decision.notify_on),
            "noticeOn": _text(self.noticed),
            "deleteOn": _text(decision.delete_on),
            "stays": self.subject.stays,
            "blocked": self.subject.blocked,
            "done": self.done.value,
            "failure": self.failure,
        }


def subjects(stacks: Iterable[Stack], accounts: Accounts) -> tuple[Subject, ...]:
    """The deployments of stacks whose config asks for retention.

    Only stacks of kind ``deployment`` can: a deployment within an account stack does not go without its neighbours.
    """
    found = []
    for stack in stacks:
        if isinstance(stack.config, DeploymentConfig) and stack.config.retention is not None:
            (target,) = targets([stack], accounts)
            found.append(Subject(target=target, settings=stack.config.retention))
    return tuple(found)


def look(subject: Subject, clock: Clock) -> Case:
    """What is to be done about a deployment; changes nothing."""
    evidence = read_evidence(subject.target, clock)
    return Case(subject=subject, evidence=evidence, decision=judge(evidence, subject.settings))


def look_at_all(items: Iterable[Subject], clock: Clock) -> list[Case]:
    """What is to be done about each; changes nothing."""
    return list(each(items, lambda subject: look(subject, clock), at_once=AT_ONCE, only_looks=True))


def carry_out(items: Iterable[Subject], clock: Clock, destroy: Destroy) -> list[Case]:
    """Look at each, note it, tell of those that are unused, then delete those that are due, one after another.

    Each of these is looked at again right before: a trace that came meanwhile saves it.
    """
    cases = list(each(items, lambda subject: _tell(look(subject, clock)), at_once=AT_ONCE))
    return [_delete(case, clock, destroy) for case in cases]


def _tell(case: Case) -> Case:
    """Note the look, and send the notice if one is due."""
    decision = case.decision
    if decision.record is None:
        return case
    try:
        # First the note: who cannot write it would send the same notice every day.
        _note(case, decision.record)
        if decision.action is not Action.NOTIFY:
            return case
        _publish(case)
        _note(case, replace(decision.record, noticed=decision.record.looked))
    except (ByocError, AbsentError) as error:
        return replace(case, done=Done.FAILED, failure=str(error))
    return replace(case, done=Done.NOTIFIED)


def _note(case: Case, record: Record) -> None:
    """Write what this look saw, unless it is there."""
    if isinstance(case.evidence, Evidence) and record == case.evidence.record:
        return
    target = case.subject.target
    target.account.ask(
        "secretsmanager:TagResource",
        SecretId=environment_secret(target),
        Tags=[{"Key": RETENTION_KEY, "Value": record.text()}],
    )


def _publish(case: Case) -> None:
    """Send the notice; raises ``ByocError`` if nobody would get it, so that no deletion follows."""
    account, names = case.subject.target.account, case.subject.target.names
    topic = account.account.arn("sns", names.alarm_topic)
    try:
        subscriptions = list(account.all("sns:ListSubscriptionsByTopic", "Subscriptions", TopicArn=topic))
    except AbsentError:
        raise ByocError(
            f"there is no topic {names.alarm_topic}: no notice was sent, and nothing is deleted without one\n"
            "      mend it:  byoc up of the account stack makes it"
        ) from None
    # Until somebody confirms it, a subscription has no ARN but the word PendingConfirmation.
    if not any(item["SubscriptionArn"].startswith("arn:") for item in subscriptions):
        raise ByocError(
            f"nobody has confirmed a subscription of topic {names.alarm_topic}: no notice was sent, and nothing is "
            "deleted without one\n      mend it:  runtime.alarmEmails of the account stack; each address confirms once"
        )
    subject, message = notice(case)
    account.ask("sns:Publish", TopicArn=topic, Subject=subject, Message=message)


def notice(case: Case) -> tuple[str, str]:
    """Subject and text of the mail. The subject stays under 100 characters, whatever the name (Amazon SNS: Publish)."""
    target, decision = case.subject.target, case.decision
    end = (
        f"{case.subject.blocked}: it is not deleted as long as that is so."
        if case.subject.blocked
        else f"It is deleted on {decision.delete_on} (UTC) unless a trace comes before. "
        f"What stays: {', '.join(word for word in (case.subject.stays, 'the tracing project') if word)}."
    )
    lines = (
        f"Deployment {target.deployment} (stack {target.stack}) in account {target.account.account.account_id}, "
        f"{target.account.account.region}, has sent no trace for {decision.unused_days} days: {decision.reason}.",
        end,
        f"To keep it: use it, or remove byoc:retention from stack {target.stack}.",
    )
    return f"Deployment {target.deployment}: unused for {decision.unused_days} days", "\n".join(lines)


def _delete(case: Case, clock: Clock, destroy: Destroy) -> Case:
    """Have a deployment deleted that is still due."""
    if case.decision.action is not Action.DELETE or case.done is Done.FAILED:
        return case
    if case.subject.blocked:
        return replace(case, done=Done.BLOCKED, failure=case.subject.blocked)
    again = look(case.subject, clock)
    if again.decision.action is not Action.DELETE:
        return _tell(again)
    try:
        destroy(case.subject.target.stack)
    except ByocError as error:
        return replace(again, done=Done.FAILED, failure=str(error))
    return replace(again, done=Done.DELETED)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
