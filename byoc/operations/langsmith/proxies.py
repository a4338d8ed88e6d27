"""The proxy that the environment names, between here and LangSmith. Who may use it is in no message."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import LocationParseError

from byoc.errors import InputError


def proxy_of(endpoint: str) -> SplitResult | None:
    """The proxy that the environment names for an endpoint (HTTPS_PROXY, unless NO_PROXY names the host).

    Raises ``InputError`` if what it names cannot be used.
    """
    url = urlsplit(endpoint)
    named = None if proxy_bypass(url.netloc) else getproxies().get(url.scheme)
    if not named:
        return None
    try:
        proxy = urlsplit(named if "://" in named else f"http://{named}")  # as curl takes it
        host, _ = proxy.hostname, proxy.port
    except ValueError:
        raise _no_proxy("what is no address") from None  # not repeated: a password may be in it
    if " " in place(proxy):
        raise _no_proxy("what is no address")
    if proxy.scheme not in ("http", "https") or not host:
        raise _no_proxy(f"a proxy by {proxy.scheme or 'no'} scheme")
    return proxy


def _no_proxy(what: str) -> InputError:
    return InputError(
        f"HTTPS_PROXY names {what}\n"
        "      allowed:  http://host:port or https://host:port\n"
        "      mend it:  correct it, or name the host in NO_PROXY"
    )


def pool(proxy: SplitResult | None) -> urllib3.PoolManager:
    """Connections, through the proxy if there is one; certificates are verified.

    Raises ``InputError`` if its address is none.
    """
    if proxy is None:
        return urllib3.PoolManager(cert_reqs="CERT_REQUIRED")
    holder = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else ""
    known = {"proxy-authorization": f"Basic {b64encode(holder.encode()).decode()}"} if holder else None
    try:
        return urllib3.ProxyManager(f"{proxy.scheme}://{place(proxy)}", proxy_headers=known, cert_reqs="CERT_REQUIRED")
    except LocationParseError:
        raise _no_proxy("what is no address") from None


def place(proxy: SplitResult) -> str:
    """Host and port, without who may use it."""
    return proxy.netloc.rpartition("@")[2]
