"""Everything that is wrong with an export, collected for one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from byoc.config.problems import ERROR_TYPE, Finding
from byoc.config.wording import cut, shown, standard_texts
from byoc.errors import ConfigError, Problem

_SOURCE = "byoc fleet export"
_LONGEST_KEY = 120


def refuse_if(problems: Iterable[Problem]) -> None:
    """Raise :class:`~byoc.errors.ConfigError` with all problems; nothing if there are none."""
    found = list(problems)
    if found:
        raise refused(found)


def refused(problems: Iterable[Problem]) -> ConfigError:
    """The error with these problems, each once; to be raised."""
    return ConfigError(_SOURCE, list(dict.fromkeys(problems)))


def of_validation(error: ValidationError, raw: object, *, prefix: str) -> list[Problem]:
    """pydantic's errors about ``raw`` as problems; ``prefix`` stands before each key, such as ``fleet.yaml:``."""
    return [problem for detail in error.errors(include_url=False) for problem in _of_detail(detail, raw, prefix)]


def _of_detail(detail: ErrorDetails, raw: object, prefix: str) -> list[Problem]:
    path = [part for part in detail["loc"] if part != "[key]"]
    key = cut(" ".join(word for word in (prefix, ".".join(str(part) for part in path)) if word), _LONGEST_KEY)
    if detail["type"] == ERROR_TYPE:
        findings: Sequence[Finding] = detail["ctx"]["findings"]
        return [_of_finding(finding, key, _at(raw, path)) for finding in findings]
    if detail["type"] == "missing":
        return [Problem(key=key, value="nothing", allowed="a value", remedy="add this key: it is required")]
    if detail["type"] == "extra_forbidden":
        allowed = "the keys that docs/fleet.md lists"
        return [Problem(key=key, value="an unknown key", allowed=allowed, remedy="correct its spelling or remove it")]
    allowed, remedy = standard_texts(detail["type"], detail.get("ctx", {}), detail["msg"])
    return [Problem(key=key, value=shown(_at(raw, path)), allowed=allowed, remedy=remedy)]


def _of_finding(finding: Finding, key: str, value: object) -> Problem:
    below = "".join(f".{part}" for part in finding.at)
    got = finding.got or shown(_at(value, finding.at))
    return Problem(key=cut(f"{key}{below}", _LONGEST_KEY), value=got, allowed=finding.allowed, remedy=finding.remedy)


def _at(raw: object, path: Sequence[str | int]) -> object:
    for part in path:
        if isinstance(raw, Mapping):
            raw = raw.get(part)
        elif isinstance(raw, Sequence) and not isinstance(raw, str) and isinstance(part, int) and part < len(raw):
            raw = raw[part]
        else:
            return None
    return raw
