"""Looks for IAM roles and policies of an install, by name: IAM belongs to no region, and its lists have no tags."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.operations.answers import AbsentError
from byoc.operations.teardown.found import Found
from byoc.operations.teardown.subject import Subject

LINKED_ROLE = "service-linked role"
_LINKED_PATH = "/aws-service-role/"
_LINKED_SERVICES = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
)
"""Whose roles an account stack makes where there are none."""


def roles(subject: Subject) -> Iterator[Found]:
    """Roles, with their inline policies and attachments."""
    names = subject.names
    for name in (names.control_plane_role, names.execution_role, names.task_role, names.break_glass_role):
        try:
            subject.account.ask("iam:GetRole", RoleName=name)
        except AbsentError:
            continue
        yield Found(kind="IAM role", id=name)


def policies(subject: Subject) -> Iterator[Found]:
    """Policies of the account's own."""
    names = subject.names
    known = {
        names.supplement_policy,
        names.guardrail_policy,
        names.no_deletions_policy,
        names.suspended_policy,
        names.boundary_policy,
    }
    for item in subject.account.all("iam:ListPolicies", "Policies", Scope="Local"):
        if item["PolicyName"] in known or item["PolicyName"].startswith(names.scoped_policy("")):
            yield Found(kind="IAM policy", id=item["PolicyName"])


def linked_roles(subject: Subject) -> Iterator[Found]:
    """The roles of AWS's services, which the account shares."""
    for item in subject.account.all("iam:ListRoles", "Roles", PathPrefix=_LINKED_PATH):
        if item["Path"].removeprefix(_LINKED_PATH).rstrip("/") in _LINKED_SERVICES:
            yield Found(kind=LINKED_ROLE, id=item["RoleName"])
