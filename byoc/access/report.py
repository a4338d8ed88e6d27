"""The access of an install, written for the one who has to sign it: Markdown, or a page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from byoc.access.grants import Expand, allowing, grants_of
from byoc.access.probes import Probe, probes, trust_probes
from byoc.access.role import Role
from byoc.permissions.evaluation.evaluator import evaluate
from byoc.permissions.needs.actions import MEASURED, Need
from byoc.permissions.needs.deployment import deployment_needs
from byoc.permissions.needs.requests import requests_of
from byoc.version import __version__


@dataclass(frozen=True, kw_only=True)
class Used:
    """One action that provisioning calls."""

    action: str
    kinds: str
    """The resource types that it is for, and the phases of their life."""
    resource: str
    """The resource that it is asked for, in this install's names."""
    reason: str
    granted_by: str
    """Policy and statement."""


@dataclass(frozen=True, kw_only=True)
class Surplus:
    """What a service's grant goes beyond need."""

    service: str
    granted: int
    """Actions that the role's policies allow somewhere."""
    used: int
    """Actions of these that provisioning calls."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the page says."""

    role: Role
    version: str
    used: tuple[Used, ...]
    refused: tuple[Probe, ...]
    allowed: tuple[Probe, ...]
    """Questions about what is not this install's that the policies answer with yes."""
    trust: tuple[Probe, ...]
    surplus: tuple[Surplus, ...]

    @property
    def summary(self) -> tuple[str, ...]:
        """The page in four sentences."""
        role, asked = self.role, len(self.refused) + len(self.allowed)
        who = "1 principal" if len(role.principals) == 1 else f"{len(role.principals)} principals"
        ids = "one external id" if role.external_ids == 1 else "one of two external ids, while one replaces the other"
        hours = "an hour" if role.session_hours == 1 else f"{role.session_hours} hours"
        answer = f"refuse {len(self.refused)} and allow {len(self.allowed)}" if self.allowed else "refuse all"
        return (
            f"{who} from outside may assume the role, with {ids}, for {hours} at most.",
            f"Provisioning calls {len(self.used)} actions of {len(self.services)} services. Each is listed below, with "
            "what it is for.",
            f"Of {asked} things that are none of this install's business, the role's policies {answer}.",
            "Data stays in RDS and Secrets Manager of this account. Who runs the deployment stacks also keeps their "
            "state, which holds passwords and connection URIs, encrypted (docs/backends.md).",
        )

    @property
    def could_be_closed(self) -> bool:
        """Whether the guardrails would refuse what is allowed now."""
        return self.role.mode == "documented" and not self.role.denying

    @property
    def revocation(self) -> str:
        """The command that takes every right away at once."""
        deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]}, separators=(",", ":"))
        name = self.role.names.control_plane_role
        return f"aws iam put-role-policy --role-name {name} --policy-name Revoked --policy-document '{document}'"

    @property
    def services(self) -> tuple[str, ...]:
        """The services that are called, sorted."""
        return tuple(sorted({item.action.partition(":")[0] for item in self.used}))

    @property
    def documents(self) -> tuple[tuple[str, str], ...]:
        """Trust policy and own policies, as JSON."""
        named = {"Trust policy": self.role.trust, **self.role.own}
        return tuple((name, json.dumps(document, indent=2)) for name, document in named.items())


def report_of(role: Role, expand: Expand) -> Report:
    """Work out what the report says; ``expand`` as in :mod:`byoc.access.grants`."""
    asked = probes(role)
    return Report(
        role=role,
        version=__version__,
        used=tuple(_used(role)),
        refused=tuple(probe for probe in asked if not probe.decision.allowed),
        allowed=tuple(probe for probe in asked if probe.decision.allowed),
        trust=trust_probes(role),
        surplus=tuple(_surplus(role, expand)),
    )


def as_markdown(report: Report) -> str:
    """The report as Markdown, with the data flow as a Mermaid diagram."""
    return _rendered("report.md.jinja", report)


def as_html(report: Report) -> str:
    """The report as one HTML page without anything from outside: no script, no font, no picture."""
    return _rendered("report.html.jinja", report)


def _rendered(template: str, report: Report) -> str:
    environment = Environment(
        loader=PackageLoader("byoc.access"),
        autoescape=template.endswith(".html.jinja"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(report=report, role=report.role)


def _used(role: Role) -> Iterable[Used]:
    by_action: dict[str, list[Need]] = {}
    for need in deployment_needs():
        by_action.setdefault(need.action, []).append(need)
    for action, needs in sorted(by_action.items()):
        request = requests_of(needs[0], role.account, role.names, role_path=role.role_path)[0]
        decision = evaluate(request, identity=role.policies)
        statement: Mapping[str, Any] = decision.statement or {}
        policy = decision.layer.removeprefix("identity policy ")
        yield Used(
            action=action,
            kinds=_kinds(needs),
            resource=request.resource,
            reason="; ".join(dict.fromkeys(_reason(need) for need in needs)),
            granted_by=" ".join(filter(None, (policy, statement.get("Sid", "")))) if decision.allowed else "nothing",
        )


def _kinds(needs: Iterable[Need]) -> str:
    phases: dict[str, list[str]] = {}
    for need in needs:
        phases.setdefault(need.token.rpartition(":")[2], []).append(need.phase.value)
    return ", ".join(f"{kind} ({', '.join(dict.fromkeys(found))})" for kind, found in sorted(phases.items()))


def _reason(need: Need) -> str:
    return "the AWS provider calls it (measured)" if need.reason == MEASURED else need.reason


def _surplus(role: Role, expand: Expand) -> Iterable[Surplus]:
    needed = {need.action for need in deployment_needs()}
    granted = [action for action, scopes in grants_of(role.policies, expand).items() if allowing(scopes)]
    services = sorted({action.partition(":")[0] for action in granted})
    for service in services:
        of_service = [action for action in granted if action.startswith(f"{service}:")]
        yield Surplus(service=service, granted=len(of_service), used=len(needed & set(of_service)))
