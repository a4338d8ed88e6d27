"""The config of a single-platform image: downloaded from where ECR says, bounded in size and time, and verified."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from byoc.operations.doctor.asking import NoAnswer

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

LARGEST = 4 * 1024 * 1024
"""Bytes of a config; that of an image with a long history has some hundred thousand."""
SECONDS = 10.0
"""Time limit of one attempt to connect or read, and of the whole body."""
_OK = 200
_TRIES = 2
_REPEAT = "repeat it; or see for yourself: docker inspect, Architecture"


def platform_from(url: str, digest: str) -> tuple[str, ...] | NoAnswer:
    """The platform that the config at ``url`` names; not known where it cannot be had whole and unchanged."""
    import urllib3

    try:
        content = _downloaded(url)
    except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
        return NoAnswer(why=f"the image's config could not be downloaded: {_words(error)}", remedy=_REPEAT)
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        return NoAnswer(why=f"the image's config is not what its manifest says: it has not {digest}", remedy=_REPEAT)
    return platform_of(content)


def platform_of(content: bytes) -> tuple[str, ...] | NoAnswer:
    """The platform that a config names (OCI Image Format Specification: Image Configuration)."""
    try:
        config: Mapping[str, Any] = json.loads(content)
        return (f"{config['os']}/{config['architecture']}",)
    except (ValueError, KeyError, TypeError):
        return NoAnswer(why="the image's config names no platform")


def _downloaded(url: str) -> bytes:
    import urllib3

    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme) if not proxy_bypass(parts.hostname or "") else None
    retries = urllib3.Retry(total=_TRIES, redirect=_TRIES, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504))
    pool: urllib3.PoolManager = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
    with pool:
        answer = pool.request("GET", url, timeout=SECONDS, retries=retries, preload_content=False)
        if answer.status != _OK:
            raise OSError(f"HTTP status {answer.status}")
        return _body(answer)


def _body(answer: BaseHTTPResponse) -> bytes:
    """The whole body; a server that drips is left, and so is one that does not end."""
    content, end = bytearray(), time.monotonic() + SECONDS
    while chunk := answer.read1(65536):
        content += chunk
        if len(content) > LARGEST:
            raise OSError(f"it has more than {LARGEST // (1024 * 1024)} MiB")
        if time.monotonic() > end:
            raise TimeoutError(f"it was not whole after {SECONDS:g} s")
    return bytes(content)


def _words(error: Exception) -> str:
    """Without the URL: it is signed, so that it opens the image to who reads it."""
    import urllib3

    failures = urllib3.exceptions
    if isinstance(error, failures.MaxRetryError):
        error = error.reason or error
    if isinstance(error, failures.NewConnectionError):
        return "no connection"
    if isinstance(error, failures.TimeoutError):
        return f"no answer within {SECONDS:g} s"
    if isinstance(error, failures.ProtocolError):
        return "it broke off"
    if isinstance(error, failures.ResponseError) or not isinstance(error, failures.HTTPError):
        return str(error)
    return type(error).__name__
