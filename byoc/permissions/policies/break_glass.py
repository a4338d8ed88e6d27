"""The documents of the role for emergencies: closed by default, and open only to named people, for a ticket, for days.

What AWS enforces on who assumes the role: the principal, the source identity (who it is), the name of the session (the
ticket; CloudTrail shows it with every call), the region of the STS endpoint (so that the alarm of this region sees it),
the external id where one is set, and the window of time. The window stands in the trust policy and in the role's own
policy, so that a session that is still open ends with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from byoc.permissions.install import INSTALL_TAG, RDS_IDENTIFIER_LIMIT, Account, InstallNames, name_pattern
from byoc.permissions.policies.documents import VERSION, Document, control_plane_trust, require_exact_principals

INLINE_POLICY_LIMIT = 10240
"""Characters of all inline policies of a role together, white space left out (AWS docs: IAM and AWS STS quotas)."""
LONGEST_WINDOW = timedelta(days=7)
"""How long the role can be open at a time: an emergency that lasts longer is opened again, with somebody looking."""
SESSION_SECONDS = 3600
"""The longest session of the role: the shortest that IAM allows as a role's maximum."""

_IDENTITY = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class BreakGlassNames(InstallNames, Protocol):
    """The physical names that the policy speaks of."""

    @property
    def log_group(self) -> str:
        """Name of the log group of all containers."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """For whom, for what and for how long the role is open.

    ``principals``: ARNs of roles or users. ``source_identities``: who may act, as ``sts:SourceIdentity`` names them.
    ``ticket``: what the session must be called. ``not_before`` and ``until``: UTC, such as ``2026-05-01T08:00:00Z``.
    ``shell``: whether a shell into a container may be opened as well.
    """

    principals: tuple[str, ...]
    source_identities: tuple[str, ...]
    ticket: str
    not_before: str
    until: str
    shell: bool = False


def moment(text: str) -> datetime:
    """A moment as an opening writes it: UTC, to the second. Raises ``ValueError`` for anything else."""
    found = datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    if found.strftime(_MOMENT) != text:
        raise ValueError(f"{text!r} does not match {_MOMENT!r}: every part has all its digits")
    return found


def require_opening(account: Account, opening: Opening, external_ids: Sequence[str]) -> None:
    """Raise ``ValueError`` for an opening that is wider than it may be. The message holds no external id."""
    require_exact_principals(opening.principals)
    for text in (*opening.source_identities, opening.ticket):
        if not _IDENTITY.fullmatch(text):
            raise ValueError(f"source identities and tickets have 2 to 64 letters, digits and _+=,.@-; not {text!r}")
    if not opening.source_identities:
        raise ValueError("an opening names at least one source identity")
    length = moment(opening.until) - moment(opening.not_before)
    if not timedelta(0) < length <= LONGEST_WINDOW:
        window = f"from {opening.not_before} to {opening.until}"
        raise ValueError(f"an opening lasts up to {LONGEST_WINDOW.days} days, not {window}")
    if external_ids:
        control_plane_trust(opening.principals, external_ids)  # checks their form
    elif foreign := foreign_principals(account, opening.principals):
        raise ValueError(f"principals of another account need an external id: {', '.join(foreign)}")


def foreign_principals(account: Account, principals: Sequence[str]) -> tuple[str, ...]:
    """Those of ``principals`` that belong to another account."""
    return tuple(arn for arn in principals if arn.split(":")[4] != account.account_id)


def break_glass_trust(account: Account, opening: Opening | None, external_ids: Sequence[str] = ()) -> Document:
    """Who may assume the role; nobody while it is closed (``opening`` is ``None``).

    To set a source identity is a permission of its own (AWS docs: "Monitor and control actions taken with assumed
    roles"). It stands apart, since ``sts:SetSourceIdentity`` knows neither session names nor external ids.

    Raises ``ValueError`` as :func:`require_opening`.
    """
    if opening is None:
        return _document({"Sid": "Closed", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    require_opening(account, opening, external_ids)
    who = {"sts:SourceIdentity": list(opening.source_identities)}
    what = {"sts:RoleSessionName": opening.ticket, "aws:RequestedRegion": account.region}
    secret = {"sts:ExternalId": list(external_ids)} if external_ids else {}
    principals = {"AWS": list(opening.principals)}
    return _document(
        {
            "Sid": "BreakGlass",
            "Effect": "Allow",
            "Principal": principals,
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {**who, **what, **secret}, **_window(opening)},
        },
        {
            "Sid": "SourceIdentity",
            "Effect": "Allow",
            "Principal": principals,
            "Action": "sts:SetSourceIdentity",
            "Condition": {"StringEquals": who, **_window(opening)},
        },
    )


def break_glass_policy(account: Account, names: BreakGlassNames, opening: Opening | None) -> Document:
    """What the role may do: nothing while it is closed, not even what somebody else attaches to it.

    While it is open: read the logs of the containers, look at services, tasks, databases and health, start a service's
    containers anew, reboot a database; all of it of this install only, where AWS lets names tell, and in its region.
    No secrets, no IAM, no network, no deletes. ``ecs:UpdateService`` also changes how many containers run: AWS has no
    narrower action for a restart. Everything else is denied besides, whatever is attached.
    """
    if opening is None:
        return _document({"Sid": "Closed", "Effect": "Deny", "Action": "*", "Resource": "*"})
    allowed = [*_looking(account, names), *_mending(account, names, shell=opening.shell)]
    if opening.shell:
        allowed.append(_shell(account, names))
    actions = sorted({action for statement in allowed for action in statement["Action"]})
    return _document(
        *({**statement, "Condition": {**statement.get("Condition", {}), **_window(opening)}} for statement in allowed),
        # "*": whatever another policy of the role, or of a resource, may come to allow.
        {"Sid": "NothingElse", "Effect": "Deny", "NotAction": actions, "Resource": "*"},
        {
            "Sid": "Ended",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": opening.until}},
        },
    )


def shell_channels(opening: Opening) -> Document:
    """What the task role needs so that a shell into its containers opens, within the window (AWS docs: ECS Exec)."""
    channels = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
    return _document(
        {
            "Sid": "ShellChannels",
            "Effect": "Allow",
            "Action": [f"ssmmessages:{channel}" for channel in channels],
            "Resource": "*",  # AWS does not limit these by resource
            "Condition": _window(opening),
        }
    )


def _window(opening: Opening) -> Mapping[str, Any]:
    return {
        "DateGreaterThanEquals": {"aws:CurrentTime": opening.not_before},
        "DateLessThan": {"aws:CurrentTime": opening.until},
    }


def _looking(account: Account, names: BreakGlassNames) -> list[Document]:
    group = account.arn("logs", f"log-group:{names.log_group}")
    return [
        {
            "Sid": "ReadLogs",
            "Effect": "Allow",
            "Action": ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"],
            "Resource": [group, f"{group}:*"],  # "*": every stream of the group
        },
        {
            "Sid": "LookAtTasks",
            "Effect": "Allow",
            "Action": ["ecs:DescribeTasks", "ecs:ListServices", "ecs:ListTasks"],
            "Resource": "*",  # a list has no resource; the condition holds it to the cluster
            "Condition": {"ArnEquals": {"ecs:cluster": account.arn("ecs", f"cluster/{names.cluster}")}},
        },
        {
            "Sid": "LookAtServices",
            "Effect": "Allow",
            "Action": ["ecs:DescribeServices"],
            "Resource": _services(account, names),
        },
        {
            "Sid": "LookAtDatabases",
            "Effect": "Allow",
            "Action": ["rds:DescribeDBInstances"],
            "Resource": _databases(account, names),
        },
        {
            "Sid": "LookAtAlarms",
            "Effect": "Allow",
            "Action": ["cloudwatch:DescribeAlarms"],
            "Resource": account.arn("cloudwatch", f"alarm:{names.prefix}-*"),  # "*": every alarm of this install
        },
        {
            "Sid": "LookAtHealth",
            "Effect": "Allow",
            "Action": [
                "cloudwatch:GetMetricData",
                "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
            # AWS does not limit these by resource: states and figures of the region, no content.
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": account.region}},
        },
    ]


def _mending(account: Account, names: BreakGlassNames, *, shell: bool) -> list[Document]:
    no_shell = {} if shell else {"StringEqualsIfExists": {"ecs:enable-execute-command": "false"}}
    return [
        {
            "Sid": "RestartServices",
            "Effect": "Allow",
            "Action": ["ecs:UpdateService"],
            "Resource": _services(account, names),
            # IfExists: the same whether ECS tells only what a call changes, or also what stays as it is.
            "Condition": {
                # "*": every service and revision of this install; nobody else's containers come in its place.
                "ArnLikeIfExists": {"ecs:task-definition": account.arn("ecs", f"task-definition/{names.prefix}-*")},
                "BoolIfExists": {"ecs:auto-assign-public-ip": "false"},
                **no_shell,
            },
        },
        {
            "Sid": "RebootDatabases",
            "Effect": "Allow",
            "Action": ["rds:RebootDBInstance"],
            "Resource": _databases(account, names),
            "Condition": {"StringEquals": {f"aws:ResourceTag/{INSTALL_TAG}": names.prefix}},
        },
    ]


def _shell(account: Account, names: BreakGlassNames) -> Document:
    return {
        "Sid": "OpenShells",
        "Effect": "Allow",
        "Action": ["ecs:ExecuteCommand"],
        # "*": every task of the cluster. AWS asks for the cluster as well.
        "Resource": [account.arn("ecs", f"cluster/{names.cluster}"), account.arn("ecs", f"task/{names.cluster}/*")],
    }


def _services(account: Account, names: BreakGlassNames) -> str:
    return account.arn("ecs", f"service/{names.cluster}/*")  # "*": every service of the cluster


def _databases(account: Account, names: BreakGlassNames) -> str:
    return account.arn("rds", f"db:{name_pattern(names.prefix, RDS_IDENTIFIER_LIMIT)}")


def _document(*statements: Mapping[str, Any]) -> Document:
    return {"Version": VERSION, "Statement": [dict(statement) for statement in statements]}
