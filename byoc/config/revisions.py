"""Revisions that a deployment can go back to."""

from __future__ import annotations

from typing import Annotated

from byoc.config.fields import Whole, counted
from byoc.config.section import Section, setting

KEPT = 5
MOST_KEPT = 15
"""A secret's versions may carry twenty staging labels together, AWS's own among them (AWS Secrets Manager quotas)."""


class RevisionsConfig(Section):
    """What is kept of earlier revisions."""

    keep: Annotated[Whole, counted(1, MOST_KEPT)] = setting(
        "The newest revisions whose secret versions are kept, 1 to 15, so that `byoc rollback` can go back to them. "
        "`byoc submit` sees to it after each run, `byoc revisions --keep` at any time.",
        default=KEPT,
    )
