"""Whether a principal may do what a request asks for, and AWS's words when it may not.

Evaluated as AWS does (AWS docs: IAM User Guide, "Policy evaluation logic"): identity policies, permissions boundary and
session policy of the caller, each resource on its own, with the permissions that AWS checks beside the call; for
``sts:AssumeRole`` also the role's trust policy, across accounts. Not evaluated: resource policies other than trust
policies (on secrets, keys, topics, repositories), service control policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import Decision, Outcome, Request, evaluate, evaluate_trust
from byoc.sandbox.emulator.answers import ACCESS_DENIED, AwsError
from byoc.sandbox.emulator.context import Context, call_context, resource_context
from byoc.sandbox.emulator.dependents import Needed, needed_besides
from byoc.sandbox.emulator.identities import Principal
from byoc.sandbox.emulator.policies import boundary, identity_policies, parsed
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Model, StoredResources

ALWAYS_ALLOWED = frozenset({"sts:GetCallerIdentity"})
"""No policy can deny these (AWS docs: GetCallerIdentity)."""
_CHAINED_SESSION_SECONDS = 3600
"""The longest session that a role session may open in turn (AWS docs: AssumeRole)."""
_DEFAULT_SESSION_SECONDS = 3600
_ARN_COLONS = 5


class Authorizer:
    """The permissions of one principal during one call."""

    def __init__(self, request: ApiRequest, principal: Principal, stored: StoredResources) -> None:
        self._request = request
        self._principal = principal
        self._stored = stored
        self._identity = identity_policies(principal, stored)
        self._boundary = boundary(principal, stored)
        self._session = parsed(principal.session_policy) if principal.session_policy else None
        self._context = call_context(request, principal, stored)

    def require(self, resources: tuple[str, ...]) -> None:
        """Raise :class:`AwsError` unless the call on ``resources``, and all that it needs besides, is allowed."""
        request = self._request
        if request.action in ALWAYS_ALLOWED:
            return
        if request.action == "sts:AssumeRole":
            self._require_assume_role(request.text("RoleArn"))
            return
        self.require_needed(Needed(action=request.action, resources=resources))
        for needed in needed_besides(request, self._principal.account, resources, self._stored):
            self.require_needed(needed)

    def require_needed(self, needed: Needed) -> None:
        """Raise :class:`AwsError` unless one permission is given on each of its resources."""
        for resource in needed.resources:
            decision = self.decide(needed.action, resource, needed.context)
            if not decision.allowed:
                raise self._denied(needed.action, resource, _reason(decision, needed.action))

    def allows(self, needed: Needed) -> bool:
        """Whether one permission is given on each of its resources."""
        return all(self.decide(needed.action, resource, needed.context).allowed for resource in needed.resources)

    def decide(self, action: str, resource: str, extra: Mapping[str, Any]) -> Decision:
        """What the caller's policies say to one action on one resource."""
        context: Context = {
            **self._context,
            **resource_context(resource, self._principal.account, self._stored),
            **extra,
        }
        asked = Request(principal=self._principal.arn, action=action, resource=resource, context=context)
        decision = evaluate(asked, identity=self._identity, boundary=self._boundary)
        if decision.allowed and self._session is not None:
            limited = evaluate(asked, identity={"session": self._session})
            if not limited.allowed:
                return Decision(outcome=limited.outcome, statement=limited.statement, layer="session policy")
        return decision

    def _require_assume_role(self, role_arn: str) -> None:
        role = self._stored.role(role_arn) if role_arn.count(":") >= _ARN_COLONS else None
        self._require_both_sides("sts:AssumeRole", role_arn, role)
        # Each is a permission of its own (AWS docs: "Monitor and control actions taken with assumed roles",
        # "Pass session tags in AWS STS").
        for parameter, action in (("SourceIdentity", "sts:SetSourceIdentity"), ("Tags", "sts:TagSession")):
            if self._request.get(parameter):
                self._require_both_sides(action, role_arn, role)
        self._require_duration(role)

    def _require_both_sides(self, action: str, role_arn: str, role: Model) -> None:
        decision = self.decide(action, role_arn, {})
        if decision.outcome is Outcome.EXPLICIT_DENY or role is None:
            reason = _reason(decision, action) if not decision.allowed else ""
            raise self._denied(action, role_arn, reason)
        asked = Request(
            principal=self._principal.arn,
            action=action,
            resource=role_arn,
            context={**self._context, **resource_context(role_arn, self._principal.account, self._stored)},
        )
        trust = evaluate_trust(asked, parsed(role.assume_role_policy_document))
        if not trust.allowed:
            raise self._denied(action, role_arn, "")
        if not decision.allowed and not self._named_by(trust, role.account_id):
            raise self._denied(action, role_arn, _reason(decision, action))

    def _named_by(self, trust: Decision, role_account: str) -> bool:
        """Whether a trust policy of the caller's own account names the caller, who then needs no identity policy."""
        if role_account != self._principal.account or trust.statement is None:
            return False
        if self._boundary is not None or self._session is not None:
            return False
        principals = trust.statement.get("Principal", {})
        named = as_texts(principals.get("AWS", [])) if isinstance(principals, Mapping) else ()
        return self._principal.arn in named or self._principal.policy_arn in named

    def _require_duration(self, role: Model) -> None:
        seconds = int(self._request.get("DurationSeconds", _DEFAULT_SESSION_SECONDS))
        if self._principal.is_session and seconds > _CHAINED_SESSION_SECONDS:
            raise _invalid_duration(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
            )
        if seconds > int(role.max_session_duration or _DEFAULT_SESSION_SECONDS):
            raise _invalid_duration("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")

    def _denied(self, action: str, resource: str, reason: str) -> AwsError:
        message = f"User: {self._principal.arn} is not authorized to perform: {action} on resource: {resource}{reason}"
        if self._request.service == "ec2":
            message = f"You are not authorized to perform this operation. {message}"
        return AwsError(message, ACCESS_DENIED)


def _invalid_duration(message: str) -> AwsError:
    return AwsError.plain("ValidationError", message)


def _reason(decision: Decision, action: str) -> str:
    """AWS's words for why (AWS docs: IAM User Guide, "Troubleshoot access denied error messages")."""
    kind = "an identity-based policy"
    if decision.layer == "boundary":
        kind = "a permissions boundary"
    elif decision.layer == "session policy":
        kind = "a session policy"
    if decision.outcome is Outcome.EXPLICIT_DENY:
        return f" with an explicit deny in {kind}"
    return f" because no {kind.partition(' ')[2]} allows the {action} action"
