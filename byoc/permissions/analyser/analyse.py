"""The analyser: documents in, ways out."""

from __future__ import annotations

from byoc.permissions.analyser.data import data_findings
from byoc.permissions.analyser.findings import Finding, Subject
from byoc.permissions.analyser.iam import iam_findings
from byoc.permissions.analyser.itself import own_findings
from byoc.permissions.analyser.passing import passing_findings
from byoc.permissions.analyser.reach import Reach
from byoc.permissions.analyser.resource_policies import open_findings, writing_findings
from byoc.permissions.analyser.texts import text_findings
from byoc.permissions.analyser.trust import trust_findings

_CHECKS = (
    trust_findings,
    iam_findings,
    own_findings,
    passing_findings,
    writing_findings,
    open_findings,
    data_findings,
    text_findings,
)


def analyse(subject: Subject) -> tuple[Finding, ...]:
    """Every way out of a subject's documents, the worst first.

    A finding is a concrete request that the evaluator allows: whatever denies it, bounds it or makes it depend on a
    condition that cannot be met keeps the finding away. The documents have to be checked before
    (``documents.checked``). Raises ``ValueError`` for an operator or effect that IAM does not know.
    """
    reach = Reach(subject)
    findings = [finding for check in _CHECKS for finding in check(reach)]
    return tuple(sorted(findings, key=lambda one: (-one.severity, one.id, one.policy, one.sid)))
