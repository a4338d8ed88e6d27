"""What ``byoc access analyse`` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from byoc.cli.view import rows_table
from byoc.permissions.analyser.findings import Finding, Severity, Step, Subject

if TYPE_CHECKING:
    from rich.console import Console


def as_document(subject: Subject, findings: Sequence[Finding], least: Severity) -> dict[str, Any]:
    """Everything, for ``--json``; no external id is in it."""
    return {
        "subject": subject.name,
        "documents": _documents(subject),
        "failOn": least.word,
        "failed": any(finding.severity >= least for finding in findings),
        "findings": [finding.document() for finding in findings],
    }


def show(out: Console, subject: Subject, findings: Sequence[Finding]) -> None:
    """A table of the findings; then for each of them the requests that prove it, and the remedy."""
    documents = _documents(subject)
    looked_at = f"{len(documents)} document{'' if len(documents) == 1 else 's'}"
    if not findings:
        out.print(f"{subject.name}: no way out found in {looked_at}")
        return
    out.print(
        rows_table(
            ("severity", "finding", "statement", "what it means"),
            [(one.severity.word, one.id, _statement(one.policy, one.sid), one.explanation) for one in findings],
        )
    )
    for finding in findings:
        out.print(f"\n{finding.id} in {_statement(finding.policy, finding.sid)}")
        for step in finding.evidence:
            out.print(f"  {_step(step)}")
        out.print(f"  mend it: {finding.remedy}")
    counts = Counter(finding.severity for finding in findings)
    words = ", ".join(f"{counts[severity]} {severity.word}" for severity in sorted(counts, reverse=True))
    out.print(f"\n{subject.name}: {len(findings)} finding{'' if len(findings) == 1 else 's'} in {looked_at}: {words}")


def _documents(subject: Subject) -> list[str]:
    trust = ["trust policy"] if subject.trust is not None else []
    return [*trust, *subject.layers, *subject.resource_policies]


def _statement(policy: str, sid: str) -> str:
    return f"{policy} / {sid}" if sid else policy


def _step(step: Step) -> str:
    """``allowed: iam:PassRole on ..., with iam:PassedToService=...``; who asks is left out: it is the role."""
    shown = {key: value for key, value in step.context.items() if not key.startswith(("aws:Principal", "aws:Resource"))}
    texts = (f"{key}={value if isinstance(value, str) else ', '.join(value)}" for key, value in sorted(shown.items()))
    sent = ", ".join(texts)
    caller = f" by {step.request.principal}" if step.request.action == "sts:AssumeRole" else ""
    return f"{step.decision.outcome.value}: {step.request.action} on {step.request.resource}{caller}" + (
        f", with {sent}" if sent else ""
    )
