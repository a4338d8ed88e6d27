"""Reading the trust policy of the cross-account role: who may assume it, with which external ids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from byoc.errors import InputError

_MOST_IDS = 2
"""``byoc:externalId`` and ``byoc:previousExternalId``."""


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Who may assume a role. The external ids are secrets: they are in no ``repr``."""

    principals: tuple[str, ...]
    external_ids: tuple[str, ...] = field(repr=False)


def read_trust(document: str) -> Trust:
    """The principals and external ids of a trust policy of the documented form.

    Raises ``InputError`` for one that says more than a stack config can: ``up`` would take that away.
    """
    principals: list[str] = []
    external_ids: list[str] = []
    for statement in _statements(document):
        strange = _strange(statement)
        if strange:
            raise _refused(f"a statement with {strange}")
        principals += _listed(statement["Principal"]["AWS"])
        external_ids += _listed(statement["Condition"]["StringEquals"]["sts:ExternalId"])
    unique = tuple(dict.fromkeys(external_ids))
    if not 0 < len(unique) <= _MOST_IDS:
        raise _refused(f"{len(unique)} external ids")
    return Trust(principals=tuple(dict.fromkeys(principals)), external_ids=unique)


def _statements(document: str) -> list[Mapping[str, Any]]:
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise _refused("text that is no policy") from None
    found = statements if isinstance(statements, list) else [statements]
    if not all(isinstance(statement, Mapping) for statement in found):
        raise _refused("text that is no policy")
    return found


def _strange(statement: Mapping[str, Any]) -> str:
    """What is not of the documented form; empty if everything is."""
    if statement.get("Effect") != "Allow" or _listed(statement.get("Action")) != ["sts:AssumeRole"]:
        return "another effect or action than Allow and sts:AssumeRole"
    unknown = statement.keys() - {"Sid", "Effect", "Action", "Principal", "Condition"}
    if unknown:
        return ", ".join(sorted(unknown))
    if not isinstance(statement.get("Principal"), Mapping) or set(statement["Principal"]) != {"AWS"}:
        return "another principal than roles and users of AWS"
    condition = statement.get("Condition")
    equals = condition.get("StringEquals") if isinstance(condition, Mapping) and len(condition) == 1 else None
    if not isinstance(equals, Mapping) or set(equals) != {"sts:ExternalId"}:
        return "another condition than StringEquals of sts:ExternalId"
    return ""


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _refused(got: str) -> InputError:
    return InputError(
        "the trust policy of the cross-account role says more than a stack can say; nothing was written\n"
        f"      got:      {got}\n"
        "      allowed:  statements that allow named roles or users sts:AssumeRole under StringEquals of "
        f"sts:ExternalId, with at most {_MOST_IDS} external ids in all\n"
        "      mend it:  bring the role's trust policy to that form, then adopt again"
    )
