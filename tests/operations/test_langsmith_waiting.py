"""Proxies between here and LangSmith, and how long it is waited for an answer."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from urllib3.util import retry

from byoc.errors import InputError
from byoc.operations.langsmith import transport
from byoc.operations.langsmith.client import LangSmith
from byoc.operations.langsmith.transport import LangSmithError
from tests.operations.langsmith_proxy import Proxy, proxy
from tests.operations.langsmith_server import HOST, KEY, Bad, LangSmithServer, langsmith_server
from tests.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LangSmithServer]:
    """A server with one project, whose certificate is trusted."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with langsmith_server(tmp_path) as found:
        monkeypatch.setenv("SSL_CERT_FILE", str(found.certificate))
        found.add_project("chat")
        yield found


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been waited, one pause after another."""
    waited: list[float] = []
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=waited.append, time=lambda: NOW.timestamp()))
    return waited


@pytest.fixture
def between() -> Iterator[Proxy]:
    """A proxy."""
    with proxy() as found:
        yield found


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def refused(server: LangSmithServer) -> LangSmithError:
    with pytest.raises(LangSmithError) as raised:
        LangSmith(server.endpoint, KEY).project("chat")
    assert KEY not in str(raised.value)
    return raised.value


def is_found(server: LangSmithServer) -> bool:
    return LangSmith(server.endpoint, KEY).project("chat") is not None


# Proxies


@pytest.mark.parametrize("written", ["http://{place}", "http://{place}/", "{place}"])
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_proxy_of_the_environment_is_used_and_sees_no_key(
    server: LangSmithServer, between: Proxy, monkeypatch: pytest.MonkeyPatch, name: str, written: str
) -> None:
    monkeypatch.setenv(name, written.format(place=between.place))
    assert is_found(server)
    assert between.tunnels == [f"{HOST}:{server.port}"]
    assert between.holders == [""]
    assert between.seen
    assert KEY.encode() not in between.seen


def test_a_proxy_that_wants_to_know_who_asks_is_told(
    server: LangSmithServer, between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://agents:se%40cret@{between.place}")
    assert is_found(server)
    assert between.holders == ["Basic " + base64.b64encode(b"agents:se@cret").decode()]


@pytest.mark.parametrize("hosts", [HOST, "*", "example.com, 127.0.0.1"])
def test_a_host_that_no_proxy_names_is_asked_directly(
    server: LangSmithServer, between: Proxy, monkeypatch: pytest.MonkeyPatch, hosts: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{between.place}")
    monkeypatch.setenv("NO_PROXY", hosts)
    assert is_found(server)
    assert between.tunnels == []


def test_a_host_that_no_proxy_does_not_name_goes_through_it(
    server: LangSmithServer, between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{between.place}")
    monkeypatch.setenv("NO_PROXY", "example.com,27.0.0.1")
    assert is_found(server)
    assert between.tunnels == [f"{HOST}:{server.port}"]


def test_a_proxy_for_plain_http_is_none_for_langsmith(
    server: LangSmithServer, between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{between.place}")
    assert is_found(server)
    assert between.tunnels == []


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("status", [403, 407])
def test_a_proxy_that_refuses_is_named_without_who_may_use_it(
    server: LangSmithServer, between: Proxy, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    between.refuse = status
    monkeypatch.setenv("HTTPS_PROXY", f"http://agents:secret@{between.place}")
    failure = refused(server)
    assert failure.what.startswith(
        f"the proxy {between.place} does not let {HOST}:{server.port} through: Tunnel connection failed: {status} "
    )
    assert failure.remedy == "see HTTPS_PROXY, or name the host in NO_PROXY"
    assert "secret" not in str(failure)
    assert server.asked == []


@pytest.mark.usefixtures("pauses")
def test_a_proxy_that_says_nothing_is_given_up(
    server: LangSmithServer, between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(transport, "READ_SECONDS", 0.1)
    between.is_silent = True
    monkeypatch.setenv("HTTPS_PROXY", f"http://{between.place}")
    assert refused(server).what == (f"{HOST}:{server.port} did not answer in time through the proxy {between.place}")
    # Its threads may be a moment behind who asks.
    wait_until(lambda: len(between.tunnels) >= transport.ATTEMPTS, "every attempt", seconds=10)
    assert len(between.tunnels) == transport.ATTEMPTS


@pytest.mark.usefixtures("pauses")
def test_a_proxy_that_is_not_there_is_named(server: LangSmithServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy() as gone:
        place = gone.place
    monkeypatch.setenv("HTTPS_PROXY", f"http://{place}")
    assert refused(server).what.startswith(f"the proxy {place} does not let {HOST}:{server.port} through: ")


@pytest.mark.parametrize("written", ["socks5://127.0.0.1:1080", "http://"])
def test_a_proxy_that_cannot_be_used_is_an_input_error(
    server: LangSmithServer, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", written)
    with pytest.raises(InputError, match=r"^HTTPS_PROXY names a proxy by (socks5|http) scheme\n"):
        LangSmith(server.endpoint, KEY)


@pytest.mark.parametrize("written", ["http://host:99999", "http://host:port", "http://[::1", "http://a b:1"])
def test_a_proxy_whose_address_is_none_is_an_input_error_without_who_may_use_it(
    server: LangSmithServer, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", written.replace("//", "//agents:secret@"))
    with pytest.raises(InputError, match=r"^HTTPS_PROXY names what is no address\n") as raised:
        LangSmith(server.endpoint, KEY)
    assert "secret" not in str(raised.value)


def test_a_proxy_s_password_may_hold_any_letter(
    server: LangSmithServer, between: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://agents:%C5%82%C3%B3d%C5%BA@{between.place}")
    assert is_found(server)
    assert between.holders == ["Basic " + base64.b64encode("agents:łódź".encode()).decode()]


# Waiting


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "waited"),
    [
        ("7", 7.0),
        ("3600", 30.0),  # never for longer
        (format_datetime(NOW + timedelta(seconds=9), usegmt=True), 9.0),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), 30.0),
    ],
)
def test_a_busy_langsmith_is_waited_for_as_it_says_and_never_for_long(
    server: LangSmithServer, pauses: list[float], said: str, waited: float, status: int
) -> None:
    server.bad = [Bad(status=status, headers={"retry-after": said})]
    assert is_found(server)
    assert pauses == [waited]


@pytest.mark.parametrize("said", ["0", "soon", "-5", "", format_datetime(NOW - timedelta(days=1), usegmt=True)])
def test_a_time_to_come_again_that_says_nothing_is_none(
    server: LangSmithServer, pauses: list[float], said: str
) -> None:
    server.bad = [Bad(status=429, headers={"retry-after": said})]
    assert is_found(server)
    assert pauses == []


def test_a_langsmith_that_stays_busy_is_given_up_after_a_bounded_time(
    server: LangSmithServer, pauses: list[float]
) -> None:
    server.always = Bad(status=429, headers={"retry-after": "86400"})
    assert refused(server).what == f"{HOST}:{server.port} is too busy for this key (429)"
    assert pauses == [30.0, 30.0, 30.0]
    assert len(server.asked) == transport.ATTEMPTS


def test_without_a_word_of_when_pauses_grow_and_differ(server: LangSmithServer, pauses: list[float]) -> None:
    server.always = Bad(status=503)
    refused(server)
    third, fourth = pauses
    assert 2 <= third <= 3
    assert 4 <= fourth <= 5
