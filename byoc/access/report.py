"""The access of an install, written for the one who has to sign it: Markdown, or a page that needs nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from byoc.access import words
from byoc.access.break_glass import REASONS as BREAK_GLASS_REASONS
from byoc.access.excess import Beyond, beyond
from byoc.access.grants import Expand
from byoc.access.needs import Used, looking_after, operating, provisioning, used
from byoc.access.probes import Probe, probes, trust_probes
from byoc.access.role import Role
from byoc.permissions.evaluation.evaluator import Document, statements
from byoc.permissions.policies.access import POLICIES_VERSION
from byoc.permissions.policies.boundary import OWN_REASONS
from byoc.permissions.policies.managed import managed_policies
from byoc.version import __version__


@dataclass(frozen=True, kw_only=True)
class Text:
    """One document, as the page shows it."""

    name: str
    note: str
    """Where it is, and its version."""
    reasons: tuple[tuple[str, str], ...]
    """Each statement's ``Sid``, and what it is for."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the page says."""

    role: Role
    version: str
    policies_version: str
    used: tuple[Used, ...]
    """What provisioning calls."""
    looking_after: tuple[Used, ...]
    operating: tuple[Used, ...]
    """What the verbs beside them ask; some of it the role is not given on purpose (docs/access.md)."""
    refused: tuple[Probe, ...]
    allowed: tuple[Probe, ...]
    """Questions about what is not this install's that the policies answer with yes."""
    could_be_closed: int
    """How many of these the guardrails would refuse."""
    trust: tuple[Probe, ...]
    beyond: Beyond
    emergency: tuple[Probe, ...]
    """What the open role for emergencies is asked; nothing while there is none, or it is closed."""

    @property
    def summary(self) -> tuple[str, ...]:
        """The page in a few sentences."""
        asked = (*self.refused, *self.allowed)
        return words.summary(
            self.role,
            words.Answers(
                provisioning=self.used, looking_after=self.looking_after, operating=self.operating, probes=asked
            ),
        )

    @property
    def settings(self) -> str:
        """Mode and switches."""
        return words.settings_words(self.role)

    @property
    def limits(self) -> tuple[tuple[str, str], ...]:
        """Session, boundary and path."""
        return words.limits(self.role)

    @property
    def why_more(self) -> str:
        """Why it may do more than it should."""
        return words.why_more(self.role, self.allowed, self.could_be_closed)

    @property
    def beyond_heading(self) -> str:
        """What the comparison is about."""
        return words.beyond_heading(self.role)

    @property
    def beyond_words(self) -> tuple[str, ...]:
        """The comparison in a few sentences."""
        return words.beyond_words(self.role, self.beyond)

    @property
    def compared_with(self) -> str:
        """The mode that the role is held against."""
        return words.compared_with(self.role)

    @property
    def emergency_words(self) -> str:
        """What the open role for emergencies answers."""
        return words.emergency_words(self.emergency)

    @property
    def does(self) -> str:
        """What the role does to services."""
        return words.does(self.role)[0]

    @property
    def does_with_secrets(self) -> str:
        """What the role does to secrets."""
        return words.does(self.role)[1]

    @property
    def revocation(self) -> str:
        """The command that takes every right away at once."""
        deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]}, separators=(",", ":"))
        name = self.role.grants.role_name
        return f"aws iam put-role-policy --role-name {name} --policy-name Revoked --policy-document '{document}'"

    def by_service(self, found: tuple[Used, ...]) -> tuple[tuple[str, tuple[Used, ...]], ...]:
        """Actions service by service."""
        return tuple((name, tuple(group)) for name, group in groupby(found, key=lambda item: item.service))

    @property
    def arn_start(self) -> str:
        """What the ARNs of most services begin with; the page leaves it out of long lists."""
        return self.role.account.arn("SERVICE", "")

    @property
    def managed(self) -> tuple[tuple[str, str], ...]:
        """The policies of AWS, and the version of each that this library knows."""
        return tuple((name, managed_policies()[name].version) for name in self.role.grants.aws_managed)

    @property
    def documents(self) -> tuple[Text, ...]:
        """Trust, own policies and those of the role for emergencies, as JSON."""
        role, version = self.role, f"policies version {self.policies_version}"
        reasons = role.grants.reasons
        found = [_text("Trust policy", "who may assume the role", role.trust, {"ControlPlane": "the control plane"})]
        for kind, policies in (("attached to the role", role.grants.own), ("inside the role", role.grants.inline)):
            found += [_text(item.name, f"{kind}, {version}", item.document, reasons) for item in policies]
        if role.own_boundary is not None:
            note = f"permissions boundary, {version}"
            found.append(_text(role.names.boundary_policy, note, role.own_boundary, OWN_REASONS))
        if role.break_glass is not None:
            found += [
                _text(name, version, text, BREAK_GLASS_REASONS) for name, text in role.break_glass.documents.items()
            ]
        return tuple(found)


def report_of(role: Role, expand: Expand) -> Report:
    """Work out what the report says; ``expand`` as in :mod:`byoc.access.grants`."""
    asked = probes(role)
    allowed = tuple(probe for probe in asked if probe.decision.allowed)
    return Report(
        role=role,
        version=__version__,
        policies_version=POLICIES_VERSION,
        used=used(role, provisioning()),
        looking_after=used(role, looking_after()),
        operating=used(role, operating()),
        refused=tuple(probe for probe in asked if not probe.decision.allowed),
        allowed=allowed,
        could_be_closed=words.could_be_closed(role, allowed),
        trust=trust_probes(role),
        beyond=beyond(role, expand),
        emergency=_emergency(role),
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
    environment.filters["breakable"] = _breakable
    return environment.get_template(template).render(report=report, role=report.role)


def _breakable(text: str) -> Markup:
    """A long name that a browser may break where its words end."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[a-z])(?=[A-Z])|(?<=[:/_])(?=\w)", text))


def _emergency(role: Role) -> tuple[Probe, ...]:
    """The questions about what is not this install's, asked of the open role for emergencies as its window begins."""
    if role.break_glass is None or role.break_glass.opening is None:
        return ()
    policies = {role.break_glass.name: role.break_glass.policy}
    return probes(role, policies, **{"aws:CurrentTime": role.break_glass.opening.not_before})


def _text(name: str, note: str, document: Document, reasons: Mapping[str, str]) -> Text:
    sids = [str(statement["Sid"]) for statement in statements(document)]
    return Text(
        name=name,
        note=note,
        reasons=tuple((sid, reasons[sid]) for sid in sids),
        text=json.dumps(document, indent=2),
    )
