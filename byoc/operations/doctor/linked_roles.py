"""The roles that AWS services use for themselves: there, or made by whom."""

from __future__ import annotations

from collections.abc import Mapping

from byoc.config import AccountConfig
from byoc.operations.doctor.asking import Absent, NoAnswer, known
from byoc.operations.doctor.checks import Area, Check, failed, passed
from byoc.operations.doctor.subject import Subject
from byoc.permissions.needs.features import LINKED_ROLES

_AREA = Area.LINKED_ROLES
There = bool
Roles = Mapping[str, There | NoAnswer]
"""By role name: whether it is there."""


def read_linked_roles(subject: Subject) -> Roles:
    """Which of the roles are there that the stack's services need; of an account stack, those of all deployments."""
    return {role: _there(subject, role) for _, role in wanted(subject)}


def wanted(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Service and role name, for each role that the stack, or its deployments to come, work through."""
    types = subject.planned.types if subject.is_deployment else frozenset(LINKED_ROLES)
    return tuple(sorted(named for type_, named in LINKED_ROLES.items() if type_ in types))


def judge_linked_roles(roles: Roles, services: Mapping[str, str], *, made: bool) -> tuple[Check, ...]:
    """``services``: the service of each role. ``made``: whether the stack makes what is absent."""
    return tuple(_judge(role, there, services[role], made=made) for role, there in roles.items())


def judged(subject: Subject) -> tuple[Check, ...]:
    """Ask and judge."""
    config = subject.config
    made = isinstance(config, AccountConfig) and config.service_linked_roles
    services = {role: service for service, role in wanted(subject)}
    return judge_linked_roles(read_linked_roles(subject), services, made=made)


def _there(subject: Subject, role: str) -> There | NoAnswer:
    answer = known(lambda: subject.account.ask("iam:GetRole", RoleName=role)["Role"])
    if isinstance(answer, NoAnswer):
        return answer
    return not isinstance(answer, Absent)


def _judge(role: str, there: There | NoAnswer, service: str, *, made: bool) -> Check:
    if isinstance(there, NoAnswer):
        return there.check(_AREA, role)
    if there:
        return passed(_AREA, role, "is there")
    if made:
        return passed(_AREA, role, "is not there: up makes it (byoc:serviceLinkedRoles)")
    return failed(
        _AREA,
        role,
        "is not there; AWS makes it at the first use, which can fail that use",
        "bring the account stack up with byoc:serviceLinkedRoles, or "
        f"aws iam create-service-linked-role --aws-service-name {service}",
    )
