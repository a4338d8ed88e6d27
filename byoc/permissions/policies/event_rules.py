"""Keeps the control plane's role from the EventBridge rules that tell of it.

``AmazonECS_FullAccess`` changes and deletes every rule of the account; without the guardrails nothing else takes that
back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from byoc.permissions.install import Account
from byoc.permissions.policies.documents import VERSION, Document

REASONS: Mapping[str, str] = {"RulesStay": "the rules that tell of the control plane are not the control plane's"}
"""What the statement is for, by its ``Sid``."""


class EventRuleNames(Protocol):
    """The physical names of the rules."""

    def event_rule(self, subject: str) -> str:
        """Name of a rule, by what it tells of."""


def rules_stay(account: Account, names: EventRuleNames) -> Document:
    """Denies everything on the rules of the ledger and of break-glass."""
    subjects = ("vendor-*", "break-glass-*")  # "*": every rule of the two
    statement = {
        "Sid": "RulesStay",
        "Effect": "Deny",
        "Action": "events:*",
        "Resource": [account.arn("events", f"rule/{names.event_rule(subject)}") for subject in subjects],
    }
    return {"Version": VERSION, "Statement": [statement]}
