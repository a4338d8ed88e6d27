"""The cross-account role of an account stack, as its config says it will be, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from byoc.access.break_glass import BreakGlass, break_glass_of
from byoc.access.hidden import HIDDEN, hidden
from byoc.access.ledger import Ledger, ledger_of
from byoc.config import AccountConfig
from byoc.errors import InputError
from byoc.naming import Names
from byoc.permissions.evaluation.evaluator import Document
from byoc.permissions.policies.access import AccessSettings, RoleGrants, control_plane_role
from byoc.permissions.policies.boundary import own_boundary, own_boundary_arn
from byoc.permissions.policies.managed import managed_policies
from byoc.types import AwsAccount

__all__ = ["HIDDEN", "Role", "role_of"]


@dataclass(frozen=True, kw_only=True)
class Role:
    """One version of the role. No external id is in it."""

    stack: str
    account: AwsAccount
    names: Names
    settings: AccessSettings
    grants: RoleGrants
    """What the settings come to."""
    trust: Document
    """With :data:`~byoc.access.hidden.HIDDEN` for each external id."""
    external_ids: int
    """How many are accepted: two while one is being changed."""
    break_glass: BreakGlass | None = None
    """The role for emergencies; none if the stack makes none."""
    ledger: Ledger | None = None
    """What is told of the roles; none if nothing is."""

    @property
    def arn(self) -> str:
        """What the control plane assumes."""
        return self.grants.role_arn

    @property
    def principals(self) -> tuple[str, ...]:
        """Who may assume it."""
        return self.grants.principals

    @property
    def boundary(self) -> str | None:
        """The ARN of its permissions boundary."""
        return self.grants.permissions_boundary

    @cached_property
    def own_boundary(self) -> Document | None:
        """The text of its permissions boundary, if that is this library's; a customer's own is not known here."""
        path = self.settings.role_path
        ours = self.boundary == own_boundary_arn(self.account, self.names, path)
        return own_boundary(self.account, self.names, role_path=path) if ours else None

    @cached_property
    def policies(self) -> Mapping[str, Document]:
        """All that it carries, by name: policies of AWS, then our own."""
        return _policies(self.grants)

    @cached_property
    def reviewed(self) -> Mapping[str, Document]:
        """What it carries but for the suspension: a reviewer signs what one switch would bring back."""
        return self.under(suspend=False) if self.settings.suspend else self.policies

    def under(self, **settings: object) -> Mapping[str, Document]:
        """The policies that this install's role would carry with other settings."""
        changed = replace(self.settings, **settings)  # type: ignore[arg-type]  # names and values are AccessSettings'
        return _policies(control_plane_role(self.account, self.names, changed))


def role_of(stack: str, config: AccountConfig) -> Role:
    """The role that this config makes; raises :class:`~byoc.errors.InputError` if it makes none."""
    if not config.access.enabled:
        raise InputError(
            f"stack '{stack}' makes no cross-account role: byoc:access.enabled is false\n"
            "      mend it:  name an account stack that a control plane has access to"
        )
    settings = config.access_settings
    grants = control_plane_role(config.account, config.names, settings)
    return Role(
        stack=stack,
        account=config.account,
        names=config.names,
        settings=settings,
        grants=grants,
        trust=hidden(grants.trust(config.external_ids)),
        external_ids=len(config.external_ids),
        break_glass=break_glass_of(config),
        ledger=ledger_of(config),
    )


def _policies(grants: RoleGrants) -> dict[str, Document]:
    return {**{name: managed_policies()[name].document for name in grants.aws_managed}, **grants.documents}
