"""The client of LangSmith's API against a local server that answers as documented, and badly."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from byoc.operations.langsmith import client, transport
from byoc.operations.langsmith.client import LangSmith, Project
from byoc.operations.langsmith.transport import LangSmithError, api_root
from tests.operations.langsmith_server import KEY, Bad, LangSmithServer, langsmith_server

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LangSmithServer]:
    """A server whose certificate is trusted; attempts follow each other at once."""
    monkeypatch.setattr(transport, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(transport, "LONGEST_PAUSE_SECONDS", 0)
    with langsmith_server(tmp_path) as found:
        monkeypatch.setenv("SSL_CERT_FILE", str(found.certificate))
        yield found


@pytest.fixture
def langsmith(server: LangSmithServer) -> LangSmith:
    """A client with the right key."""
    return LangSmith(server.endpoint, KEY)


def _failure(langsmith: LangSmith) -> LangSmithError:
    with pytest.raises(LangSmithError) as raised:
        langsmith.project("chat")
    assert KEY not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("endpoint", "root"),
    [
        ("https://api.smith.langchain.com", "https://api.smith.langchain.com/api"),
        ("https://eu.api.smith.langchain.com/", "https://eu.api.smith.langchain.com/api"),
        ("https://langsmith.example.com/api", "https://langsmith.example.com/api"),
        ("https://langsmith.example.com/api/v1", "https://langsmith.example.com/api"),
        ("https://example.com/langsmith/api/v1/", "https://example.com/langsmith/api"),
        ("https://api", "https://api/api"),
    ],
)
def test_the_api_lies_below_the_endpoint(endpoint: str, root: str) -> None:
    assert api_root(endpoint) == root


def test_a_project_is_found_by_its_whole_name(server: LangSmithServer, langsmith: LangSmith) -> None:
    server.add_project("chat-old", NOON)
    made = server.add_project("chat", NOON)
    assert langsmith.project("chat") == Project(
        id=made["id"], name="chat", created=NOON, last_run=None, workspace=made["tenant_id"]
    )
    assert langsmith.project("cha") is None
    (first, _) = server.asked
    assert first.path == "/api/v1/sessions?name=chat&limit=100&offset=0"
    assert (first.key, first.workspace) == (KEY, "")


def test_a_project_on_a_later_page_is_found(server: LangSmithServer, langsmith: LangSmith) -> None:
    for number in range(200):
        server.add_project(f"chat-{number}")
    made = server.add_project("chat")
    found = langsmith.project("chat")
    assert found is not None
    assert found.id == made["id"]
    assert [asked.path.rpartition("=")[2] for asked in server.asked] == ["0", "100", "200"]


def test_pages_without_end_are_no_answer(
    server: LangSmithServer, langsmith: LangSmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE", 1)
    monkeypatch.setattr(client, "MOST_PAGES", 3)
    for number in range(5):
        server.add_project(f"chat-{number}")
    assert _failure(langsmith).what == f"{langsmith.host} does not answer as LangSmith's API does: pages without end"


def test_a_project_is_made_once(server: LangSmithServer, langsmith: LangSmith) -> None:
    made = langsmith.create_project("chat", "Traces of chat")
    assert made is not None
    assert made == langsmith.project("chat")
    assert langsmith.create_project("chat", "Traces of chat") is None
    assert server.names() == ["chat"]
    assert server.asked[0].body == {"name": "chat", "description": "Traces of chat"}


def test_a_creation_whose_answer_was_lost_is_asked_again(server: LangSmithServer, langsmith: LangSmith) -> None:
    server.bad = [Bad(hang_up=True)]
    assert langsmith.create_project("chat", "") is not None
    assert [asked.method for asked in server.asked] == ["POST", "POST"]


def test_the_newest_trace_is_told(server: LangSmithServer, langsmith: LangSmith) -> None:
    server.add_project("chat")
    for day in (3, 9, 5):
        server.trace("chat", datetime(2026, 11, day, 23, 59, 59, 123456, tzinfo=UTC))
    project = langsmith.project("chat")
    assert project is not None
    assert langsmith.last_trace(project) == datetime(2026, 11, 9, 23, 59, 59, 123456, tzinfo=UTC)
    assert server.asked[-1].body == {
        "session": [project.id],
        "limit": 1,
        "order": "desc",
        "select": ["id", "start_time"],
    }


def test_a_project_without_traces_has_none(server: LangSmithServer, langsmith: LangSmith) -> None:
    server.add_project("chat")
    project = langsmith.project("chat")
    assert project is not None
    assert langsmith.last_trace(project) is None


def test_an_empty_page_with_a_next_one_is_not_the_end(server: LangSmithServer, langsmith: LangSmith) -> None:
    server.add_project("chat")
    server.trace("chat", NOON)
    server.empty_pages = 2
    project = langsmith.project("chat")
    assert project is not None
    assert langsmith.last_trace(project) == NOON
    server.empty_pages = client.MOST_PAGES
    with pytest.raises(LangSmithError, match="pages without end"):
        langsmith.last_trace(project)


@pytest.mark.parametrize("written", ["2026-11-20T12:00:00", "2026-11-20T12:00:00Z", "2026-11-20T13:00:00.000000+01:00"])
def test_times_are_read_with_and_without_a_zone(server: LangSmithServer, langsmith: LangSmith, written: str) -> None:
    server.add_project("chat", NOON, last_run_start_time="2026-11-01T00:00:00", last_run_start_time_live=written)
    project = langsmith.project("chat")
    assert project is not None
    assert project.last_run == NOON


def test_the_workspace_goes_with_a_key_of_an_organization(server: LangSmithServer) -> None:
    LangSmith(server.endpoint, KEY, workspace="0b6b5a0e-0000-4000-8000-000000000001").project("chat")
    assert server.asked[0].workspace == "0b6b5a0e-0000-4000-8000-000000000001"


def test_a_wrong_key_is_told_without_it(server: LangSmithServer) -> None:
    failure = _failure(LangSmith(server.endpoint, "lsv2_pt_wrong"))
    assert failure.what == f"127.0.0.1:{server.port} does not take the key (401)"
    assert "lsv2" not in str(failure)
    assert len(server.asked) == 1  # not asked again
    assert "lsv2" not in repr(LangSmith(server.endpoint, "lsv2_pt_wrong"))


@pytest.mark.parametrize(
    ("status", "times", "what"),
    [
        (403, 1, "does not take the key (403)"),
        (404, 1, "does not answer as LangSmith's API does (404)"),
        (422, 1, "does not answer as LangSmith's API does (422)"),
        (429, 4, "is too busy for this key (429)"),
        (500, 4, "failed (500)"),
        (502, 4, "failed (502)"),
        (503, 4, "failed (503)"),
        (501, 1, "failed (501)"),
    ],
)
def test_a_refusal_is_told_and_repeated_where_that_may_help(
    server: LangSmithServer, langsmith: LangSmith, status: int, times: int, what: str
) -> None:
    server.always = Bad(status=status, text=f'{{"detail": "{KEY}"}}')
    assert _failure(langsmith).what == f"{langsmith.host} {what}"
    assert len(server.asked) == times


def test_a_busy_server_that_recovers_is_no_failure(server: LangSmithServer, langsmith: LangSmith) -> None:
    server.add_project("chat")
    server.bad = [Bad(status=429, headers={"retry-after": "3600"}), Bad(status=503), Bad(cut_short=True, text="[")]
    assert langsmith.project("chat") is not None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<html>", "no JSON"),
        ("", "no JSON"),
        ("{}", "projects that are no list"),
        ('[{"name": "chat"}]', "an answer without id"),
        ('[{"id": 7, "name": "chat"}]', "an answer without id"),
        ('["chat"]', "an answer without id"),
        ('[{"id": "1", "name": "chat", "start_time": "yesterday"}]', "start_time that is no time"),
        ('[{"id": "1", "name": "chat", "start_time": 7}]', "start_time that is no time"),
        ('[{"id": "1", "name": "chat", "start_time": "0001-01-01T00:00:00+14:00"}]', "start_time that is no time"),
    ],
)
def test_an_answer_that_says_nothing_is_none(
    server: LangSmithServer, langsmith: LangSmith, text: str, what: str
) -> None:
    server.always = Bad(text=text)
    assert _failure(langsmith).what == f"{langsmith.host} does not answer as LangSmith's API does: {what}"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"runs": []}',
        '{"cursors": {}}',
        '{"runs": null, "cursors": {}}',
        '{"runs": [{"id": "1"}], "cursors": {}}',
    ],
)
def test_half_an_answer_about_runs_is_not_no_run(server: LangSmithServer, langsmith: LangSmith, text: str) -> None:
    server.bad = [Bad(status=404), Bad(text=text)]
    with pytest.raises(LangSmithError, match=r"an answer without (runs|cursors)|a run without start_time"):
        langsmith.last_trace(Project(id="1", name="chat", created=None, last_run=None))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{}", "an answer without items"),
        ("[]", "an answer without items"),
        ('{"items": null}', "an answer without items"),
        ('{"items": [{"id": "1"}]}', "a run without start_time"),
        ('{"items": [{"id": "1", "start_time": "soon"}]}', "start_time that is no time"),
    ],
)
def test_half_an_answer_of_the_new_way_is_not_no_run_either(
    server: LangSmithServer, langsmith: LangSmith, text: str, what: str
) -> None:
    server.bad = [Bad(text=text)]
    with pytest.raises(LangSmithError, match=what):
        langsmith.last_trace(Project(id="1", name="chat", created=None, last_run=None))


def _traced(server: LangSmithServer, langsmith: LangSmith, *days: int) -> Project:
    """A project with runs on days of November."""
    server.add_project("chat", datetime(2026, 10, 1, tzinfo=UTC))
    for day in days:
        server.trace("chat", datetime(2026, 11, day, 23, 59, 59, 123456, tzinfo=UTC))
    project = langsmith.project("chat")
    assert project is not None
    return project


@pytest.mark.parametrize(
    ("versions", "store"),
    [
        (("v1", "v2"), ("v1", "v2")),
        (("v1", "v2"), ("v1",)),  # SmithDB is there, and not in use
        (("v1", "v2"), ("v2",)),
        (("v1",), ("v1",)),  # self-hosted before v0.16
        (("v2",), ("v2",)),  # in the cloud from February 2027
    ],
)
def test_a_run_counts_whichever_way_it_is_told_of(
    server: LangSmithServer, langsmith: LangSmith, versions: tuple[str, ...], store: tuple[str, ...]
) -> None:
    server.versions, server.store = versions, store
    project = _traced(server, langsmith, 3, 9, 5)
    assert langsmith.last_trace(project) == datetime(2026, 11, 9, 23, 59, 59, 123456, tzinfo=UTC)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("rounded", [True, False])
def test_the_new_way_finds_the_newest_run_in_whatever_order_it_tells_of_them(
    server: LangSmithServer, langsmith: LangSmith, monkeypatch: pytest.MonkeyPatch, newest_first: bool, rounded: bool
) -> None:
    monkeypatch.setattr(client, "PAGE", 2)
    server.versions, server.newest_first, server.rounded = ("v2",), newest_first, rounded
    project = _traced(server, langsmith, 1, 2, 3, 4, 5)
    last = langsmith.last_trace(project)
    assert last == datetime(2026, 11, 5, 23, 59, 59, 0 if rounded else 123456, tzinfo=UTC)


def test_runs_of_one_rounded_second_do_not_hide_those_after_it(
    server: LangSmithServer, langsmith: LangSmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE", 2)
    server.versions, server.newest_first, server.rounded = ("v2",), False, True
    project = _traced(server, langsmith)
    for moment in (1, 2, 3, 4, 5, 1_500_000):
        server.trace("chat", NOON + timedelta(microseconds=moment))
    assert langsmith.last_trace(project) == NOON + timedelta(seconds=1)


def test_a_run_at_the_end_of_time_is_one(server: LangSmithServer, langsmith: LangSmith) -> None:
    server.versions = ("v2",)
    project = _traced(server, langsmith)
    last = datetime.max.replace(tzinfo=UTC)
    server.trace("chat", last)
    assert langsmith.last_trace(project) == last


def test_the_new_way_is_asked_for_all_days_since_the_project_was_made_and_in_its_workspace(
    server: LangSmithServer, langsmith: LangSmith
) -> None:
    project = _traced(server, langsmith)
    assert langsmith.last_trace(project) is None
    (asked,) = [item for item in server.asked if item.path == "/api/v2/runs/query"]
    assert asked.workspace == project.workspace != ""
    assert asked.body == {
        "project_ids": [project.id],
        "selects": ["ID", "START_TIME"],
        "page_size": 100,
        "min_start_time": "2026-10-01T00:00:00Z",
    }


def test_the_workspace_of_the_key_s_holder_comes_first(server: LangSmithServer) -> None:
    holder = LangSmith(server.endpoint, KEY, workspace="0b6b5a0e-0000-4000-8000-000000000001")
    holder.last_trace(_traced(server, holder))
    assert {item.workspace for item in server.asked} == {"0b6b5a0e-0000-4000-8000-000000000001"}


def test_a_langsmith_that_can_be_asked_in_neither_way_says_nothing(
    server: LangSmithServer, langsmith: LangSmith
) -> None:
    server.versions = ()
    project = _traced(server, langsmith, 3)
    with pytest.raises(LangSmithError, match=r"does not answer as LangSmith's API does \(404\)"):
        langsmith.last_trace(project)


@pytest.mark.parametrize("status", [401, 403, 422, 429, 500])
def test_a_way_that_is_there_and_fails_is_not_made_up_for_by_the_other(
    server: LangSmithServer, langsmith: LangSmith, status: int
) -> None:
    project = _traced(server, langsmith, 3)
    server.bad = [Bad(status=status)] * 4
    with pytest.raises(LangSmithError):
        langsmith.last_trace(project)


def test_half_a_page_is_no_answer(server: LangSmithServer, langsmith: LangSmith) -> None:
    server.always = Bad(text="[]", cut_short=True)
    assert _failure(langsmith).what == f"{langsmith.host} cannot be reached: ProtocolError"
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("bad", "what", "times"),
    [
        (Bad(text="[", chunked=True, cut_short=True), "cannot be reached: ProtocolError", 4),
        (Bad(data=b'[{"id": "\xff\xfe"}]'), "does not answer as LangSmith's API does: no JSON", 1),
        (Bad(text="[" * 200_000), "does not answer as LangSmith's API does: no JSON", 1),
        (
            Bad(text="[]", headers={"content-encoding": "gzip"}),
            "does not answer as LangSmith's API does: what cannot be unpacked",
            1,
        ),
        (Bad(status=204, text=""), "does not answer as LangSmith's API does: no JSON", 1),
    ],
    ids=["a chunk short", "no UTF-8", "without bottom", "not packed", "nothing"],
)
def test_an_answer_that_cannot_be_read_is_none(
    server: LangSmithServer, langsmith: LangSmith, bad: Bad, what: str, times: int
) -> None:
    server.always = bad
    assert _failure(langsmith).what == f"{langsmith.host} {what}"
    assert len(server.asked) == times


def test_an_answer_in_chunks_or_of_another_type_is_one(server: LangSmithServer, langsmith: LangSmith) -> None:
    text = '[{"id": "1", "name": "chat"}]'
    server.bad = [Bad(text=text, chunked=True), Bad(text=text, headers={"content-type": "text/html"})]
    assert langsmith.project("chat") == langsmith.project("chat") is not None


def test_an_answer_that_comes_and_comes_is_given_up(
    server: LangSmithServer, langsmith: LangSmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "WHOLE_SECONDS", 0.3)
    server.always = Bad(text="[" + " " * 100 + "]", drip_seconds=0.05)  # no silence is too long
    assert _failure(langsmith).what == f"{langsmith.host} did not answer in time"
    assert len(server.asked) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_of_any_size_takes_bounded_memory(
    server: LangSmithServer, langsmith: LangSmith, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(transport, "MOST_BYTES", 1024 * 1024)
    data = b"[" + b" " * 4 * 1024 * 1024 + b"]"
    server.always = Bad(data=gzip.compress(data), headers={"content-encoding": "gzip"}) if packed else Bad(data=data)
    assert _failure(langsmith).what == (
        f"{langsmith.host} does not answer as LangSmith's API does: more than 1 MiB at once"
    )
    server.always = None
    server.add_project("chat")
    assert langsmith.project("chat") is not None  # the next question has a connection of its own


@pytest.mark.parametrize(
    "key", ["lsv2_pt_hidden\n", "lsv2_pt_hidden\r\nx-other: 1", "lsv2_pt_hiddén", "lsv2_pt_ hidden"]
)
def test_a_key_that_is_none_is_neither_sent_nor_shown(server: LangSmithServer, key: str) -> None:
    with pytest.raises(LangSmithError) as raised:
        LangSmith(server.endpoint, key).project("chat")
    assert raised.value.what.startswith("the LangSmith key holds a line break, a space or another character")
    assert "hid" not in str(raised.value)
    assert server.asked == []


def test_a_workspace_that_is_none_is_refused(server: LangSmithServer) -> None:
    with pytest.raises(LangSmithError, match=r"^LANGSMITH_WORKSPACE_ID in environment holds a line break"):
        LangSmith(server.endpoint, KEY, workspace="0b6b5a0e\n")
    langsmith = LangSmith(server.endpoint, KEY)
    with pytest.raises(LangSmithError, match="a workspace whose id is none") as raised:
        langsmith.last_trace(Project(id="1", name="chat", created=None, last_run=None, workspace="a\r\nb: c"))
    assert KEY not in str(raised.value)
    assert server.asked == []


def test_a_server_that_does_not_answer_is_given_up(
    server: LangSmithServer, langsmith: LangSmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.1)
    server.always = Bad(silent=True)
    assert _failure(langsmith).what == f"{langsmith.host} did not answer in time"


def test_nobody_listening_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PAUSE_SECONDS", 0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        failure = _failure(LangSmith(f"https://127.0.0.1:{port}", KEY))
    assert failure.what == f"127.0.0.1:{port} cannot be reached: NewConnectionError"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_is_not_sent_after_a_redirect(
    server: LangSmithServer, langsmith: LangSmith, tmp_path: Path, status: int
) -> None:
    (tmp_path / "other").mkdir()
    with langsmith_server(tmp_path / "other") as other:
        server.always = Bad(status=status, headers={"location": f"{other.endpoint}/api/v1/sessions"})
        failure = _failure(langsmith)
        assert failure.what == (
            f"{langsmith.host} redirects to 127.0.0.1:{other.port} ({status}); the key was not sent there"
        )
        assert other.asked == []


def test_a_certificate_that_nobody_vouches_for_gets_no_key(
    server: LangSmithServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    failure = _failure(LangSmith(server.endpoint, KEY))
    assert failure.what == f"the certificate of 127.0.0.1:{server.port} is not trusted, or TLS failed"
    assert server.asked == []


def test_a_certificate_of_another_host_gets_no_key(server: LangSmithServer) -> None:
    failure = _failure(LangSmith(f"https://localhost:{server.port}", KEY))
    assert failure.what == f"the certificate of localhost:{server.port} is not trusted, or TLS failed"
    assert server.asked == []
