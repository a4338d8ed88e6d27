"""All checks of a stack, and what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from byoc.operations.doctor.checks import Area, Check, Verdict

ALL_PASS, ANY_FAIL, ONLY_UNKNOWN = 0, 1, 3
"""Exit codes: every check passes; one fails; none fails, and one could not be answered. 2 is for wrong input."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The checks of one stack, in the order of the areas."""

    stack: str
    account_id: str
    region: str
    checks: tuple[Check, ...]
    entered: bool = True
    """Whether there was a way into the account, so that it could be asked."""

    def with_area(self, area: Area, checks: Iterable[Check]) -> Report:
        """The same report with other checks of one area."""
        others = (check for check in self.checks if check.area is not area)
        return replace(self, checks=in_order((*others, *checks)))

    def of_area(self, area: Area) -> tuple[Check, ...]:
        """The checks of one area."""
        return tuple(check for check in self.checks if check.area is area)

    @property
    def verdict(self) -> Verdict:
        """The worst answer."""
        return worst(check.verdict for check in self.checks)

    @property
    def counts(self) -> str:
        """``12 pass, 1 fail, 2 unknown``, in words."""
        count = Counter(check.verdict for check in self.checks)
        return ", ".join(f"{count[verdict]} {verdict.value}" for verdict in Verdict)

    def document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "stack": self.stack,
            "accountId": self.account_id,
            "region": self.region,
            "verdict": self.verdict.value,
            "checks": [check.document() for check in self.checks],
        }


def in_order(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Checks by area; within one, as they were made."""
    order = {area: index for index, area in enumerate(Area)}
    return tuple(sorted(checks, key=lambda check: order[check.area]))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """A fail outweighs an unknown, an unknown a pass; nothing at all passes."""
    found = set(verdicts)
    return next((verdict for verdict in (Verdict.FAIL, Verdict.UNKNOWN) if verdict in found), Verdict.PASS)


def exit_code(reports: Iterable[Report]) -> int:
    """0 if every check passes, 1 if one fails, 3 if one is unknown and none fails."""
    codes = {Verdict.PASS: ALL_PASS, Verdict.FAIL: ANY_FAIL, Verdict.UNKNOWN: ONLY_UNKNOWN}
    return codes[worst(report.verdict for report in reports)]


def markdown(reports: Sequence[Report]) -> str:
    """The reports as Markdown: one table for each stack, then the ways out."""
    return "\n\n".join(_section(report) for report in reports)


def _section(report: Report) -> str:
    lines = [
        f"## {report.stack}: {report.verdict.value}",
        "",
        f"Account {report.account_id}, {report.region}: {report.counts}.",
        "",
        "| area | check | answer | evidence |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {check.area.value} | {_cell(check.name)} | {check.verdict.value} | {_cell(check.evidence)} |"
        for check in report.checks
    ]
    remedies = [check for check in report.checks if check.remedy]
    if remedies:
        lines += ["", "What to do:", ""]
        lines += [f"- {check.area.value}, {_text(check.name)}: {_text(check.remedy)}" for check in remedies]
    return "\n".join(lines)


def _text(words: str) -> str:
    """Words that Markdown shows as they are."""
    for sign in "\\`*_<[":
        words = words.replace(sign, f"\\{sign}")
    return " ".join(words.split())


def _cell(words: str) -> str:
    return _text(words).replace("|", "\\|")
