"""What a check answers: pass, fail or unknown, with the evidence and the way out."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """The three answers of a check."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"
    """AWS could not be asked, or its answer does not tell."""


class Area(enum.StrEnum):
    """What a check is about, in the order in which a report shows them."""

    IDENTITY = "identity"
    ACTIONS = "actions"
    LINKED_ROLES = "service-linked roles"
    QUOTAS = "quotas"
    NETWORK = "network"
    DATABASE = "database"
    NAMES = "names"
    IMAGE = "image"
    CERTIFICATE = "certificate"
    EGRESS = "egress"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question and its answer."""

    area: Area
    name: str
    verdict: Verdict
    evidence: str
    """What AWS said, with its figures; for an unknown answer, why it is not known."""
    remedy: str = ""
    """The way out; empty where nothing has to be done."""

    def document(self) -> dict[str, str]:
        """As a JSON object."""
        return {
            "area": self.area.value,
            "name": self.name,
            "verdict": self.verdict.value,
            "evidence": self.evidence,
            "remedy": self.remedy,
        }


def passed(area: Area, name: str, evidence: str) -> Check:
    """A check that found what it looked for."""
    return Check(area=area, name=name, verdict=Verdict.PASS, evidence=evidence)


def failed(area: Area, name: str, evidence: str, remedy: str) -> Check:
    """A check that found something wrong."""
    return Check(area=area, name=name, verdict=Verdict.FAIL, evidence=evidence, remedy=remedy)


def unknown(area: Area, name: str, evidence: str, remedy: str = "") -> Check:
    """A check that AWS gave no answer to."""
    return Check(area=area, name=name, verdict=Verdict.UNKNOWN, evidence=evidence, remedy=remedy)
