"""IAM policy documents, as rules read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from byoc.policy.facts import UNKNOWN, as_list, parsed

ANY = "*"


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document. ``place``: where it stands, by its Sid if it has one."""

    place: str
    content: dict[str, Any]

    @property
    def allows(self) -> bool:
        """Whether it grants anything."""
        return self.content.get("Effect") == "Allow"

    def texts(self, key: str) -> list[str]:
        """An element that holds one text or many."""
        return [item for item in as_list(self.content.get(key)) if isinstance(item, str)]

    @property
    def principals(self) -> list[tuple[str, str]]:
        """Whom it is about, each with its kind: ``AWS``, ``Service``, ``Federated``, ``CanonicalUser``."""
        principal = self.content.get("Principal")
        if isinstance(principal, str):
            return [("AWS", principal)]
        if not isinstance(principal, dict):
            return []
        return [(kind, text) for kind, given in principal.items() for text in as_list(given) if isinstance(text, str)]

    @property
    def demands_external_id(self) -> bool:
        """Whether a caller must send an external id that is told exactly; also if a preview does not know it yet."""
        conditions = self.content.get("Condition")
        if not isinstance(conditions, dict):
            return conditions is UNKNOWN
        equals = conditions.get("StringEquals")
        if not isinstance(equals, dict):
            return equals is UNKNOWN
        given = next((value for key, value in equals.items() if key.lower() == "sts:externalid"), None)
        return given is UNKNOWN or any(item is UNKNOWN or item for item in as_list(given))


def statements_of(document: object) -> Iterator[Statement]:
    """The statements of a document, a JSON text or an object; none if a preview does not know it.

    Raises ``ValueError`` if it is no policy document.
    """
    content = parsed(document)
    if content is None or content is UNKNOWN:
        return
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    for number, statement in enumerate(as_list(content.get("Statement"))):
        if statement is UNKNOWN:
            continue
        if not isinstance(statement, dict):
            raise ValueError(f"Statement[{number}] is no JSON object")
        yield Statement(f"Statement[{statement.get('Sid') or number}]", statement)
