"""Whether a role can rewrite what limits it: its policies, its boundary, its trust."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.permissions.analyser.findings import Finding, Severity, Step, found
from byoc.permissions.analyser.iam import BOUNDARY, POLICY, administrator, empower
from byoc.permissions.analyser.places import Place
from byoc.permissions.analyser.reach import Reach
from byoc.permissions.evaluation.evaluator import statements

_VERSIONS = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")


def own_findings(reach: Reach) -> Iterator[Finding]:
    """Ways to undo one's own limits."""
    kind = "User" if ":user/" in reach.arn else "Role"
    place = next((place for place in reach.places if place.account == reach.arn.split(":")[4]), reach.places[0])
    if steps := _policies(reach, kind, place):
        yield found(
            "rewrite-own-policy",
            Severity.CRITICAL,
            steps,
            "It can change its own policies: whatever they deny or leave out, it can give itself.",
            "Deny every change of the role and of its policies to the role itself.",
        )
    if kind == "Role" and (step := reach.can("iam:UpdateAssumeRolePolicy", reach.arn)):
        yield found(
            "rewrite-own-trust",
            Severity.CRITICAL,
            [step],
            "It can change who may assume it, and drop the external id.",
            "Deny iam:UpdateAssumeRolePolicy on the role itself.",
        )
    if reach.subject.boundary is not None and (steps := _boundary(reach, kind, place)):
        yield found(
            "rewrite-own-boundary",
            Severity.CRITICAL,
            steps,
            "It can replace, remove or edit its own permissions boundary, which then limits nothing.",
            "Deny changes of the role's boundary, and new versions of the boundary policy, in the boundary itself.",
        )


def _policies(reach: Reach, kind: str, place: Place) -> list[Step]:
    own = {BOUNDARY: reach.boundary_arn if reach.subject.boundary is not None else None}
    steps = [empower(reach, kind, reach.arn, place, own[BOUNDARY])]
    denying = [name for name, held in reach.subject.identity.items() if _denies(held)]
    for name in denying:  # a policy that denies is taken off
        policy = place.iam(f"policy/{name}")
        steps += [
            reach.can(f"iam:Delete{kind}Policy", reach.arn, own),
            reach.can(f"iam:Detach{kind}Policy", reach.arn, {**own, POLICY: policy}),
        ]
    policies = (place.iam(f"policy/{name}") for name in reach.subject.identity)
    steps += [reach.can(action, policy) for policy in policies for action in _VERSIONS]
    return [step for step in steps if step]


def _boundary(reach: Reach, kind: str, place: Place) -> list[Step]:
    steps = [
        reach.can(f"iam:Delete{kind}PermissionsBoundary", reach.arn, {BOUNDARY: reach.boundary_arn}),
        reach.can(f"iam:Put{kind}PermissionsBoundary", reach.arn, {BOUNDARY: administrator(place)}),
        *(reach.can(action, reach.boundary_arn) for action in _VERSIONS),
    ]
    return [step for step in steps if step]


def _denies(document: object) -> bool:
    return isinstance(document, dict) and any(one.get("Effect") == "Deny" for one in statements(document))
