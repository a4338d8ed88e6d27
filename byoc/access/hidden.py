"""Trust policies without the external ids in them."""

from __future__ import annotations

from byoc.permissions.evaluation.evaluator import Document, statements

HIDDEN = "[secret]"
"""What stands for an external id in everything that is shown."""
_KEY = "sts:ExternalId"


def hidden(trust: Document) -> Document:
    """The trust policy with :data:`HIDDEN` for its external ids."""
    found = []
    for statement in statements(trust):
        conditions = {
            operator: {key: HIDDEN if key == _KEY else value for key, value in keys.items()}
            for operator, keys in statement.get("Condition", {}).items()
        }
        found.append({**statement, **({"Condition": conditions} if conditions else {})})
    return {**trust, "Statement": found}
