"""Problems for a person: the key as it was written, the value, what is allowed, how to mend it. No secret is shown."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence

from pydantic_core import ErrorDetails

from byoc.config.keys import KINDS, every_field, field_at, fields_of, keys_beside, secret_keys
from byoc.config.problems import ERROR_TYPE, Finding
from byoc.config.retention import OF_ITS_OWN_STACK
from byoc.config.section import Section
from byoc.config.wording import NOT_SHOWN, SECRET, Path, key_text, shown, standard_texts
from byoc.errors import Problem

_UNION_KEYS = {"network"}
"""Keys whose value is one of several sections: pydantic puts the section's kind behind them."""
_KEYS = {name: key for _, key, name in every_field()}
"""The key of each field's name, such as ``certificateArn`` of ``certificate_arn``."""
_ABSENT = object()


class Reporter:
    """Turns findings and pydantic's errors into problems of one stack's config."""

    def __init__(self, model: type[Section], raw: Mapping[str, object], encrypted: frozenset[str]) -> None:
        """``encrypted``: further top-level keys whose values are secret, because the user encrypted them."""
        self._model = model
        self._raw = raw
        self._secret = secret_keys() | encrypted

    def of_error(self, error: ErrorDetails) -> list[Problem]:
        """The problems that one of pydantic's errors stands for."""
        path = self._path(error["loc"])
        if error["loc"][-1:] == ("[key]",):
            return [_about_name(path, error)]
        if error["type"] != ERROR_TYPE:
            return [self._standard(path, error)]
        findings: Sequence[Finding] = error["ctx"]["findings"]
        return [self.of_finding(finding, path, error["input"]) for finding in findings]

    def of_finding(self, finding: Finding, path: Path = (), default: object = _ABSENT) -> Problem:
        """The problem of a finding about ``path``; ``default`` is the value that was checked."""
        whole = finding.key if finding.key is not None else (*path, *finding.at)
        checked = default if finding.key is None and not finding.at else _ABSENT
        value = finding.got if finding.got is not None else self._value(whole, checked)
        return Problem(key=key_text(whole), value=value, allowed=finding.allowed, remedy=finding.remedy)

    def _standard(self, path: Path, error: ErrorDetails) -> Problem:
        if error["type"] == "extra_forbidden":
            return self._unknown(path, _tag(error["loc"]))
        if error["type"] == "missing":
            field = field_at(self._model, path)
            meaning = field.description if field is not None and field.description else "a value"
            return Problem(key=key_text(path), value="nothing", allowed=meaning, remedy="add this key: it is required")
        if error["type"] == "union_tag_invalid":
            path = (*path, "kind")
        value = self._value(path, error["input"])
        allowed, remedy = standard_texts(error["type"], error.get("ctx", {}), error["msg"])
        return Problem(key=key_text(path), value=value, allowed=allowed, remedy=remedy)

    def _unknown(self, path: Path, kind: str | None) -> Problem:
        beside = keys_beside(self._model, path, kind)
        section = _at(self._raw, path[:-1])
        unused = [key for key in beside if not isinstance(section, Mapping) or key not in section]
        return Problem(
            key=key_text(path),
            value="an unknown key",
            allowed=f"these keys: {', '.join(beside)}",
            remedy=_advice(path, unused, keys_beside(self._model, path), self._model),
        )

    def _path(self, loc: Sequence[str | int]) -> Path:
        """pydantic's location as the path of keys that the user wrote, or would have written."""
        parts: Path = ()
        for part in _without_tags(loc):
            # Where a key was left out, pydantic names its field.
            written = isinstance(part, int) or _at(self._raw, (*parts, part)) is not _ABSENT
            parts = (*parts, part if written else _KEYS.get(str(part), part))
        return parts

    def _value(self, path: Path, default: object) -> str:
        """The value at ``path`` as it was written; where nothing was, the default that was checked."""
        written = _at(self._raw, path)
        if path[0] in self._secret or path[0] not in fields_of(self._model):
            return "nothing" if written is _ABSENT else SECRET
        if written is not _ABSENT:
            # Whoever writes a secret to the wrong place should not find it in a log.
            return NOT_SHOWN if "environment" in path else shown(written)
        if default is _ABSENT:
            field = field_at(self._model, path)
            default = None if field is None or field.is_required() else field.default
        return "nothing" if default in (None, (), {}) else f"{shown(default)} (the default)"


def _about_name(path: Path, error: ErrorDetails) -> Problem:
    """The problem of a name that the user chose; what stands under it may be right."""
    allowed, remedy = standard_texts(error["type"], error.get("ctx", {}), error["msg"])
    if error["type"] == ERROR_TYPE:
        finding: Finding = error["ctx"]["findings"][0]
        allowed, remedy = finding.allowed, finding.remedy
    return Problem(key=key_text(path), value=f"the name {shown(path[-1])}", allowed=allowed, remedy=remedy)


def _tag(loc: Sequence[str | int]) -> str | None:
    """The kind of section that pydantic chose, where several are possible."""
    return str(loc[1]) if len(loc) > 1 and loc[0] in _UNION_KEYS else None


def _without_tags(loc: Sequence[str | int]) -> list[str | int]:
    parts = [part for part in loc if part != "[key]"]
    return parts[:1] + parts[2:] if _tag(loc) is not None else parts


def _at(raw: object, path: Path) -> object:
    for part in path:
        inside = isinstance(raw, Mapping) and part in raw
        if not inside and not (isinstance(raw, list | tuple) and isinstance(part, int) and part < len(raw)):
            return _ABSENT
        raw = raw[part]  # type: ignore[index] # one of the two above
    return raw


def _advice(path: Path, unused: Sequence[str], of_other_kinds: Collection[str], model: type[Section]) -> str:
    """What someone who wrote an unknown key may have meant."""
    key = str(path[-1])
    if key == "retention" and model is KINDS["account"]:
        return OF_ITS_OWN_STACK
    same = [name for name in unused if name.lower() == key.lower().replace("_", "").replace("-", "")]
    close = same or difflib.get_close_matches(key[:100], unused, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}? Otherwise remove it"
    if len(path) > 1 and key in of_other_kinds:
        return f"remove it: it is a key of another kind of {path[-2]}"
    others = [kind for kind, other in KINDS.items() if other is not model and key in fields_of(other)]
    if len(path) == 1 and others:
        return f"remove it: it is a key of kind {others[0]}"
    return "remove it"
