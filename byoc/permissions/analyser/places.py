"""Which resources to ask about: those of others, in the places that the documents speak of, and those they name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from byoc.permissions.analyser.findings import Subject
from byoc.permissions.evaluation.conditions import as_texts
from byoc.permissions.evaluation.evaluator import Statement, statements

FOREIGN = "of-another-team"
"""What the name of a resource is that no policy means."""
_ACCOUNT = "111122223333"
"""An account number of AWS's documentation, where the documents name none."""
_REGION = "us-east-1"
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_FIELDS = 6


@dataclass(frozen=True)
class Place:
    """A partition, region and account that resources can be in."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """The ARN of a resource here."""
        return (
            f"arn:{self.partition}:{service}:{self.region if region else ''}:"
            f"{self.account if account else ''}:{resource}"
        )

    def iam(self, resource: str) -> str:
        """The ARN of something of IAM here."""
        return self.arn("iam", resource, region=False)


def places(subject: Subject) -> tuple[Place, ...]:
    """Every combination of partition, region and account that the documents speak of, and the usual ones."""
    patterns = [pattern.split(":", _FIELDS - 1) for pattern in _patterns(subject)]
    fields = [fields for fields in patterns if len(fields) == _FIELDS]
    own = subject.arn.split(":") if subject.arn else None
    partitions = [own[1]] if own else _plain(f[1] for f in fields) or ["aws"]
    accounts = [own[4]] if own else [a for a in _plain(f[4] for f in fields) if a.isdigit()] or [_ACCOUNT]
    regions = list(dict.fromkeys([*_plain(f[3] for f in fields), *_plain(_requested_regions(subject)), _REGION]))
    return tuple(itertools.starmap(Place, itertools.product(partitions, regions, accounts)))


def named(subject: Subject, service: str, kind: str, place: Place, *, region: bool = True) -> tuple[str, ...]:
    """Resources of a ``kind`` (``role/``) that the documents' patterns fit, and a foreign one at first.

    A statement that is limited to names is a way out all the same where the names can be taken.
    """
    found = [place.arn(service, f"{kind}{FOREIGN}", region=region)]
    for pattern in _patterns(subject):
        fields = pattern.split(":", _FIELDS - 1)
        if len(fields) == _FIELDS and _could_be(fields[2], service) and (name := _name_like(fields[5], kind)):
            found.append(place.arn(service, name, region=region))
    return tuple(dict.fromkeys(found))


def roles(subject: Subject, place: Place) -> tuple[str, ...]:
    """The roles of :func:`named`, of one account."""
    return named(subject, "iam", "role/", place, region=False)


def filled(text: str) -> str:
    """A pattern with something in the place of its wildcards and variables."""
    return _VARIABLE.sub(_variable, text).replace("*", "x").replace("?", "x")


def variables(text: str) -> tuple[str, ...]:
    """The condition keys that a text takes variables from."""
    keys = (expression.partition(",")[0].strip() for expression in _VARIABLE.findall(text))
    return tuple(key for key in keys if key not in ("*", "?", "$"))


def _name_like(pattern: str, kind: str) -> str | None:
    literal = re.split(r"[*?$]", pattern, maxsplit=1)[0]
    if pattern.startswith(kind):
        return filled(pattern)
    return f"{kind}{FOREIGN}" if kind.startswith(literal) else None


def _could_be(pattern: str, word: str) -> bool:
    return pattern == word or "*" in pattern


def _variable(found: re.Match[str]) -> str:
    return "x" if found.group(1) not in ("*", "?", "$") else found.group(1)


def _plain(texts: Iterator[str] | Sequence[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text and not re.search(r"[*?$]", text)))


def _patterns(subject: Subject) -> Iterator[str]:
    """What the documents' statements allow on, or except from a deny."""
    for document in subject.layers.values():
        for statement in statements(document):
            yield from as_texts(statement.get("Resource" if _allows(statement) else "NotResource", []))


def _requested_regions(subject: Subject) -> Iterator[str]:
    for document in subject.layers.values():
        for statement in statements(document):
            for keys in statement.get("Condition", {}).values():
                for key, wanted in keys.items():
                    if key.lower() == "aws:requestedregion":
                        yield from as_texts(wanted)


def _allows(statement: Statement) -> bool:
    return statement.get("Effect") == "Allow"
