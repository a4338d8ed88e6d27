"""What the control plane does in the account, told to its alarm topic.

CloudTrail records every call and hands it to EventBridge of the region in which it was made (AWS docs: "AWS service
events delivered via AWS CloudTrail"); rules there pick out what a customer wants to hear of. The account needs a trail
that logs management events in that region. STS logs in the region of the endpoint that was called, the global one in
``us-east-1``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from byoc.naming import Names

Pattern = dict[str, Any]
"""An event pattern: which events a rule picks out (AWS docs: "Amazon EventBridge event patterns")."""
FROM_CLOUDTRAIL = {"detail-type": ["AWS API Call via CloudTrail"]}
DENIED = ({"prefix": "AccessDenied"}, {"suffix": "UnauthorizedOperation"}, "AuthorizationError")
"""The error codes by which services say no; EC2's reads ``Client.UnauthorizedOperation``, SNS's
``AuthorizationError``."""
DELETES = ({"prefix": "Delete"}, {"prefix": "BatchDelete"}, {"prefix": "Terminate"}, "ScheduleKeyDeletion")
"""What the names of calls begin with that delete something. Task definitions are deregistered with every revision: that
is no deletion worth telling."""
_READS_TOO = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_TOLD = {
    "action": "$.detail.eventName",
    "account": "$.account",
    "by": "$.detail.userIdentity.principalId",
    "error": "$.detail.errorCode",
    "event": "$.detail.eventID",
    "from": "$.detail.sourceIPAddress",
    "identity": "$.detail.requestParameters.sourceIdentity",
    "region": "$.region",
    "service": "$.detail.eventSource",
    "session": "$.detail.requestParameters.roleSessionName",
    "time": "$.time",
}
"""What a message takes from an event. Never the event as a whole: that of an ``AssumeRole`` holds the external id."""


def role_assumed(role_arn: str) -> Pattern:
    """A role being assumed, by whomever."""
    return {
        "source": ["aws.sts"],
        **FROM_CLOUDTRAIL,
        "detail": {
            "eventSource": ["sts.amazonaws.com"],
            "eventName": ["AssumeRole"],
            "requestParameters": {"roleArn": [role_arn]},
        },
    }


def calls_denied(role_arns: Sequence[str]) -> Pattern:
    """Calls of sessions of these roles that AWS denied, reads among them."""
    return _by_sessions(role_arns, errorCode=list(DENIED))


def deletes(role_arns: Sequence[str]) -> Pattern:
    """What sessions of these roles deleted; what they tried in vain is left out."""
    return _by_sessions(role_arns, eventName=list(DELETES), errorCode=[{"exists": False}])


def changes(role_arns: Sequence[str]) -> Pattern:
    """Calls of sessions of these roles that change something, whether they did or not."""
    return _by_sessions(role_arns, readOnly=[False])


def _by_sessions(role_arns: Sequence[str], **more: Sequence[object]) -> Pattern:
    issuer = {"sessionContext": {"sessionIssuer": {"arn": list(role_arns)}}}
    return {**FROM_CLOUDTRAIL, "detail": {"userIdentity": issuer, **more}}


def event_alarm(
    parent: pulumi.Resource,
    name: str,
    *,
    rule_name: str,
    headline: str,
    pattern: Mapping[str, Any],
    topic_arn: pulumi.Input[str],
    reads_too: bool = False,
) -> aws.cloudwatch.EventTarget:
    """A rule that sends a message to the topic for every event that fits, and its target.

    ``reads_too``: whether events count that CloudTrail marks as read-only (denied reads; ``AssumeRole``, which is
    marked so). The topic's policy must let ``events.amazonaws.com`` publish.
    """
    rule = aws.cloudwatch.EventRule(
        name,
        name=rule_name,
        description=headline,
        event_pattern=json.dumps(pattern),
        state=_READS_TOO if reads_too else "ENABLED",
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return aws.cloudwatch.EventTarget(
        f"{name}-topic",
        rule=rule.name,
        target_id="alarm-topic",
        arn=topic_arn,
        input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
            input_paths=_TOLD, input_template=json.dumps(_message(headline))
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _message(headline: str) -> str:
    return (
        f"{headline}. <service> <action> at <time> in account <account>, <region>, by <by> from <from>. "
        "Session: <session>. Source identity: <identity>. Error: <error>. CloudTrail event: <event>."
    )


@dataclass(frozen=True, kw_only=True)
class VendorActivitySettings:
    """What is told of; everything by default. ``break_glass``: changes made under that role, if there is one."""

    sessions: bool = True
    denied: bool = True
    deletes: bool = True
    break_glass: bool = True


@dataclass(frozen=True, kw_only=True)
class VendorActivityArgs:
    """Whose doings are told, and where to.

    ``control_plane_role_arn``, ``break_glass_role_arn``: exact, known beforehand; None for a role that is not made.
    ``topic_arn``: of a topic whose policy lets EventBridge publish.
    """

    names: Names
    control_plane_role_arn: str | None
    break_glass_role_arn: str | None
    topic_arn: pulumi.Input[str]
    settings: VendorActivitySettings = VendorActivitySettings()


class VendorActivity(pulumi.ComponentResource):
    """EventBridge rules to the alarm topic: the cross-account role assumed, its denied calls, its deletes; and what is
    changed under the break-glass role.

    EventBridge takes nothing for events of AWS's own; SNS bills messages. A destroy leaves nothing.
    """

    rule_names: pulumi.Output[Sequence[str]]
    """Names of the rules, in order."""

    def __init__(self, name: str, args: VendorActivityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:VendorActivity", name, None, opts)
        targets = [
            event_alarm(
                self,
                f"{name}-{subject}",
                rule_name=args.names.event_rule(f"vendor-{subject}"),
                headline=headline,
                pattern=pattern,
                topic_arn=args.topic_arn,
                reads_too=reads_too,
            )
            for subject, headline, pattern, reads_too in _rules(args)
        ]
        self.rule_names = pulumi.Output.all(*(target.rule for target in targets)).apply(lambda names: sorted(names))
        self.register_outputs({"rule_names": self.rule_names})


def _rules(args: VendorActivityArgs) -> list[tuple[str, str, Pattern, bool]]:
    """Every rule: its subject, what it says, its pattern, and whether it looks at reads as well."""
    control_plane, break_glass = args.control_plane_role_arn, args.break_glass_role_arn
    roles = [role for role in (control_plane, break_glass) if role is not None]
    found: list[tuple[str, str, Pattern, bool]] = []
    if args.settings.sessions and control_plane is not None:
        found.append(("session", "The control plane opened a session", role_assumed(control_plane), True))
    if args.settings.denied and roles:
        found.append(("denied", "A call of the control plane or of break-glass was denied", calls_denied(roles), True))
    if args.settings.deletes and roles:
        found.append(("delete", "The control plane or break-glass deleted something", deletes(roles), False))
    if args.settings.break_glass and break_glass is not None:
        found.append(("break-glass", "A change under the break-glass role", changes([break_glass]), False))
    return found
