"""A second role, for emergencies: closed unless it is opened to named people, for a ticket, for a few days at most."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from byoc.components.boundary import Boundary, boundary_of_role
from byoc.components.vendor_activity import event_alarm, role_assumed
from byoc.errors import ByocError, Problem
from byoc.naming import Names
from byoc.permissions.policies.break_glass import (
    INLINE_POLICY_LIMIT,
    SESSION_SECONDS,
    Opening,
    break_glass_policy,
    break_glass_trust,
    shell_channels,
)
from byoc.permissions.policies.documents import TRUST_POLICY_LIMIT, compact
from byoc.types import AwsAccount


@dataclass(frozen=True, kw_only=True)
class BreakGlassSettings:
    """For whom the role is open.

    ``opening``: by default none, and the role denies everything. ``external_ids``: what they must send along; needed
    for principals of another account, by default none. They are handled as secrets in any case.
    ``permissions_boundary``: the ARN of a policy, or the install's own; by default the role has none. Nothing else has
    to keep it there: the role's policy denies all of IAM in any case. ``role_path``: by default ``/``.
    """

    opening: Opening | None = None
    external_ids: Sequence[str] = field(default=(), repr=False)
    permissions_boundary: Boundary | None = None
    role_path: str = "/"


@dataclass(frozen=True, kw_only=True)
class BreakGlassArgs:
    """Where the role stands, and who hears of its use.

    ``topic_arn``: of a topic whose policy lets EventBridge publish. ``task_role_arn``: of the role under which the
    graphs' code runs; it may use SSM's channels while shells are open.
    """

    account: AwsAccount
    names: Names
    topic_arn: pulumi.Input[str]
    task_role_arn: pulumi.Input[str]
    settings: BreakGlassSettings = field(default_factory=BreakGlassSettings)


class BreakGlass(pulumi.ComponentResource):
    """The role for emergencies, and the alarm on its use.

    The alarm is there before the role is, and goes after it. While the role is closed, its trust and its policy deny
    everything; a session from before loses its rights with that. When an opening's window is over the role denies
    everything as well, without another run. Sessions last an hour at most.

    The alarm needs a trail in CloudTrail that logs management events in the region. The role can be assumed at the STS
    endpoint of that region only, so that no use passes it by. It costs nothing; a destroy leaves nothing.

    Raises ``ByocError`` for an opening that is wider than it may be (``permissions/policies/break_glass.py``).
    """

    role_arn: pulumi.Output[str]
    """What is assumed in an emergency."""
    role_name: pulumi.Output[str]
    """The role's name."""

    def __init__(self, name: str, args: BreakGlassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:BreakGlass", name, None, opts)
        names, settings = args.names, args.settings
        trust, policy = _documents(args)
        alarm = event_alarm(
            self,
            f"{name}-used",
            rule_name=names.event_rule("break-glass-used"),
            headline="The break-glass role was assumed",
            pattern=role_assumed(args.account.role_arn(names.break_glass_role, settings.role_path)),
            topic_arn=args.topic_arn,
            reads_too=True,
        )
        role = aws.iam.Role(
            f"{name}-role",
            name=names.break_glass_role,
            description="For emergencies; closed unless its trust policy names people, a ticket and an end",
            path=settings.role_path,
            permissions_boundary=boundary_of_role(
                settings.permissions_boundary, args.account, names, settings.role_path
            ),
            max_session_duration=SESSION_SECONDS,
            assume_role_policy=pulumi.Output.secret(trust) if settings.external_ids else trust,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[alarm]),
        )
        aws.iam.RolePolicy(
            f"{name}-policy",
            name=names.break_glass_policy,
            role=role.name,
            policy=policy,
            opts=pulumi.ResourceOptions(parent=self),
        )
        if settings.opening is not None and settings.opening.shell:
            task_role = pulumi.Output.from_input(args.task_role_arn).apply(lambda arn: arn.rpartition("/")[2])
            aws.iam.RolePolicy(
                f"{name}-shell",
                name=names.break_glass_policy,
                role=task_role,
                policy=json.dumps(shell_channels(settings.opening)),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.role_arn = role.arn
        self.role_name = role.name
        self.register_outputs({"role_arn": self.role_arn, "role_name": self.role_name})


def _documents(args: BreakGlassArgs) -> tuple[str, str]:
    """The role's trust and policy as JSON."""
    settings = args.settings
    try:
        trust = break_glass_trust(args.account, settings.opening, settings.external_ids)
        policy = break_glass_policy(args.account, args.names, settings.opening)
        return (
            compact(trust, limit=TRUST_POLICY_LIMIT, what="the trust policy of the break-glass role"),
            compact(policy, limit=INLINE_POLICY_LIMIT, what="the policy of the break-glass role"),
        )
    except ValueError as error:
        problem = Problem(
            key="byoc:breakGlass",
            value="an opening",
            allowed=str(error),
            remedy="name fewer principals and people, or set breakGlass.open to false",
        )
        raise ByocError(f"break-glass access cannot be set up\n{problem.render()}") from error
