"""Tags that a stack's config may set, and tags that it tells Pulumi to leave alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from byoc import tags
from byoc.config.problems import Finding, refuse, refuse_if
from byoc.config.section import Section, setting

OWN_KEYS = (tags.ENABLED_KEY, tags.PRIVATE_KEY, tags.SECRET_KEY, tags.INSTALL_KEY, tags.DEPLOYMENT_KEY)
"""Keys that this library sets and finds its resources by."""

MOST_TAGS = 40
"""AWS allows 50 tags on a resource; ten are left to this library and to AWS services."""

_CHARACTERS = re.compile(r"[\w .:/=+@-]*")
_KEY_TEXT = "1 to 128 letters, digits, spaces and . : / = + - _ @, not beginning with aws:"
_VALUE_TEXT = "text of at most 256 letters, digits, spaces and . : / = + - _ @"
_OWN_TEXT = f"a key other than {', '.join(OWN_KEYS)}"


def _key_finding(key: str, at: tuple[str | int, ...]) -> Finding | None:
    if key in OWN_KEYS:
        return Finding(at=at, allowed=_OWN_TEXT, remedy="choose another key: this library finds its resources by these")
    if not 1 <= len(key) <= 128 or _CHARACTERS.fullmatch(key) is None or key.lower().startswith("aws:"):
        return Finding(at=at, allowed=_KEY_TEXT, remedy="rename the tag")
    return None


def _tags(values: Mapping[str, str]) -> Mapping[str, str]:
    findings = []
    for key, value in values.items():
        finding = _key_finding(key, (key,))
        if finding is not None:
            findings.append(finding)
        elif len(value) > 256 or _CHARACTERS.fullmatch(value) is None:
            findings.append(Finding(at=(key,), allowed=_VALUE_TEXT, remedy="shorten or respell the value"))
    if len(values) > MOST_TAGS:
        findings.append(Finding(allowed=f"at most {MOST_TAGS} tags", remedy="remove some: AWS allows 50 on a resource"))
    refuse_if(findings)
    return values


Tags = Annotated[dict[str, str], AfterValidator(_tags)]


def _ignored_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    refuse_if([finding for index, key in enumerate(keys) if (finding := _key_finding(key, (index,))) is not None])
    return keys


def _ignored_prefixes(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    for index, prefix in enumerate(prefixes):
        hidden = [key for key in OWN_KEYS if key.startswith(prefix)]
        if hidden or not prefix:
            raise refuse(
                "a prefix that none of this library's own tag keys begins with",
                f"lengthen it: it would hide {', '.join(hidden)}",
                at=(index,),
            )
    return prefixes


class IgnoreTags(Section):
    """Tags that others put on this stack's resources; Pulumi neither reads nor removes them."""

    keys: Annotated[tuple[str, ...], AfterValidator(_ignored_keys)] = setting(
        "Tag keys that are left alone.", default=(), shown="none"
    )
    key_prefixes: Annotated[tuple[str, ...], AfterValidator(_ignored_prefixes)] = setting(
        "Beginnings of tag keys that are left alone, such as `kubernetes.io/`.", default=(), shown="none"
    )
