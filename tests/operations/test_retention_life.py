"""Retention end to end: a deployment in the sandbox, a local LangSmith, and days that pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from byoc.operations.retention import run
from byoc.operations.retention.judge import Action, Decision, NotDeployed
from byoc.operations.retention.run import Case, Done, notice, subjects
from byoc.operations.retention_record import Record
from byoc.operations.targets import Accounts, Stack
from tests.operations.retention_world import Traced, traced
from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import CHAT, World
from tests.unit.config_samples import deployment


@pytest.fixture
def life(world: World, tmp_path: Path) -> Iterator[Traced]:
    """A deployment that was made today, with its tracing project."""
    with traced(world, tmp_path) as found:
        found.server.add_project("chat")
        yield found


@pytest.mark.slow
def test_a_deployment_that_nobody_uses_is_told_of_once_and_deleted_weeks_later(life: Traced) -> None:
    done = {}
    for day in (0, 1, 6, 7, 8, 9, 16, 28):
        done[day] = life.on(day).apply().done
    assert done == {**dict.fromkeys((0, 1, 6, 7, 9, 16, 28), Done.NOTHING), 8: Done.NOTIFIED}
    assert life.calls("sns:Publish") == 1
    assert life.record() == f"watched={life.day(0)} looked={life.day(28)} noticed={life.day(8)}"
    assert life.destroyed == []

    due = life.on(29).look()  # a dry run
    assert (due.decision.action, due.decision.unused_days) == (Action.DELETE, 28)
    assert life.destroyed == []
    assert life.record().split()[1] == f"looked={life.day(28)}"

    before = life.world.kinds()
    assert life.apply().done is Done.DELETED
    assert life.destroyed == [CHAT]
    after = life.world.kinds()
    assert before["rds instance"] == 1
    assert after["rds instance"] == after["secretsmanager secret"] == after["ecs service"] == 0
    assert life.server.names() == ["chat"]  # the tracing project stays
    assert [asked.method for asked in life.server.asked if asked.method not in ("GET", "POST")] == []

    gone = life.on(30).apply()
    assert (gone.decision.action, gone.done, gone.well) == (Action.ABSENT, Done.NOTHING, True)
    assert gone.decision.reason == "not deployed: there is no secret langgraph-cloud/chat/environment"
    assert life.destroyed == [CHAT]


@pytest.mark.slow
def test_any_trace_begins_the_count_anew(life: Traced) -> None:
    for day in (0, 8):
        life.on(day).apply()
    life.on(18).apply()
    life.on(20).trace()
    case = life.on(28).apply()
    assert (case.decision.action, case.decision.unused_days) == (Action.NOTIFY, 7)
    assert case.decision.reason == f"last trace on {life.day(20)}"
    assert life.calls("sns:Publish") == 2  # one for each time without traces
    assert life.on(29).apply().decision.action is Action.WAIT
    # The trace itself is kept for 14 days; that it came is noted.
    life.server.runs = {project: [] for project in life.server.runs}
    assert life.on(30).apply().decision.reason.startswith(f"last trace on {life.day(20)}")
    assert life.destroyed == []


@pytest.mark.slow
def test_what_the_project_itself_says_of_its_last_run_is_a_trace_as_well(life: Traced) -> None:
    life.on(0).apply()
    (project,) = life.server.projects
    project["last_run_start_time_live"] = f"{life.day(6)}T10:00:00"
    case = life.on(10).apply()
    assert (case.decision.action, case.decision.reason) == (Action.KEEP, f"last trace on {life.day(6)}")


@pytest.mark.slow
def test_pulumi_leaves_the_note_alone(life: Traced) -> None:
    life.apply()
    noted = life.record()
    life.world.configure(CHAT, {"tags": {"team": "agents"}, "environment": {"GREETING": "hello again"}})
    life.world.up(CHAT).done()
    assert life.record() == noted != ""


@pytest.mark.slow
def test_without_anybody_to_read_it_no_notice_is_sent_and_nothing_goes(life: Traced) -> None:
    sns = life.world.aws("sns")
    for item in sns.list_subscriptions()["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=item["SubscriptionArn"])
    for day in (0, 8, 15, 22, 29, 36):
        case = life.on(day).apply()
    assert case.done is Done.FAILED
    assert not case.well
    assert case.failure == (
        "nobody has confirmed a subscription of topic langgraph-cloud-alarms: no notice was sent, and nothing is "
        "deleted without one\n      mend it:  runtime.alarmEmails of the account stack; each address confirms once"
    )
    assert life.calls("sns:Publish") == 0
    assert "noticed" not in life.record()
    assert life.destroyed == []


@pytest.mark.slow
def test_without_the_topic_no_notice_is_sent_and_nothing_goes(life: Traced) -> None:
    sns = life.world.aws("sns")
    for item in sns.list_topics()["Topics"]:
        sns.delete_topic(TopicArn=item["TopicArn"])
    life.on(0).apply()
    case = life.on(8).apply()
    assert (case.decision.action, case.done, case.well) == (Action.NOTIFY, Done.FAILED, False)
    assert case.failure == (
        "there is no topic langgraph-cloud-alarms: no notice was sent, and nothing is deleted without one\n"
        "      mend it:  byoc up of the account stack makes it"
    )
    assert "noticed" not in life.record()


@pytest.mark.slow
def test_a_notice_that_was_not_noted_is_sent_again_and_the_days_count_from_the_noted_one(
    life: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.on(0).apply()
    note = run._note

    def cut_off(case: Case, record: Record) -> None:
        if record.noticed:
            raise KeyboardInterrupt
        note(case, record)

    with monkeypatch.context() as patch:
        patch.setattr(run, "_note", cut_off)
        with pytest.raises(KeyboardInterrupt):
            life.on(8).apply()
    assert life.calls("sns:Publish") == 1
    assert life.record() == f"watched={life.day(0)} looked={life.day(8)}"
    again = life.on(9).apply()
    assert (again.done, again.decision.delete_on) == (Done.NOTIFIED, life.day(30))
    assert life.calls("sns:Publish") == 2
    life.on(20).apply()
    assert life.on(29).apply().decision.action is Action.WAIT
    assert life.destroyed == []


@pytest.mark.slow
def test_a_trace_right_before_the_deletion_saves_the_deployment(life: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    life.set_record(f"watched={life.day(0)} looked={life.day(39)} noticed={life.day(8)}")
    life.on(40)
    answer, queries = life.server.answer, []

    def late(asked: object) -> tuple[int, object]:
        if "runs/query" in str(asked):
            queries.append(asked)
            if len(queries) == 2:
                life.trace()
        return answer(asked)  # type: ignore[arg-type]

    monkeypatch.setattr(life.server, "answer", late)
    case = life.apply()
    assert len(queries) == 2
    assert (case.decision.action, case.done) == (Action.KEEP, Done.NOTHING)
    assert life.destroyed == []
    assert life.record() == f"watched={life.day(0)} looked={life.day(40)} traced={life.day(40)}"


@pytest.mark.slow
def test_a_protected_database_keeps_its_deployment(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {"deletionProtection": True, "finalSnapshot": True}
    with traced(world, tmp_path, database=kept) as life:
        life.server.add_project("chat")
        life.set_record(f"watched={life.day(0)} looked={life.day(39)} noticed={life.day(8)}")
        case = life.on(40).apply()
        assert (case.decision.action, case.done, case.well) == (Action.DELETE, Done.BLOCKED, False)
        assert case.subject.stays == "a final snapshot"
        assert case.failure == "database.deletionProtection is on"
        assert life.destroyed == []
        assert "database.deletionProtection is on: it is not deleted as long as that is so." in notice(case)[1]
        monkeypatch.setattr("byoc.operations.retention.read.Clock", lambda: life.clock)
        shown = byoc(capsys, "retention", CHAT, "-C", str(world.root))
        assert shown.code == 0  # nothing was to be done yet
        assert "blocked" in shown.out.splitlines()[1]
        assert "chat: database.deletionProtection is on: it is not deleted as long as that is so" in shown.out


@pytest.mark.slow
def test_the_notice_says_what_when_and_the_way_out(life: Traced) -> None:
    life.on(0).apply()
    subject, text = notice(life.on(8).look())
    assert subject == "Deployment chat: unused for 7 days"
    assert text == (
        f"Deployment chat (stack demo-chat) in account {life.world.account_id}, us-west-2, has sent no trace for 7 "
        f"days: deployed on {life.day(0)}.\n"
        f"It is deleted on {life.day(29)} (UTC) unless a trace comes before. What stays: the tracing project.\n"
        "To keep it: use it, or remove byoc:retention from stack demo-chat."
    )


def test_the_subject_of_a_notice_is_one_that_amazon_sns_takes() -> None:
    config = deployment(name="a" + "b" * 62, retention={"unusedDays": 3650})
    (subject,) = subjects([Stack(name="chat", config=config)], Accounts())
    decision = Decision(action=Action.NOTIFY, reason="", unused_days=99999)
    text, _ = notice(Case(subject=subject, evidence=NotDeployed(why=""), decision=decision))
    assert (len(text) < 100, text.isascii(), text.isprintable()) == (True, True, True)


@pytest.mark.slow
def test_the_command_shows_first_and_then_does(
    life: Traced, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("byoc.operations.retention.read.Clock", lambda: life.clock)
    where = ("-C", str(life.world.root))
    life.set_record(f"watched={life.day(0)} looked={life.day(39)} noticed={life.day(8)}")
    life.on(40)
    shown = byoc(capsys, "retention", "demo-*", *where)
    assert shown.code == 0
    lines = [line.split() for line in shown.out.splitlines()]
    assert lines[1][:7] == ["chat", "39", "delete", "sent", str(life.day(8)), str(life.day(29)), "none"]
    assert shown.out.splitlines()[2:] == [
        "without byoc:retention, left alone: demo-account, demo-support",
        "nothing was noted, sent or deleted: --apply does it",
    ]
    assert life.world.kinds()["rds instance"] == 1

    done = byoc(capsys, "retention", CHAT, "--apply", "--sandbox", "--json", *where)
    assert done.code == 0
    assert json.loads(done.out) == {
        "applied": True,
        "deployments": [
            {
                "stack": CHAT,
                "deployment": "chat",
                "project": "chat",
                "action": "delete",
                "reason": f"deployed on {life.day(0)}; notice on {life.day(8)}",
                "unusedDays": 39,
                "notifyOn": None,
                "noticeOn": str(life.day(8)),
                "deleteOn": str(life.day(29)),
                "stays": "",
                "blocked": "",
                "done": "deleted",
                "failure": "",
            }
        ],
        "withoutRetention": [],
    }
    assert life.world.kinds()["rds instance"] == 0


def test_a_stack_without_retention_is_left_alone(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # nobody is asked
    ran = byoc(capsys, "retention", CHAT, "--apply", "-C", str(world.root))
    assert (ran.code, ran.out) == (0, f"without byoc:retention, left alone: {CHAT}\n")


def test_no_stack_of_that_name_is_an_input_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ran = byoc(capsys, "retention", "nope", "--apply", "-C", str(world.root))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: there is no stack 'nope'\n")


@pytest.mark.slow
def test_a_snapshot_that_was_asked_for_and_not_rolled_out_keeps_the_deployment(
    life: Traced, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("byoc.operations.retention.read.Clock", lambda: life.clock)
    life.set_record(f"watched={life.day(0)} looked={life.day(39)} noticed={life.day(8)}")
    life.on(40)
    words = ("retention", CHAT, "--apply", "--sandbox", "--json", "-C", str(life.world.root))
    life.world.configure(CHAT, {"database": {"finalSnapshot": True}})
    ran = byoc(capsys, *words)
    (case,) = json.loads(ran.out)["deployments"]
    assert (ran.code, case["action"], case["done"], case["stays"]) == (1, "delete", "failed", "a final snapshot")
    assert case["failure"] == (
        "demo-chat: not deleted: database.finalSnapshot asks for a final snapshot, and was not rolled out: the data "
        "would be gone\n      mend it:  byoc up demo-chat"
    )
    assert life.world.kinds()["rds instance"] == 1

    life.world.up(CHAT).done()
    ran = byoc(capsys, *words)
    (case,) = json.loads(ran.out)["deployments"]
    assert (ran.code, case["done"]) == (0, "deleted")
    assert (life.world.kinds()["rds instance"], life.world.kinds()["rds snapshot"]) == (0, 1)
