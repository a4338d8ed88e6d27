"""When two property values mean the same, and how AWS's values are told in the words of the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


def same(old: object, new: object) -> bool:
    """Whether two property values mean the same: absent, null and empty collections are alike, as in the bridge."""
    if old in (None, [], {}) and new in (None, [], {}):
        return True
    if isinstance(old, dict) and isinstance(new, dict):
        return all(same(old.get(key), new.get(key)) for key in old.keys() | new.keys())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(a, b) for a, b in zip(old, new, strict=True))
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    return old == new


def is_empty(value: object) -> bool:
    """Whether a value is as good as not given."""
    return value in (None, "", [], {})


def same_json(old: object, new: object) -> bool:
    """Whether two JSON texts mean the same; text that is no JSON (or is unknown) is compared as it is."""
    if isinstance(old, str) and isinstance(new, str):
        try:
            return bool(json.loads(old) == json.loads(new))
        except ValueError:
            return old == new
    return old == new


@dataclass(frozen=True)
class Told:
    """A value that AWS tells and that a program may write in another way; ``means``: whether it did."""

    value: Any
    means: Callable[[Any, Any], bool]
    """Of what is written and ``value``."""


class Unordered(list[Any]):
    """A list whose order means nothing."""


class Entries(dict[str, Any]):
    """A map: its keys are data. In any other object, keys that a program did not write are none of its business."""


def json_text(text: object) -> Told:
    """A JSON text."""
    return Told(text, same_json)


def named(value: object) -> Told:
    """What a program may name by ARN, or by what stands at the end of it (after the last slash)."""
    return Told(value, lambda written, told: written == told or _one_by_arn(written, told))


def _one_by_arn(written: object, told: object) -> bool:
    texts = (str(written), str(told))
    if sum(text.startswith("arn:") for text in texts) != 1:
        return False
    return texts[0].rpartition("/")[2] == texts[1].rpartition("/")[2]


def version(actual: object) -> Told:
    """A version, of which a program may give the beginning: ``16`` for ``16.3``."""
    return Told(actual, lambda written, told: f"{told}.".startswith(f"{written}."))


def number(value: object) -> Told:
    """A number that a program may write as text."""
    return Told(value, lambda written, told: str(written) == str(told) or _as_number(written) == _as_number(told))


def _as_number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def retold(written: Any, told: Any) -> Any:  # noqa: ANN401 - property values are of any type
    """What AWS tells, in the words of the program: ``written`` itself, down to its parts, where that means the same."""
    if is_empty(written) and is_empty(told.value if isinstance(told, Told) else told):
        return written
    if isinstance(told, Told):
        return written if told.means(written, told.value) else told.value
    if isinstance(told, Unordered) and isinstance(written, list):
        return _retold_set(written, told)
    if isinstance(told, Entries) or same(written, told):
        return written if same(written, told) else plain(told)
    if isinstance(told, Mapping) and isinstance(written, Mapping):
        return {key: retold(value, told[key]) if key in told else value for key, value in written.items()}
    if isinstance(told, list) and isinstance(written, list) and len(told) == len(written):
        return [retold(one, other) for one, other in zip(written, told, strict=True)]
    return plain(told)


def _retold_set(written: list[Any], told: Unordered) -> list[Any]:
    """Items that are still there as they were written, in that order; then what is left of both, one for one."""
    left = list(told)
    kept, gone = [], []
    for item in written:
        twin = next((index for index, other in enumerate(left) if same(item, retold(item, other))), None)
        if twin is None:
            gone.append(item)
        else:
            kept.append(item)
            del left[twin]
    paired = [retold(one, other) for one, other in zip(gone, left, strict=False)]
    return [*kept, *paired, *(plain(item) for item in left[len(gone) :])]


def plain(told: Any) -> Any:  # noqa: ANN401 - property values are of any type
    """What AWS tells, as a program that has not said anything yet would write it: without what is empty."""
    if isinstance(told, Told):
        return told.value
    if isinstance(told, Mapping):
        parts = {key: plain(value) for key, value in told.items()}
        return dict(parts) if isinstance(told, Entries) else {k: v for k, v in parts.items() if not is_empty(v)}
    if isinstance(told, list):
        return [plain(item) for item in told]
    return told
