"""What keeps a deployment that is due from being deleted: whatever is not known. Unknown is not unused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from byoc.errors import ByocError
from byoc.operations.langsmith import transport
from byoc.operations.langsmith.project import read_environment
from byoc.operations.retention import read
from byoc.operations.retention.judge import Action
from byoc.operations.retention.run import Case, Done, carry_out
from byoc.sandbox.emulator.faults import Fault
from tests.operations.langsmith_server import KEY, Asked, Bad
from tests.operations.retention_world import Traced, traced
from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World, Worlds

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_retries")]


@pytest.fixture(scope="module")
def settled_traced(worlds: Worlds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """One deployment for all of these tests: none of them may delete it."""
    with traced(worlds.new(), tmp_path_factory.mktemp("langsmith")) as found:
        yield found


@pytest.fixture
def due(settled_traced: Traced, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    """The deployment, due to be deleted; after the test it is seen that it still is, and that nothing was."""
    life = settled_traced
    life.clock.wrong = timedelta()
    life.server.projects, life.server.always, life.server.bad = [], None, []
    life.server.add_project("chat")
    make_due(life)
    yield life
    monkeypatch.undo()
    life.world.client.clear_faults()
    assert life.destroyed == []
    assert life.calls("sns:Publish") == 0
    life.clock.wrong, life.server.always, life.server.key = timedelta(), None, KEY
    if not life.server.projects:
        life.server.add_project("chat")
    assert life.look().decision.action is Action.DELETE


def make_due(life: Traced) -> None:
    """As after forty days without a trace, with a notice after eight."""
    life.set_record(f"watched={life.day(0)} looked={life.day(39)} noticed={life.day(8)}")
    life.on(40)


def stays(life: Traced) -> Case:
    """A run that may not know, and so notes, tells and deletes nothing."""
    before = life.record()
    case = life.apply()
    assert (case.decision.action, case.done, case.well) == (Action.UNKNOWN, Done.NOTHING, False)
    assert life.record() == before
    return case


BAD_ANSWERS = {
    "401": (Bad(status=401), "does not take the key (401)"),
    "403": (Bad(status=403), "does not take the key (403)"),
    "404": (Bad(status=404), "does not answer as LangSmith's API does (404)"),
    "429": (Bad(status=429), "is too busy for this key (429)"),
    "500": (Bad(status=500), "failed (500)"),
    "redirect": (Bad(status=302, headers={"location": "https://login.example.com/"}), "redirects to login.example.com"),
    "no JSON": (Bad(text="<html>"), "no JSON"),
    "an object": (Bad(text="{}"), "projects that are no list"),
    "half a page": (Bad(text="[]", cut_short=True), "cannot be reached: ProtocolError"),
    "silence": (Bad(silent=True), "did not answer in time"),
    "no project": (Bad(text="[]"), "the tracing project chat is not there; make it with: byoc tracing demo-chat"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_langsmith_that_says_nothing_deletes_nothing(due: Traced, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    bad, words = BAD_ANSWERS[name]
    if bad.silent:
        monkeypatch.setattr(transport, "READ_SECONDS", 0.1)
    due.server.always = bad
    reason = stays(due).decision.reason
    assert words in reason
    assert KEY not in reason


@pytest.mark.parametrize("words", [(), ("--apply", "--sandbox")])
def test_what_is_not_known_has_a_line_of_its_own(
    due: Traced, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    monkeypatch.setattr("byoc.operations.retention.read.Clock", lambda: due.clock)
    due.server.always = Bad(status=401)
    shown = byoc(capsys, "retention", CHAT, *words, "-C", str(due.world.root))
    assert (shown.code, shown.err) == (1, "")
    header, row, why, *_ = shown.out.splitlines()
    assert header.split()[-1] == "why"
    assert row.split() == ["chat", "unknown", *(["nothing"] if words else []), "none"]
    assert why.startswith(f"chat: not known: 127.0.0.1:{due.server.port} does not take the key (401); mend it: see ")


def test_a_question_about_traces_that_is_not_answered_deletes_nothing(due: Traced) -> None:
    (project,) = due.server.projects
    due.server.runs.pop(project["id"])  # the project is shown, its runs are not
    assert "does not answer as LangSmith's API does (404)" in stays(due).decision.reason
    due.server.runs[project["id"]] = []


def test_what_cannot_be_asked_again_right_before_the_deletion_stays(
    due: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, looks = due.server.answer, []

    def once(asked: Asked) -> tuple[int, Any]:
        looks.append(asked.path.startswith("/api/v1/sessions"))
        return (503, {}) if sum(looks) > 1 else answer(asked)

    monkeypatch.setattr(due.server, "answer", once)
    case = due.apply()
    assert (case.decision.action, case.done, case.well) == (Action.UNKNOWN, Done.NOTHING, False)
    assert "failed (503)" in case.decision.reason
    assert due.destroyed == []


def test_a_key_that_was_changed_deletes_nothing(due: Traced) -> None:
    due.server.key = "lsv2_another"
    assert "does not take the key (401)" in stays(due).decision.reason


def test_a_project_that_was_made_anew_begins_the_count_anew(due: Traced) -> None:
    due.server.projects = []
    due.server.add_project("chat", due.clock.now())
    case = due.look()
    assert (case.decision.action, case.decision.unused_days) == (Action.KEEP, 0)
    assert case.decision.reason == f"its tracing project was made on {due.day(40)}"
    due.server.projects = []


@pytest.mark.parametrize("wrong", [timedelta(days=365), timedelta(minutes=-7), timedelta(minutes=7)])
def test_a_wrong_clock_deletes_nothing(due: Traced, wrong: timedelta) -> None:
    due.clock.wrong = wrong
    assert "the clocks differ" in stays(due).decision.reason


def test_an_aws_that_does_not_say_the_time_deletes_nothing(due: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due.clock, "of", lambda _: None)
    assert stays(due).decision.reason == "AWS did not say what time it is"


@pytest.mark.parametrize("said", ["", "yesterday", "Tue, 99 Nov 2026 13:03:04 GMT"])
def test_a_time_that_cannot_be_read_is_none(said: str) -> None:
    assert read.Clock().of({"ResponseMetadata": {"HTTPHeaders": {"date": said}}}) is None
    assert read.Clock().of({}) is None


@pytest.mark.parametrize(
    "action",
    [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
    ],
)
@pytest.mark.parametrize("kind", ["throttle", "500", "drop"])
def test_an_aws_that_fails_deletes_nothing(due: Traced, action: str, kind: Any) -> None:
    due.world.client.set_faults(Fault(kind=kind, actions=(action,)))
    case = due.apply()
    assert (case.decision.action, case.done, case.well) == (Action.UNKNOWN, Done.NOTHING, False)
    assert case.decision.reason.startswith(f"{action}: ")
    due.world.client.clear_faults()


def test_who_cannot_note_the_look_neither_tells_nor_deletes(due: Traced) -> None:
    due.world.client.set_faults(Fault(kind="throttle", actions=("secretsmanager:TagResource",)))
    case = due.apply()
    assert (case.decision.action, case.done) == (Action.DELETE, Done.FAILED)
    assert case.failure.startswith("secretsmanager:TagResource: AWS is too busy for this account")
    due.world.client.clear_faults()
    due.set_record(f"watched={due.day(0)} looked={due.day(39)}")
    due.world.client.set_faults(Fault(kind="throttle", actions=("secretsmanager:TagResource",)))
    case = due.apply()
    assert (case.decision.action, case.done) == (Action.NOTIFY, Done.FAILED)
    due.world.client.clear_faults()
    make_due(due)


def test_a_destruction_that_fails_is_told(due: Traced) -> None:
    def destroy(stack: str) -> None:
        raise ByocError(f"{stack}: another run is at it")

    (case,) = carry_out(due.subjects(), due.clock, destroy)
    assert (case.done, case.failure, case.well) == (Done.FAILED, "demo-chat: another run is at it", False)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LANGSMITH_TRACING_SAMPLING_RATE", "0.1", "leaves traces out"),
        ("LANGCHAIN_TRACING_SAMPLING_RATE", "0", "leaves traces out"),
        ("LANGSMITH_RUNS_ENDPOINTS", "{}", "sends traces elsewhere"),
        ("LANGCHAIN_RUNS_ENDPOINTS", "{}", "sends traces elsewhere"),
        ("LANGCHAIN_SESSION", "other", "sends traces elsewhere"),
        ("LANGSMITH_AGENT_ID", "support", "sends traces elsewhere"),
        ("LANGSMITH_OTEL_ENABLED", "1", "sends traces elsewhere"),
        ("LANGSMITH_OTEL_ONLY", "True", "sends traces elsewhere"),
    ],
)
def test_a_server_that_does_not_send_every_trace_here_is_not_unused(
    due: Traced, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setattr(read, "read_environment", lambda *asked: {**read_environment(*asked), name: value})
    assert stays(due).decision.reason == f"environment.{name} {words}"


def test_a_server_that_samples_every_trace_is_counted(due: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {"LANGSMITH_TRACING_SAMPLING_RATE": "1", "LANGSMITH_OTEL_ENABLED": "false"}
    monkeypatch.setattr(read, "read_environment", lambda *asked: {**read_environment(*asked), **whole})
    assert due.look().decision.action is Action.DELETE


@pytest.fixture
def reconfigured(due: Traced) -> Iterator[Callable[..., None]]:
    """Changes the deployment's config for a test."""
    before = due.world.file(CHAT).read_text()
    yield lambda **changes: due.world.configure(CHAT, changes)
    due.world.file(CHAT).write_text(before)


def test_tracing_that_is_off_deletes_nothing(due: Traced, reconfigured: Callable[..., None]) -> None:
    reconfigured(tracing={"endpoint": due.server.endpoint, "enabled": False})
    assert stays(due).decision.reason == "tracing is off (tracing.enabled)"


@pytest.mark.parametrize(
    ("tracing", "words"),
    [
        ({"project": "agents"}, "its containers trace to project chat of {host}, not to agents of {host}"),
        ({"endpoint": "eu"}, "its containers trace to project chat of {host}, not to chat of eu.api.smith"),
    ],
)
def test_a_config_that_was_not_rolled_out_deletes_nothing(
    due: Traced, reconfigured: Callable[..., None], tracing: dict[str, str], words: str
) -> None:
    due.server.add_project("agents")  # it would be due, as empty as it is
    reconfigured(tracing={"endpoint": due.server.endpoint, **tracing})
    reason = stays(due).decision.reason
    assert words.format(host=f"127.0.0.1:{due.server.port}") in reason
    assert reason.endswith("as the config says by now; roll it out: byoc up demo-chat")


def test_a_deployment_without_a_key_is_not_unused(due: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "read_environment", lambda *_: {})
    assert stays(due).decision.reason.startswith("deployment chat has no LangSmith key; mend it: pulumi config set")


def test_a_role_that_only_observes_deletes_nothing(world: World, tmp_path: Path) -> None:
    with traced(world, tmp_path) as life:
        life.server.add_project("chat")
        make_due(life)
        world.configure(ACCOUNT, {"access": {"controlPlane": "us", "guardrails": True, "observeOnly": True}})
        world.up(ACCOUNT).done()
        reason = stays(life).decision.reason
        assert reason.startswith("secretsmanager:GetSecretValue: denied")
        assert "with access.observeOnly the role reads no secrets: run it with credentials of the account" in reason
        assert life.destroyed == []
