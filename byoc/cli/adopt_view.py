"""What ``byoc adopt`` shows: the lists, and the commands to type next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byoc.adoption.leftovers import is_of_the_module

if TYPE_CHECKING:
    from rich.console import Console

    from byoc.adoption.adoption import Adoption

_SHOWN = 400
"""Characters of a value in a table; --json has the whole."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was found out, and what was written of it."""

    adoption: Adoption
    stack_file: Path
    import_file: Path
    source_words: Sequence[str]
    """The options with which the same is found again."""
    sealed: bool
    """Whether the external ids are in the stack's file, encrypted."""

    @property
    def next_steps(self) -> list[str]:
        """The commands to type, in their order; none if something is in the way."""
        if self.adoption.conflicts:
            return []
        stack = self.adoption.stack
        again = shlex.join(["byoc", "adopt", *self.source_words])
        secrets = [
            f"{again} --secret-to-stdout {key} | pulumi config set --stack {stack} --secret byoc:{key}"
            for key in ([] if self.sealed else self.adoption.secrets)
        ]
        file = shlex.quote(str(self.import_file))
        return [
            f"pulumi stack init {stack}",
            *secrets,
            f"pulumi import --stack {stack} --file {file} --protect=false --generate-code=false",
            f"pulumi preview --stack {stack} --diff",
            f"pulumi up --stack {stack}",
        ]

    @property
    def forget_steps(self) -> list[str]:
        """What takes it out of the Terraform state afterwards: the whole module, if it holds nothing else."""
        adoption = self.adoption
        if adoption.findings.live or adoption.conflicts:
            return []
        modules = {found.address.partition(".aws_")[0] for found in adoption.findings.resources}
        (module, *others) = sorted(modules)
        if module and not others and all(is_of_the_module(item) for item in adoption.left):
            return [shlex.join(["terraform", "state", "rm", module])]
        addresses = dict.fromkeys(item.found.address for item in adoption.taken)
        return [shlex.join(["terraform", "state", "rm", address]) for address in addresses]


def as_document(outcome: Outcome) -> dict[str, Any]:
    """Everything, for ``--json``; no secret is in it."""
    adoption = outcome.adoption
    written = not adoption.conflicts
    return {
        "stack": adoption.stack,
        "source": adoption.findings.source,
        "account": adoption.findings.account_id,
        "region": adoption.findings.region,
        "written": [str(outcome.stack_file), str(outcome.import_file)] if written else [],
        "externalId": ("encrypted" if outcome.sealed else "to be set") if adoption.secrets else "none",
        "taken": [
            {
                "type": item.wanted.type,
                "name": item.wanted.name,
                "importId": item.import_id,
                "from": item.found.address,
                "changes": [
                    {"property": change.property, "from": change.before, "to": change.after} for change in item.changes
                ],
            }
            for item in adoption.taken
        ],
        "added": [{"type": item.type, "name": item.name} for item in adoption.added],
        "notMapped": [
            {"address": item.address, "type": item.type, "why": item.why, "toDo": item.to_do} for item in adoption.left
        ],
        "conflicts": [
            {
                "name": item.name,
                "address": item.address,
                "property": item.property,
                "from": item.before,
                "to": item.after,
                "replaces": item.replaces,
            }
            for item in adoption.conflicts
        ],
        "notes": list(adoption.notes),
        "next": outcome.next_steps,
        "afterwards": outcome.forget_steps,
    }


def show(out: Console, outcome: Outcome) -> None:
    """The lists as tables, and the commands."""
    adoption = outcome.adoption
    if adoption.conflicts:
        out.print("in the way: up would replace these or take something away; nothing was written", style="red")
        rows = [(c.name, c.address, c.property, _brief(c.before), _brief(c.after)) for c in adoption.conflicts]
        _print(out, ("resource", "what is there", "property", "from", "to"), rows)
        out.print("bring them to what the stack makes, then adopt again (docs/adopting.md)")
        return
    out.print(f"taken over by pulumi import: {len(adoption.taken)}")
    changed = [
        (t.wanted.name, c.property, _brief(c.before), _brief(c.after)) for t in adoption.taken for c in t.changes
    ]
    out.print(f"\nchanged in place by the first up: {len(changed)}")
    _print(out, ("resource", "property", "from", "to"), changed)
    out.print(f"\nmade by the first up: {len(adoption.added)} (service-linked roles only where the account lacks them)")
    _print(out, ("type", "resource"), [(item.type, item.name) for item in adoption.added])
    out.print(f"\nnot mapped, and left as it is: {len(adoption.left)}")
    _print(
        out, ("what is there", "why", "what to do"), [(item.address, item.why, item.to_do) for item in adoption.left]
    )
    for note in adoption.notes:
        out.print(f"\nnote: {note}")
    out.print(f"\nwritten: {outcome.stack_file}, {outcome.import_file}")
    out.print("\nwhat to type next:")
    for step in outcome.next_steps:
        out.print(f"  {step}")
    if outcome.forget_steps:
        out.print("\nand when that is done, or Terraform goes on changing what was taken over:")
        for step in outcome.forget_steps:
            out.print(f"  {step}")


def _print(out: Console, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _brief(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text) - _SHOWN} more characters; see --json)"
