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
    """Raise :class:`~byoc.errors.ConfigError` with all problems, each once; nothing if there are none."""
    found = list(dict.fromkeys(problems))
    if found:
        raise ConfigError(_SOURCE, found)


def of_validation(error: ValidationError, raw: object, *, prefix: str) -> list[Problem]:
    """pydantic's errors about ``raw`` as problems; ``prefix`` stands before each key, such as ``fleet.yaml:``."""
    return [problem for detail in error.errors(include_url=False) for problem in _of_detail(detail, raw, prefix)]


def _of_detail(detail: ErrorDetails, raw: object, prefix: str) -> list[Problem]:
    path = [part for part in detail["loc"] if part != "[key]"]
    key = cut(" ".join(word for word in (prefix, ".".join(str(part) for part in path)) if word), _LONGEST_KEY)
    if detail["type"] == ERROR_TYPE:
        findings: Sequence[Finding] = detail["ctx"]["findings"]
        value = shown(_at(raw, path))
        return [Problem(key=key, value=f.got or value, allowed=f.allowed, remedy=f.remedy) for f in findings]
    if detail["type"] == "missing":
        return [Problem(key=key, value="nothing", allowed="a value", remedy="add this key: it is required")]
    if detail["type"] == "extra_forbidden":
        allowed = "the keys that docs/fleet.md lists"
        return [Problem(key=key, value="an unknown key", allowed=allowed, remedy="correct its spelling or remove it")]
    allowed, remedy = standard_texts(detail["type"], detail.get("ctx", {}), detail["msg"])
    return [Problem(key=key, value=shown(_at(raw, path)), allowed=allowed, remedy=remedy)]


def _at(raw: object, path: Sequence[str | int]) -> object:
    for part in path:
        if isinstance(raw, Mapping):
            raw = raw.get(part)
        elif isinstance(raw, Sequence) and not isinstance(raw, str) and isinstance(part, int) and part < len(raw):
            raw = raw[part]
        else:
            return None
    return raw
