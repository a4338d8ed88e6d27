"""Minting principals, and changing those of others: how a role becomes an administrator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from byoc.permissions.analyser.findings import Finding, Severity, Step, found
from byoc.permissions.analyser.places import FOREIGN, Place, named, roles
from byoc.permissions.analyser.reach import Reach

BOUNDARY = "iam:PermissionsBoundary"
POLICY = "iam:PolicyARN"


def iam_findings(reach: Reach) -> Iterator[Finding]:
    """Ways to make or change roles, users and policies that no boundary holds."""
    for way in (_mint_role, _mint_user, _forgotten_inline_policies):
        if finding := next(way(reach), None):
            yield finding
    for change in _CHANGES:
        if finding := next(_changes(reach, change), None):
            yield finding


def administrator(place: Place) -> str:
    """The ARN of AWS's policy for administrators."""
    return f"arn:{place.partition}:iam::aws:policy/AdministratorAccess"


def empower(reach: Reach, kind: str, target: str, place: Place, boundary: str | None) -> Step | None:
    """A way to give ``target``, a ``Role`` or ``User`` with that boundary, any rights at all: inline or attached."""
    return reach.can(f"iam:Put{kind}Policy", target, {BOUNDARY: boundary}) or reach.can(
        f"iam:Attach{kind}Policy", target, {BOUNDARY: boundary, POLICY: administrator(place)}
    )


def _boundaries(place: Place) -> tuple[str | None, ...]:
    """Boundaries that hold nothing: none, AWS's policy for administrators, and a policy of one's own making."""
    return None, administrator(place), place.iam(f"policy/{FOREIGN}")


def _mint_role(reach: Reach) -> Iterator[Finding]:
    for place in reach.home():
        for boundary in _boundaries(place):
            for role in roles(reach.subject, place):
                create = reach.can("iam:CreateRole", role, {BOUNDARY: boundary})
                give = create and empower(reach, "Role", role, place, boundary)
                if create and give:
                    yield found(
                        "mint-role",
                        Severity.CRITICAL,
                        [create, give],
                        "It can make a new role that it trusts itself to assume, and give it any rights at all: an "
                        "administrator.",
                        "Allow iam:CreateRole, iam:PutRolePolicy and iam:AttachRolePolicy only under a condition "
                        "StringEquals on iam:PermissionsBoundary with the ARN of a boundary, or not at all.",
                    )


def _mint_user(reach: Reach) -> Iterator[Finding]:
    for place in reach.home():
        for boundary in _boundaries(place):
            for user in named(reach.subject, "iam", "user/", place, region=False):
                create = reach.can("iam:CreateUser", user, {BOUNDARY: boundary})
                enter = create and (reach.can("iam:CreateAccessKey", user) or reach.can("iam:CreateLoginProfile", user))
                give = enter and empower(reach, "User", user, place, boundary)
                if create and enter and give:
                    yield found(
                        "mint-user",
                        Severity.CRITICAL,
                        [create, enter, give],
                        "It can make a new user with keys of its own and any rights at all: an administrator that "
                        "stays when the role is gone.",
                        "Take iam:CreateUser away; if it is needed, only under a condition StringEquals on "
                        "iam:PermissionsBoundary.",
                    )


def _forgotten_inline_policies(reach: Reach) -> Iterator[Finding]:
    for place in reach.home():
        for kind in ("Role", "User"):
            for target in named(reach.subject, "iam", f"{kind.lower()}/", place, region=False):
                key = {BOUNDARY: None}
                barred = reach.denied(f"iam:Attach{kind}Policy", target, {**key, POLICY: administrator(place)})
                put = barred and reach.can(f"iam:Put{kind}Policy", target, key)
                if barred and put:
                    yield found(
                        "inline-policies-forgotten",
                        Severity.CRITICAL,
                        [put, barred],
                        f"A Deny keeps it from attaching managed policies, but not from writing inline ones: "
                        f"iam:Put{kind}Policy gives the same rights.",
                        f"Add iam:Put{kind}Policy to the Deny on iam:Attach{kind}Policy.",
                    )


@dataclass(frozen=True, kw_only=True)
class _Change:
    id: str
    severity: Severity
    kind: str
    """What an ARN of the target begins with after the account: ``role/``."""
    actions: tuple[str, ...]
    explanation: str
    remedy: str
    foreign_only: bool = False
    """Whether a statement that is limited to names or to the caller itself is left alone."""
    boundary: bool = False
    """Whether the target's missing boundary is part of the question."""


_CHANGES = (
    _Change(
        id="change-role",
        severity=Severity.CRITICAL,
        kind="role/",
        actions=("iam:PutRolePolicy", "iam:AttachRolePolicy"),
        explanation="It can give any rights to roles that are there already and have no boundary.",
        remedy="Allow it only under a condition StringEquals on iam:PermissionsBoundary, or not at all.",
        boundary=True,
    ),
    _Change(
        id="change-user",
        severity=Severity.CRITICAL,
        kind="user/",
        actions=("iam:PutUserPolicy", "iam:AttachUserPolicy"),
        explanation="It can give any rights to users that are there already and have no boundary.",
        remedy="Allow it only under a condition StringEquals on iam:PermissionsBoundary, or not at all.",
        boundary=True,
    ),
    _Change(
        id="change-group",
        severity=Severity.CRITICAL,
        kind="group/",
        actions=("iam:PutGroupPolicy", "iam:AttachGroupPolicy", "iam:AddUserToGroup"),
        explanation="It can give any rights to a group, or put a user into a group of administrators.",
        remedy="Take these actions away.",
    ),
    _Change(
        id="take-user",
        severity=Severity.CRITICAL,
        kind="user/",
        actions=("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"),
        explanation="It can make keys or a password for a user that is there already, and become that user.",
        remedy="Take these actions away, or limit them to arn:aws:iam::ACCOUNT:user/${aws:username}.",
        foreign_only=True,
    ),
    _Change(
        id="change-trust",
        severity=Severity.CRITICAL,
        kind="role/",
        actions=("iam:UpdateAssumeRolePolicy",),
        explanation="It can rewrite who may assume a role, and let itself or anybody in.",
        remedy="Take iam:UpdateAssumeRolePolicy away.",
    ),
    _Change(
        id="change-policy",
        severity=Severity.CRITICAL,
        kind="policy/",
        actions=("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
        explanation="It can rewrite policies of the account, whoever they are attached to, boundaries included.",
        remedy="Take these actions away, or limit them to policies by name.",
        foreign_only=True,
    ),
    _Change(
        id="drop-boundary",
        severity=Severity.CRITICAL,
        kind="role/",
        actions=("iam:DeleteRolePermissionsBoundary",),
        explanation="It can take the boundary off a role, and so undo whatever limit its rights have.",
        remedy="Deny iam:DeleteRolePermissionsBoundary on every role.",
    ),
    _Change(
        id="change-boundary",
        severity=Severity.CRITICAL,
        kind="role/",
        actions=("iam:PutRolePermissionsBoundary",),
        explanation="It can set a boundary that holds nothing on a role, in the place of one that does.",
        remedy="Allow it only under a condition StringEquals on iam:PermissionsBoundary, or not at all.",
    ),
    _Change(
        id="assume-any-role",
        severity=Severity.HIGH,
        kind="role/",
        actions=("sts:AssumeRole",),
        explanation="It can assume every role of the account that trusts the account.",
        remedy="Name the roles that it may assume.",
        foreign_only=True,
    ),
)


def _changes(reach: Reach, change: _Change) -> Iterator[Finding]:
    for place in reach.home():
        targets = named(reach.subject, "iam", change.kind, place, region=False)
        for target in targets[:1] if change.foreign_only else targets:
            if target == reach.arn:
                continue  # a question of its own
            steps = [step for action in change.actions if (step := _change(reach, change, action, target, place))]
            if steps:
                yield found(change.id, change.severity, steps, change.explanation, change.remedy)


def _change(reach: Reach, change: _Change, action: str, target: str, place: Place) -> Step | None:
    fixed: dict[str, str | None] = {BOUNDARY: None} if change.boundary else {}
    if action.startswith("iam:Attach"):
        fixed[POLICY] = administrator(place)
    if action != "iam:PutRolePermissionsBoundary":
        return reach.can(action, target, fixed)
    ways = (reach.can(action, target, {BOUNDARY: boundary}) for boundary in _boundaries(place)[1:])
    return next((step for step in ways if step), None)
