"""Break-glass access: a second role for emergencies, which is closed unless this section opens it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ValidationInfo, field_validator

from byoc.config.fields import DISTINCT, PrincipalArn, SessionName, Switch, matching
from byoc.config.problems import Finding, refuse
from byoc.config.section import Section, setting
from byoc.permissions.policies.break_glass import LONGEST_WINDOW, Opening, foreign_principals, moment
from byoc.types import AwsAccount


def _moment(value: str) -> str:
    try:
        moment(value)
    except ValueError:
        raise refuse("a moment in UTC, to the second", 'write it in quotes, such as "2026-05-01T08:00:00Z"') from None
    return value


Moment = Annotated[str, AfterValidator(_moment)]
SourceIdentity = Annotated[
    str,
    matching(
        r"[\w+=,.@-]{2,64}",
        "2 to 64 letters, digits and _ + = , . @ -",
        "write what names one person, such as an e-mail address",
    ),
]


class BreakGlassConfig(Section):
    """A second role, for emergencies, which denies everything unless it is opened (kind `account`).

    It is for people: named principals who say who they are (`sts:SourceIdentity`) and call their session by the ticket.
    They call STS in the stack's region, and every use sends an alarm to the account's topic. While open, the role reads
    logs, looks at services, tasks, databases and alarms, restarts services and reboots databases of this install; no
    secrets, no IAM, no deletes. Sessions last an hour at most.
    """

    open: Switch = setting(
        "Whether the role can be assumed, from `notBefore` until `until`, at the STS endpoint of the stack's region. A "
        "window that is over is no error: the role is then as good as closed, and the section can stay as it is. Each "
        "use sends an alarm to the account's topic, if a CloudTrail trail logs management events in the region.",
        default=False,
    )
    principals: Annotated[tuple[PrincipalArn, ...], DISTINCT] = setting(
        "ARNs of the IAM roles or users that may assume the role. Those of another account need "
        "`breakGlassExternalId`.",
        default=(),
        shown="required while `open`",
    )
    source_identities: Annotated[tuple[SourceIdentity, ...], DISTINCT] = setting(
        "Who may use the role: each person's source identity, such as an e-mail address. It stands in CloudTrail.",
        default=(),
        shown="required while `open`",
    )
    ticket: SessionName | None = setting(
        "The ticket that the role is opened for. Sessions must be called by it, so that it stands in CloudTrail with "
        "every call.",
        default=None,
        shown="required while `open`",
    )
    not_before: Moment | None = setting(
        "From when on the role can be assumed, in UTC: `2026-05-01T08:00:00Z`.",
        default=None,
        shown="required while `open`",
    )
    until: Moment | None = setting(
        "When it ends, in UTC, at most 7 days after `notBefore`. Sessions that are still open end as well.",
        default=None,
        shown="required while `open`",
    )
    shell: Switch = setting(
        "Whether a shell into a container may be opened as well (ECS Exec), after a restart with "
        "`--enable-execute-command`. It shows the secrets that the container holds, and for as long as the role is "
        "open the task role may use the channels of SSM.",
        default=False,
    )

    @field_validator("principals", "source_identities")
    @classmethod
    def _named(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Somebody is meant."""
        if info.data.get("open") and not value:
            raise refuse("at least one, since open is true", "name who is meant, or set open to false")
        return value

    @field_validator("ticket", "not_before", "until")
    @classmethod
    def _given(cls, value: str | None, info: ValidationInfo) -> str | None:
        """An opening has a reason and a window."""
        if info.data.get("open") and value is None:
            raise refuse("a value, since open is true", "give one, or set open to false")
        return value

    @field_validator("until")
    @classmethod
    def _not_for_long(cls, value: str | None, info: ValidationInfo) -> str | None:
        """The window is short. No clock is asked: a config stays in its repository after its window."""
        begin = info.data.get("not_before")
        if value is None or begin is None:
            return value
        if moment(value) <= moment(begin):
            raise refuse(f"a moment after notBefore, which is {begin}", "correct one of the two")
        if moment(value) - moment(begin) > LONGEST_WINDOW:
            last = (moment(begin) + LONGEST_WINDOW).strftime("%Y-%m-%dT%H:%M:%SZ")
            raise refuse(f"at most {LONGEST_WINDOW.days} days after notBefore: {last}", "open it again when it is over")
        return value

    @property
    def opening(self) -> Opening | None:
        """For whom and how long the role is open; ``None`` while it is closed."""
        if not self.open or self.ticket is None or self.not_before is None or self.until is None:
            return None
        return Opening(
            principals=self.principals,
            source_identities=self.source_identities,
            ticket=self.ticket,
            not_before=self.not_before,
            until=self.until,
            shell=self.shell,
        )


def partition_findings(config: BreakGlassConfig, account: AwsAccount) -> list[Finding]:
    """Principals of another partition: roles do not cross it."""
    return [
        Finding(
            at=("principals", index),
            allowed=f"principals of the partition {account.partition}, since region is {account.region}",
            remedy="name a role or user of that partition",
        )
        for index, principal in enumerate(config.principals)
        if not principal.startswith(f"arn:{account.partition}:iam:")
    ]


def foreign_principals_of(config: BreakGlassConfig, account: AwsAccount) -> tuple[str, ...]:
    """The principals of other accounts that an open role is for."""
    return foreign_principals(account, config.principals) if config.open else ()
