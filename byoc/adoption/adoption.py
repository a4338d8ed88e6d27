"""What it takes to bring an account under a stack: what is taken over, changed, added, left alone, or in the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from byoc.adoption.comparing import TAGS, Change, TagRules, changes, found_inputs, meaning
from byoc.adoption.derive import Derived, derive, rule_name
from byoc.adoption.found import RULE, Findings, Found
from byoc.adoption.kinds import KIND_OF_TOKEN, Kind, kind_name
from byoc.adoption.leftovers import Leftover, leftover
from byoc.adoption.lookups import Lookups
from byoc.adoption.notes import access_notes, notes
from byoc.program_recording import Registered, record
from byoc.program_run import Program, script
from byoc.project.project_file import Project
from byoc.project.stack_file import as_text
from byoc.stack_config import load_stack_config
from byoc.types import AwsAccount
from byoc.values import plain


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A resource of the program that is there already."""

    wanted: Registered
    found: Found
    import_id: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A change that would replace something or take something away, and that no config can keep from happening."""

    name: str
    address: str
    property: str
    before: Any
    after: Any
    replaces: bool


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """The whole picture. ``config`` holds no secret; ``secrets`` are apart, in plain text, and in no ``repr``."""

    stack: str
    findings: Findings
    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    registered: tuple[Registered, ...]
    taken: tuple[Taken, ...]
    added: tuple[Registered, ...]
    left: tuple[Leftover, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]
    """What a person should know beyond the lists."""


def adopt(project: Project, stack: str, findings: Findings) -> Adoption:
    """Find out how ``stack`` can take over what was found; nothing is written.

    The program of the project is run, without an engine, under the config that was derived. Raises ``ByocError`` if
    what was found cannot be put into a config.
    """
    derived = derive(findings)
    first = _Comparison(project, stack, findings, derived)
    kept = {rule_name(wanted.name): found for wanted, found in first.matches if not _importable(found)}
    if not kept:
        return first.adoption()
    adopted = {**derived.config.get("adopted", {}), "rules": sorted(kept)}
    without = replace(derived, config={**derived.config, "adopted": adopted})
    return _Comparison(project, stack, findings, without).adoption(kept=kept.values())


def _importable(found: Found) -> bool:
    """A rule that Terraform keeps inside its group has no id."""
    return found.type != RULE or bool(found.text("id"))


class _Comparison:
    """One run of the program against what was found."""

    def __init__(self, project: Project, stack: str, findings: Findings, derived: Derived) -> None:
        self._stack = stack
        self._findings = findings
        self._derived = derived
        self._account = AwsAccount(account_id=findings.account_id, region=findings.region)
        self._by_key = {key: found for found in findings.resources if (key := _key_of_found(found)) is not None}
        self.registered = self._record(project)
        self.matches = [(wanted, found) for wanted in self.registered if (found := self._match(wanted)) is not None]

    def _record(self, project: Project) -> tuple[Registered, ...]:
        values = {**self._derived.config, **self._derived.secrets}
        given = {f"{project.name}:{key}": as_text(value) for key, value in values.items()}
        config = {**{key: as_text(value) for key, value in project.defaults.items()}, **given}
        secret_keys = frozenset(f"{project.name}:{key}" for key in self._derived.secrets)
        load_stack_config(config, secret_keys, source=project.stack_file(self._stack).name)
        program = Program(
            main=script(project.main / "__main__.py"), project=project.name, config=config, secret_keys=secret_keys
        )
        return record(program, self._stack, self._outputs, Lookups(self._findings, self._derived.config["network"]))

    def _match(self, wanted: Registered) -> Found | None:
        kind = KIND_OF_TOKEN.get(wanted.type)
        return self._by_key.get(_key(kind, plain(dict(wanted.inputs)))) if kind is not None else None

    def _outputs(self, wanted: Registered) -> Mapping[str, Any]:
        found = self._match(wanted)
        if found is not None:
            return {"id": found.text("id"), **({"arn": found.text("arn")} if found.text("arn") else {})}
        inputs = plain(dict(wanted.inputs))
        to_come = f"[{wanted.name}: made by up]"
        if wanted.type == "aws:iam/policy:Policy":
            arn = self._account.arn("iam", f"policy{inputs.get('path') or '/'}{inputs['name']}", region=False)
            return {"id": arn, "arn": arn}
        return {"id": to_come, "arn": to_come}

    def adoption(self, kept: Iterable[Found] = ()) -> Adoption:
        """The picture that this run gives; ``kept`` is what the config leaves alone by name."""
        taken = tuple(self._take(wanted, found) for wanted, found in self.matches)
        names = {wanted.name for wanted, _ in self.matches}
        matched = {id(found) for _, found in self.matches}
        spared = {id(found) for found in kept}
        return Adoption(
            stack=self._stack,
            findings=self._findings,
            config=self._derived.config,
            secrets=self._derived.secrets,
            registered=self.registered,
            taken=taken,
            added=tuple(
                item for item in self.registered if item.custom and not item.is_provider and item.name not in names
            ),
            left=tuple(
                leftover(found, kept=id(found) in spared)
                for found in self._findings.resources
                if id(found) not in matched
            ),
            conflicts=tuple(_conflicts(taken)),
            notes=(*notes(self._findings, self._derived.names), *access_notes(self._derived.config.get("access", {}))),
        )

    def _take(self, wanted: Registered, found: Found) -> Taken:
        kind = KIND_OF_TOKEN[wanted.type]
        secrets = tuple(self._derived.secrets.values())
        return Taken(
            wanted=wanted,
            found=found,
            import_id=kind.import_id(found),
            changes=changes(kind, found, wanted.inputs, self._tag_rules(), secrets),
        )

    def _tag_rules(self) -> TagRules:
        (provider,) = (item for item in self.registered if item.type == "pulumi:providers:aws")
        inputs = plain(dict(provider.inputs))
        ignored = json.loads(inputs.get("ignoreTags") or "{}")
        return TagRules(
            default=json.loads(inputs.get("defaultTags") or "{}").get("tags") or {},
            ignored=frozenset(ignored.get("keys") or ()),
        )


def _key(kind: Kind, inputs: Mapping[str, Any]) -> tuple[str, str]:
    values = {name: meaning(kind, name, inputs.get(name)) for name in sorted(kind.key)}
    return kind.token, json.dumps(values, sort_keys=True)


def _key_of_found(found: Found) -> tuple[str, str] | None:
    kind = next((kind for kind in KIND_OF_TOKEN.values() if kind.terraform == kind_name(found)), None)
    return _key(kind, found_inputs(kind, found)) if kind is not None else None


def _conflicts(taken: Iterable[Taken]) -> list[Conflict]:
    """Replacements; and what is there and would be gone, but for tags."""
    return [
        Conflict(
            name=item.wanted.name,
            address=item.found.address,
            property=change.property,
            before=change.before,
            after=change.after,
            replaces=change.property in KIND_OF_TOKEN[item.wanted.type].replaces,
        )
        for item in taken
        for change in item.changes
        if change.property in KIND_OF_TOKEN[item.wanted.type].replaces
        or (change.after is None and change.property != TAGS)
    ]
