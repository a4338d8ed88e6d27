"""What changed between two revisions, in words. Pure. Names are told, values never."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byoc.operations.revisions.definitions import Definition

_OF_THE_PROVIDER = re.compile(r"terraform-(\d{14})\d{12,}")
"""A version's id as the AWS provider makes it: all begin alike, and go on with the time to a second, in UTC, and more
(terraform-plugin-sdk, ``helper/id``). The time tells two of one secret apart."""
_SHOWN_OF_A_VERSION = 8
"""Characters that tell two random ids apart."""
_KNOWN = frozenset({"containerDefinitions", "cpu", "memory", "tags", "family"})
_KNOWN_OF_CONTAINER = frozenset({"environment", "image", "secrets"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference. ``what`` is ``image``, ``environment``, ``secret``, ``version``, ``size`` or ``setting``."""

    what: str
    name: str
    """Of the variable, of the secret's content, of the setting; empty for image and size."""
    before: str = ""
    """Empty where there was none, and where it would be a value."""
    after: str = ""

    def text(self) -> str:
        """In words, for a person."""
        subject = " ".join(word for word in (self.what, self.name) if word)
        return f"{subject}: {self.before} -> {self.after}" if self.before and self.after else f"{subject} {self.after}"

    def document(self) -> dict[str, str]:
        """For a program to read."""
        return {"what": self.what, "name": self.name, "before": self.before, "after": self.after}


def changes(before: Definition, after: Definition) -> tuple[Change, ...]:
    """How ``after`` differs from ``before``; nothing for a copy."""
    return (
        *_image(before, after),
        *_size(before, after),
        *_names("environment", before.environment, after.environment),
        *_names("secret", dict.fromkeys(before.secrets, ""), dict.fromkeys(after.secrets, "")),
        *_versions(before, after),
        *_settings(before, after),
    )


def _image(before: Definition, after: Definition) -> Iterator[Change]:
    if before.image != after.image:
        old, new = short_images(before.image, after.image)
        yield Change(what="image", name="", before=old, after=new)


def short_images(before: str, after: str) -> tuple[str, str]:
    """Two images without the repository that they share: ``1.0.0`` and ``1.1.0``."""
    old, new = repository(before), repository(after)
    return (before[len(old) + 1 :], after[len(new) + 1 :]) if old == new else (before, after)


def repository(image: str) -> str:
    """An image's name without its tag or digest; a port of the registry is no tag."""
    name = image.partition("@")[0]
    last = name.rpartition("/")[2]
    return name[: -len(last.partition(":")[2]) - 1] if ":" in last else name


def _size(before: Definition, after: Definition) -> Iterator[Change]:
    old, new = size_text(before), size_text(after)
    if old != new:
        yield Change(what="size", name="", before=old, after=new)


def size_text(item: Definition) -> str:
    """CPU units and MiB: ``1024/2048``."""
    return f"{item.cpu}/{item.memory}"


def _names(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Change(what=what, name=name, after="added")
        elif name not in after:
            yield Change(what=what, name=name, after="removed")
        elif before[name] != after[name]:
            yield Change(what=what, name=name, after="changed")


def _versions(before: Definition, after: Definition) -> Iterator[Change]:
    """Other versions of secrets, told once for all the variables that come of one secret."""
    old = {item.content: item for item in before.versions}
    for item in sorted(after.versions, key=lambda item: item.content):
        was = old.get(item.content)
        if was is not None and was != item:
            yield Change(
                what="version", name=item.content, before=_version_text(was.version), after=_version_text(item.version)
            )


def _version_text(version: str) -> str:
    made = _OF_THE_PROVIDER.fullmatch(version)
    return made[1] if made else version[:_SHOWN_OF_A_VERSION] or "current"


def _settings(before: Definition, after: Definition) -> Iterator[Change]:
    """Whatever else is not the same: roles, log settings, the command."""
    old, new = _other(before), _other(after)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Change(what="setting", name=name, after="changed")


def _other(item: Definition) -> dict[str, Any]:
    outer = {key: value for key, value in item.rest.items() if key not in _KNOWN}
    containers: Sequence[Mapping[str, Any]] = item.rest["containerDefinitions"]
    return outer | {key: value for key, value in containers[0].items() if key not in _KNOWN_OF_CONTAINER}
