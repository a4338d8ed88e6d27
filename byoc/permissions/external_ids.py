"""Whether an external id can be guessed, by its looks.

Source: AWS docs, "Access to AWS accounts owned by third parties": an external id is unique to a customer and is made by
the third party. Nothing here can tell that a random-looking text is known to others.
"""

from __future__ import annotations

import re

SHORTEST = 16
"""Characters below which an id is called short; 16 hexadecimal ones are 64 bits."""
_ORGANIZATION = re.compile(r"(o-[a-z0-9]{10,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})")
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_WORD = re.compile(r"[A-Z]?[a-z]{1,15}|[A-Z]{1,15}|\d{1,8}")
_FEWEST_DIFFERENT = 6


def why_guessable(external_id: str) -> str | None:
    """Why an external id can be guessed, without showing it; ``None`` if it looks random."""
    if _ACCOUNT.search(external_id) and len(_ACCOUNT.sub("", external_id)) < SHORTEST:
        return "it is an account number, or little more than one"
    if _ORGANIZATION.fullmatch(external_id):
        return "it is the id of an AWS organization or one of its parts"
    if external_id.isdigit():
        return "it is a number"
    if len(external_id) < SHORTEST:
        return f"it has fewer than {SHORTEST} characters"
    if len(set(external_id)) < _FEWEST_DIFFERENT:
        return f"it has fewer than {_FEWEST_DIFFERENT} different characters"
    if all(_WORD.fullmatch(piece) for piece in _pieces(external_id)):
        return "it is made of words and short numbers"
    return None


def _pieces(external_id: str) -> list[str]:
    apart = re.split(r"[^A-Za-z0-9]+", external_id)
    return [piece for piece in apart if piece]
