"""The cross-account role of an account stack, as its config says it will be: trust, policies, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byoc.config import AccountConfig
from byoc.errors import InputError
from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Document
from byoc.permissions.policies.access import control_plane_role
from byoc.permissions.policies.documents import control_plane_trust
from byoc.permissions.policies.managed import documented_identity
from byoc.types import AwsAccount

HIDDEN = "[secret]"
"""What stands for an external id in everything that is shown."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """One version of the role. No external id is in it."""

    stack: str
    account: AwsAccount
    names: Names
    mode: str
    arn: str
    trust: Document
    """With :data:`HIDDEN` for each external id."""
    principals: tuple[str, ...]
    external_ids: int
    """How many are accepted: two while one is being changed."""
    policies: Mapping[str, Document]
    """Of AWS and our own, by name."""
    aws_managed: tuple[str, ...]
    """Which of the policies are AWS's."""
    denying: str
    """The name of the policy that only denies; empty if there is none."""
    reasons: Mapping[str, str]
    """What each statement of our own is for, by its ``Sid``."""
    boundary: str | None
    role_path: str
    session_hours: int

    @property
    def own(self) -> dict[str, Document]:
        """The policies that this library writes."""
        return {name: document for name, document in self.policies.items() if name not in self.aws_managed}


def role_of(stack: str, config: AccountConfig) -> Role:
    """The role that this config makes; raises :class:`~byoc.errors.InputError` if it makes none."""
    access, account, names = config.access, config.account, config.names
    if not access.enabled:
        raise InputError(
            f"stack '{stack}' makes no cross-account role: byoc:access.enabled is false\n"
            "      mend it:  name an account stack that a control plane has access to"
        )
    grants = control_plane_role(account, names, config.access_settings)
    documented = documented_identity() if grants.aws_managed else {}
    return Role(
        stack=stack,
        account=account,
        names=names,
        mode=access.mode,
        arn=account.role_arn(names.control_plane_role, access.role_path),
        trust=_hidden(control_plane_trust(access.principal_arns, list(config.external_ids))),
        principals=access.principal_arns,
        external_ids=len(config.external_ids),
        policies={**documented, **grants.documents},
        aws_managed=tuple(documented),
        denying=names.guardrail_policy if access.with_guardrails else "",
        reasons=grants.reasons,
        boundary=access.permissions_boundary,
        role_path=access.role_path,
        session_hours=access.max_session_hours,
    )


def _hidden(trust: Document) -> Document:
    """The trust policy without its external ids."""
    statements = []
    for statement in trust["Statement"]:
        conditions = {
            operator: {key: HIDDEN if key == "sts:ExternalId" else value for key, value in keys.items()}
            for operator, keys in statement["Condition"].items()
        }
        statements.append({**statement, "Condition": conditions})
    return {**trust, "Statement": statements}
