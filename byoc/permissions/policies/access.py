"""All that the cross-account role is, as one pure function of an install's settings.

Everything that makes, shows or checks the role begins here, so that no two of them can differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from byoc.permissions.external_ids import why_guessable
from byoc.permissions.install import Account
from byoc.permissions.policies import boundary, event_rules, guardrails, supplement, switches
from byoc.permissions.policies.documents import (
    MANAGED_POLICY_LIMIT,
    Document,
    compact,
    control_plane_trust,
    require_exact_principals,
)
from byoc.permissions.policies.managed import CONTROL_PLANE
from byoc.permissions.policies.scoped.conditions import Install
from byoc.permissions.policies.scoped.policies import AREAS, OBSERVING, Area

Mode = Literal["documented", "scoped"]

POLICIES_OF_A_ROLE = 10
"""Managed policies that can be attached to a role (AWS docs: IAM and AWS STS quotas; the default)."""
POLICIES_VERSION = "2"
"""Version of the documents that this library writes: it changes with every release in which any of them reads
otherwise. Version 1 is that of byoc 0.1."""


class AccessNames(boundary.BoundaryNames, Protocol):
    """The physical names of the role and its policies."""

    @property
    def supplement_policy(self) -> str:
        """Name of the policy beside the five documented ones."""

    @property
    def guardrail_policy(self) -> str:
        """Name of the policy that denies what is beyond need."""

    @property
    def no_deletions_policy(self) -> str:
        """Name of the policy that denies deletions."""

    @property
    def suspended_policy(self) -> str:
        """Name of the policy that denies everything."""

    def scoped_policy(self, area: str) -> str:
        """Name of a policy of scoped mode."""

    def event_rule(self, subject: str) -> str:
        """Name of an EventBridge rule of the account, by what it tells of."""


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """What the config says about the role, but for its external ids, which are secrets.

    ``mode``: ``documented`` with the five policies of AWS, or ``scoped`` with generated ones alone.
    ``account_roots``: whether a principal may be a whole account. ``guessable_external_ids``: whether an external id
    may be one that can be guessed by its looks. ``guardrails``: whether a policy that only denies takes back what is
    beyond need; scoped mode has nothing to take back.
    ``allow_delete``: ``False`` takes the deletion of data and services away (:mod:`.switches`). ``suspend``: denies
    everything. ``permissions_boundary``: the ARN of a policy, the customer's or our own (:mod:`.boundary`); the role
    then carries what keeps it there. ``observe_only``: in either mode nothing but the reads of scoped mode.
    ``event_rules``: whether the account has EventBridge rules that tell of the role, which must be kept from it.
    ``supplement_description``: of an adopted policy; by default this library's.
    """

    mode: Mode = "documented"
    principals: tuple[str, ...] = ()
    account_roots: bool = False
    guessable_external_ids: bool = False
    guardrails: bool = True
    permissions_boundary: str | None = None
    role_path: str = "/"
    max_session_seconds: int = 3600
    allow_delete: bool = True
    suspend: bool = False
    observe_only: bool = False
    event_rules: bool = False
    supplement_description: str | None = None


@dataclass(frozen=True, kw_only=True)
class OwnPolicy:
    """A policy that this library writes."""

    key: str
    """What its logical name ends in."""
    name: str
    description: str
    document: Document

    @property
    def denies(self) -> bool:
        """Whether it only denies."""
        return all(statement["Effect"] == "Deny" for statement in self.document["Statement"])

    @property
    def text(self) -> str:
        """The document without white space; raises ``ValueError`` if it is longer than AWS allows."""
        return compact(self.document, limit=MANAGED_POLICY_LIMIT, what=f"the policy {self.name}")


@dataclass(frozen=True, kw_only=True)
class RoleGrants:
    """The role: who may assume it, within which limits, and what it may do."""

    role_name: str
    role_arn: str
    description: str
    path: str
    permissions_boundary: str | None
    max_session_seconds: int
    principals: tuple[str, ...]
    account_roots: bool
    """Whether one of them may be a whole account."""
    guessable_external_ids: bool
    """Whether an external id may be one that can be guessed."""
    aws_managed: tuple[str, ...]
    """Names of the policies of AWS."""
    own: tuple[OwnPolicy, ...]
    """Managed policies of this account; those that deny come first."""
    inline: tuple[OwnPolicy, ...]
    """Policies that are part of the role itself; they only deny."""
    reasons: Mapping[str, str]
    """What each statement of our own is for, by its ``Sid``."""

    def trust(self, external_ids: Sequence[str]) -> Document:
        """Who may assume the role with one of these ids; the first is the newest.

        Raises ``ValueError`` as ``control_plane_trust``, and for a newest id that can be guessed. No message has an id.
        """
        reason = None if self.guessable_external_ids or not external_ids else why_guessable(external_ids[0])
        if reason is not None:
            raise ValueError(f"an external id that nobody guesses; of this one, {reason}")
        return control_plane_trust(self.principals, external_ids, account_roots=self.account_roots)

    @property
    def documents(self) -> dict[str, Document]:
        """The own policies by physical name, those that are part of the role included."""
        return {policy.name: policy.document for policy in (*self.own, *self.inline)}


def control_plane_role(account: Account, names: AccessNames, settings: AccessSettings) -> RoleGrants:
    """The cross-account role under these settings.

    Raises ``ValueError`` for principals that are not exact.
    """
    require_exact_principals(settings.principals, account_roots=settings.account_roots)
    documented = settings.mode == "documented" and not settings.observe_only
    own = (*_denying(account, names, settings), *_granting(account, names, settings))
    inline = tuple(_inline(account, names, settings))
    used = {statement["Sid"] for policy in (*own, *inline) for statement in policy.document["Statement"]}
    return RoleGrants(
        role_name=names.control_plane_role,
        role_arn=account.role_arn(names.control_plane_role, settings.role_path),
        description="The LangGraph Cloud control plane provisions deployments with it",
        path=settings.role_path,
        permissions_boundary=settings.permissions_boundary,
        max_session_seconds=settings.max_session_seconds,
        principals=settings.principals,
        account_roots=settings.account_roots,
        guessable_external_ids=settings.guessable_external_ids,
        aws_managed=tuple(CONTROL_PLANE) if documented else (),
        own=own,
        inline=inline,
        reasons={sid: reason for sid, reason in _REASONS.items() if sid in used},
    )


_REASONS: Mapping[str, str] = {
    **switches.SUSPENDED_REASONS,
    **switches.NO_DELETIONS_REASONS,
    **guardrails.REASONS,
    **supplement.REASONS,
    **boundary.STAYS_REASONS,
    **event_rules.REASONS,
    **{sid: reason for area in AREAS for sid, reason in area.reasons.items()},
}


def _denying(account: Account, names: AccessNames, settings: AccessSettings) -> list[OwnPolicy]:
    found = []
    if settings.suspend:
        found.append(
            OwnPolicy(
                key="suspended",
                name=names.suspended_policy,
                description="Denies everything: the account's owner has suspended the control plane",
                document=switches.suspended(),
            )
        )
    if settings.guardrails:
        found.append(
            OwnPolicy(
                key="guardrails",
                name=names.guardrail_policy,
                description="Only denies: what the policies of AWS grant beyond what LangGraph Cloud deployments need",
                document=guardrails.guardrails(account, names, role_path=settings.role_path),
            )
        )
    if not settings.allow_delete:
        found.append(
            OwnPolicy(
                key="no-deletions",
                name=names.no_deletions_policy,
                description="Only denies: the deletion of data and services, but for what is being made",
                document=switches.no_deletions(account, names),
            )
        )
    return found


def _granting(account: Account, names: AccessNames, settings: AccessSettings) -> list[OwnPolicy]:
    if settings.observe_only or settings.mode == "scoped":
        install = Install(account, names, settings.role_path)
        areas = (OBSERVING,) if settings.observe_only else AREAS
        return [_scoped(area, install, names) for area in areas]
    description = settings.supplement_description
    return [
        OwnPolicy(
            key="supplement",
            name=names.supplement_policy,
            description="What provisioning LangGraph Cloud deployments needs beside the policies of AWS"
            if description is None
            else description,
            document=supplement.supplement(account, names),
        )
    ]


def _inline(account: Account, names: AccessNames, settings: AccessSettings) -> list[OwnPolicy]:
    found = []
    if settings.permissions_boundary is not None:
        found.append(
            OwnPolicy(
                key="boundary-stays",
                name=names.boundary_stays_policy,
                description="Only denies: the permissions boundary stays on every role",
                document=boundary.boundary_stays(account, names, settings.permissions_boundary),
            )
        )
    if settings.event_rules and settings.mode == "documented" and not settings.observe_only:
        found.append(
            OwnPolicy(
                key="rules-stay",
                name=names.event_rule("rules-stay"),
                description="Only denies: the rules that tell of the control plane",
                document=event_rules.rules_stay(account, names),
            )
        )
    return found


def _scoped(area: Area, install: Install, names: AccessNames) -> OwnPolicy:
    return OwnPolicy(
        key=f"scoped-{area.key}",
        name=names.scoped_policy(area.title),
        description=area.description,
        document=area.document(install),
    )
