"""IAM's policy simulation, answered by the same evaluation that the gate decides calls with. moto has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import (
    Decision,
    Document,
    Outcome,
    Request,
    covers_action,
    evaluate,
    statements,
)
from byoc.sandbox.emulator.answers import AwsError
from byoc.sandbox.emulator.identities import Principal
from byoc.sandbox.emulator.policies import boundary, identity_policies
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import StoredResources

_DECISIONS = {
    Outcome.ALLOWED: "allowed",
    Outcome.EXPLICIT_DENY: "explicitDeny",
    Outcome.IMPLICIT_DENY: "implicitDeny",
}


def simulate_principal_policy(request: ApiRequest, account: str) -> Mapping[str, Any]:
    """One result for each action and resource."""
    stored = StoredResources()
    principal = _principal(request, account, stored)
    context = {item["ContextKeyName"]: _values(item) for item in request.get("ContextEntries", [])}
    identity, limit = identity_policies(principal, stored), boundary(principal, stored)
    results = []
    for action in request.get("ActionNames", []):
        for resource in request.get("ResourceArns", ["*"]):
            asked = Request(principal=principal.arn, action=action, resource=resource, context=context)
            decision = evaluate(asked, identity=identity, boundary=limit)
            documents = [*identity.values(), *([limit] if limit is not None else [])]
            results.append(_result(asked, decision, _missing(documents, action, context), limited=limit is not None))
    return {"EvaluationResults": results, "IsTruncated": False}


def _principal(request: ApiRequest, account: str, stored: StoredResources) -> Principal:
    arn = request.text("PolicySourceArn")
    common = {"account": account, "partition": request.partition, "name": arn.rpartition("/")[2], "user_id": ""}
    if ":user/" in arn:
        return Principal(arn=arn, **common)
    if ":role/" in arn and stored.role(arn) is not None:
        return Principal(arn=arn, role_arn=arn, **common)
    raise AwsError.plain("NoSuchEntity", f"The entity {arn} cannot be found.", 404)


def _values(item: Mapping[str, Any]) -> str | list[str]:
    values = [str(value) for value in item.get("ContextKeyValues", [])]
    return values[0] if len(values) == 1 else values


def _result(asked: Request, decision: Decision, missing: list[str], *, limited: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "EvalActionName": asked.action,
        "EvalResourceName": asked.resource,
        "EvalDecision": _DECISIONS[decision.outcome],
        "MatchedStatements": [],
        "MissingContextValues": missing,
    }
    if decision.statement is not None:
        source = decision.layer.removeprefix("identity policy ").rpartition("/")[2]
        found["MatchedStatements"] = [{"SourcePolicyId": source, "SourcePolicyType": "IAM Policy"}]
    if limited:
        by_boundary = decision.layer == "boundary"
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": not by_boundary}
    return found


def _missing(documents: Iterable[Document], action: str, context: Mapping[str, object]) -> list[str]:
    """Keys that conditions of statements on the action look at, and that were not given."""
    given = {key.lower() for key in context}
    keys = {
        key
        for document in documents
        for statement in statements(document)
        if covers_action(statement, action)
        for tests in statement.get("Condition", {}).values()
        for key in as_texts(list(tests))
    }
    return sorted(key for key in keys if key.lower() not in given)
