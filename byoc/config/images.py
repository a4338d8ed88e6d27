"""References to container images."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from byoc.config.problems import refuse

_PATH = re.compile(r"[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*")
_REGISTRY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_ALLOWED = "an image with a tag other than latest, or a digest: registry/repository:tag or registry/repository@sha256:…"


def _image(value: str) -> str:
    name, at, digest = value.partition("@")
    if at and _DIGEST.fullmatch(digest) is None:
        raise refuse(_ALLOWED, "after @ write sha256: and the digest's 64 hexadecimal digits")
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    repository = f"{head}{slash}{last}"
    first, slash, rest = repository.partition("/")
    # Only a first part that looks like a host is a registry (the Docker reference grammar).
    if slash and ("." in first or ":" in first or first == "localhost"):
        if _REGISTRY.fullmatch(first) is None:
            raise refuse(_ALLOWED, "respell the registry's host, such as 123456789012.dkr.ecr.us-west-2.amazonaws.com")
        repository = rest
    if _PATH.fullmatch(repository) is None or len(name) > 512:
        raise refuse(_ALLOWED, "respell the repository: lowercase letters, digits, . _ - and / between parts")
    if colon and _TAG.fullmatch(tag) is None:
        raise refuse(_ALLOWED, "respell the tag: up to 128 letters, digits, . _ -, beginning with a letter, digit or _")
    if not at and tag in ("", "latest"):
        raise refuse(_ALLOWED, "name the build that you mean: a revision must not change under a running service")
    return value


ImageReference = Annotated[str, AfterValidator(_image)]
"""A container image for linux/amd64, pinned by a tag that stays or by a digest."""
