"""Remedies are bounded: how often one is tried, whatever the clock and the processes do, and what one may say."""

from __future__ import annotations

import json
import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byoc.errors import ByocError, InputError
from byoc.operations.answers import AbsentError, DeniedError, NoAnswerError
from byoc.operations.recovery.deed_log import DeedLog
from byoc.operations.recovery.finding import Area, Call, Finding, Remedy, Severity
from byoc.operations.recovery.remedies import ALLOWED, Guard, Outcome, mend, require_allowed
from byoc.operations.recovery.tries import FACTOR, FIRST_PAUSE, TRIES_A_DAY, Tries
from tests.operations.fake_account import FakeAccount, target

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
START = Call(action="rds:StartDBInstance", arguments={"DBInstanceIdentifier": "langgraph-cloud-chat"})


def finding(call: Call = START, name: str = "start-database", id_: str = "database.stopped") -> Finding:
    """One with a remedy of one call."""
    remedy = Remedy(name=name, part="database", words="start the database", calls=(call,))
    return Finding(
        id=id_, area=Area.DATABASE, part="database", severity=Severity.CRITICAL, words="it is stopped", remedy=remedy
    )


@contextmanager
def _open(_stack: str) -> Iterator[None]:
    yield


OPEN: Guard = _open


# How often


@settings(max_examples=60)
@given(
    seconds=st.lists(st.integers(0, 4 * 86400), min_size=1, max_size=40),
    seed=st.integers(0, 2**16),
    fresh=st.booleans(),
    sort=st.booleans(),
)
def test_no_day_has_more_tries_than_the_bound_whatever_the_clock_says(
    seconds: list[int], seed: int, fresh: bool, sort: bool
) -> None:
    with TemporaryDirectory() as folder:
        tries = Tries(Path(folder) / "watch.json", dice=random.Random(seed))
        made: list[datetime] = []
        for moment in sorted(seconds) if sort else seconds:
            if fresh:  # a new process
                tries = Tries(Path(folder) / "watch.json", dice=random.Random(seed))
            at = NOW + timedelta(seconds=moment)
            if tries.claim("key", at) == "":
                made.append(at)
        for end in made:
            assert sum(end - timedelta(days=1) < at <= end for at in made) <= TRIES_A_DAY
        ordered = sorted(made)
        assert all(after - before >= FIRST_PAUSE for before, after in pairwise(ordered))


def test_of_several_processes_at_once_one_has_the_try(tmp_path: Path) -> None:
    path, context = tmp_path / "watch.json", multiprocessing.get_context("fork")
    with context.Pool(6) as pool:
        refusals = pool.map(partial(_claimed, path), range(12))
    assert sorted(bool(why) for why in refusals) == [False] + [True] * 11
    assert len(json.loads(path.read_text())["tries"]["key"]) == 1


def _claimed(path: Path, _number: int) -> str:
    return Tries(path).claim("key", NOW)


def test_pauses_grow_and_differ_by_chance(tmp_path: Path) -> None:
    pauses = []
    for seed in range(6):
        tries = Tries(tmp_path / f"{seed}.json", dice=random.Random(seed))
        at = NOW
        for _ in range(2):
            assert tries.claim("key", at) == ""
            at += timedelta(hours=2)
        pauses.append([item["pauseSeconds"] for item in json.loads(tries.path.read_text())["tries"]["key"]])
    first = FIRST_PAUSE.total_seconds()
    for one, two in pauses:
        assert first <= one <= first * 1.5
        assert first * FACTOR <= two <= first * FACTOR * 1.5
    assert len({one for one, _ in pauses}) == len(pauses)


def test_a_refusal_says_when_or_that_it_takes_a_person(tmp_path: Path) -> None:
    tries = Tries(tmp_path / "watch.json", dice=random.Random(1))
    assert tries.claim("key", NOW) == ""
    assert tries.claim("other", NOW) == ""
    assert tries.claim("key", NOW + timedelta(minutes=4)).startswith("tried before; the next try is not before 2026-05")
    assert tries.claim("key", NOW + timedelta(hours=1)) == ""
    assert tries.claim("key", NOW + timedelta(hours=2)) == ""
    assert tries.claim("key", NOW + timedelta(hours=23)) == (
        "tried 3 times within a day, which is the most: it takes a person"
    )
    assert tries.claim("key", NOW + timedelta(hours=25)) == ""


def test_a_try_that_a_wrong_clock_put_into_days_to_come_is_named_with_the_way_out(tmp_path: Path) -> None:
    tries = Tries(tmp_path / "watch.json", dice=random.Random(1))
    hint = f"; one was noted for 2027-05-01T08:00:00Z, which is yet to come: if a clock was wrong, delete {tries.path}"
    assert tries.claim("key", NOW + timedelta(days=365)) == ""
    assert tries.why_not("key", NOW).startswith("tried before; the next try is not before 2027-05-01T08:")
    assert tries.why_not("key", NOW).endswith(hint)
    for hours in (1, 2):
        assert tries.claim("key", NOW + timedelta(days=365, hours=hours)) == ""
    assert tries.why_not("key", NOW + timedelta(days=365, hours=3)).endswith("it takes a person")
    assert "takes a person; one was noted for 2027-05-01T10:00:00Z" in tries.why_not("key", NOW)


def record(at: str, pause: str) -> bytes:
    """A record of one try."""
    return f'{{"tries": {{"key": [{{"at": "{at}", "pauseSeconds": {pause}}}]}}}}'.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"tries": {"key": 3}}',
        b"\xff\xfe\x00 no text",
        record("soon", "300"),
        record("2026-05-01T08:00:00", "300"),
        record("2026-05-01T08:00:00+00:00", "1e999"),
        record("2026-05-01T08:00:00+00:00", "NaN"),
        record("2026-05-01T08:00:00+00:00", "-86400"),
        record("9999-12-31T23:59:59+00:00", "300"),
        b"[" * 100_000,
    ],
)
def test_with_a_broken_record_nothing_is_tried(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "watch.json"
    path.write_bytes(content)
    account = FakeAccount({})
    with pytest.raises(ByocError, match="the record of tries cannot be used"):
        mend(target(account), [finding()], NOW, Tries(path), OPEN)
    assert account.asked == []


# What is done


def test_a_dry_run_asks_nothing_and_writes_nothing(tmp_path: Path) -> None:
    account = FakeAccount({})
    (deed,) = mend(target(account), [finding()], NOW, Tries(tmp_path / "watch.json"), None)
    assert (deed.outcome, account.asked, list(tmp_path.iterdir())) == (Outcome.WOULD, [], [])


def test_a_remedy_is_carried_out_once_and_told_of(tmp_path: Path) -> None:
    account = FakeAccount({"rds:StartDBInstance": {}})
    tries = Tries(tmp_path / ".byoc" / "watch.json")
    (deed,) = mend(target(account), [finding(), finding(id_="another")], NOW, tries, OPEN)
    assert account.asked == [("rds:StartDBInstance", {"DBInstanceIdentifier": "langgraph-cloud-chat"})]
    assert deed.document() == {
        "at": "2026-05-01T08:00:00Z",
        "stack": "demo-chat",
        "deployment": "chat",
        "part": "database",
        "finding": "database.stopped",
        "what": "start the database",
        "why": "it is stopped",
        "calls": [
            {"action": "rds:StartDBInstance", "arguments": {"DBInstanceIdentifier": "langgraph-cloud-chat"}},
        ],
        "outcome": "done",
        "detail": "",
    }
    (again,) = mend(target(account), [finding()], NOW + timedelta(minutes=1), tries, OPEN)
    assert again.outcome is Outcome.WAITS
    assert len(account.asked) == 1


@pytest.mark.parametrize(
    ("answer", "outcome", "detail"),
    [
        (
            DeniedError("rds:StartDBInstance", "no identity-based policy allows the action"),
            Outcome.DENIED,
            "rds:StartDBInstance: denied by an identity-based policy: no statement allows it",
        ),
        (NoAnswerError("rds:StartDBInstance", "AWS failed", ""), Outcome.FAILED, "rds:StartDBInstance: AWS failed"),
        (AbsentError("DBInstanceNotFound: x"), Outcome.FAILED, "rds:StartDBInstance: DBInstanceNotFound: x"),
        (ByocError("InvalidDBInstanceState: x"), Outcome.FAILED, "InvalidDBInstanceState: x"),
    ],
)  # fmt: skip
def test_what_aws_refuses_is_told_and_counts_as_a_try(
    tmp_path: Path, answer: Exception, outcome: Outcome, detail: str
) -> None:
    account, tries = FakeAccount({"rds:StartDBInstance": answer}), Tries(tmp_path / "watch.json")
    (deed,) = mend(target(account), [finding()], NOW, tries, OPEN)
    assert (deed.outcome, deed.detail) == (outcome, detail)
    assert mend(target(account), [finding()], NOW, tries, OPEN)[0].outcome is Outcome.WAITS


def test_what_is_done_is_in_the_log_before_the_next_thing_is_done(tmp_path: Path) -> None:
    class Killed(FakeAccount):
        def ask(self, action: str, **arguments: Any) -> dict[str, Any]:
            if len(self.asked) == 1:
                raise KeyboardInterrupt
            return super().ask(action, **arguments)

    log = DeedLog(tmp_path / ".byoc" / "watch.jsonl")
    redeploy = Call(action="ecs:UpdateService", arguments={"cluster": "c", "service": "s", "forceNewDeployment": True})
    findings = [finding(), finding(redeploy, "redeploy", "tasks.capacity")]
    with pytest.raises(KeyboardInterrupt):
        mend(target(Killed({"rds:StartDBInstance": {}})), findings, NOW, Tries(tmp_path / "watch.json"), OPEN, log)
    (line,) = log.path.read_text().splitlines()
    assert (json.loads(line)["finding"], json.loads(line)["outcome"]) == ("database.stopped", "done")


def test_what_cannot_be_logged_is_not_done(tmp_path: Path) -> None:
    account = FakeAccount({"rds:StartDBInstance": {}})
    tries = Tries(tmp_path / "watch.json")
    (tmp_path / "watch.jsonl").mkdir()
    with pytest.raises(ByocError, match="the log of what is done cannot be written"):
        mend(target(account), [finding()], NOW, tries, OPEN, DeedLog(tmp_path / "watch.jsonl"))
    assert (account.asked, tries.why_not("key", NOW), tries.path.exists()) == ([], "", False)


def test_a_log_that_fails_afterwards_does_not_hide_what_was_done(tmp_path: Path) -> None:
    log = DeedLog(tmp_path / "watch.jsonl")

    class Spoils(FakeAccount):
        def ask(self, action: str, **arguments: Any) -> dict[str, Any]:
            log.path.unlink()
            log.path.mkdir()
            return super().ask(action, **arguments)

    account = Spoils({"rds:StartDBInstance": {}})
    (deed,) = mend(target(account), [finding()], NOW, Tries(tmp_path / "watch.json"), OPEN, log)
    assert deed.outcome is Outcome.DONE
    assert "not written down: " in deed.detail


def test_what_only_waits_is_not_logged(tmp_path: Path) -> None:
    log, tries = DeedLog(tmp_path / "watch.jsonl"), Tries(tmp_path / "watch.json")
    account = FakeAccount({"rds:StartDBInstance": {}})
    for _ in range(3):
        mend(target(account), [finding()], NOW, tries, OPEN, log)
    assert len(log.path.read_text().splitlines()) == 1


def test_nothing_is_done_while_a_run_is_at_the_stack(tmp_path: Path) -> None:
    @contextmanager
    def busy(stack: str) -> Iterator[None]:
        raise InputError(f"stack '{stack}' is being worked on by process 7\n      mend it:  wait")
        yield

    account = FakeAccount({})
    (deed,) = mend(target(account), [finding()], NOW, Tries(tmp_path / "watch.json"), busy)
    assert (deed.outcome, deed.detail) == (Outcome.WAITS, "stack 'demo-chat' is being worked on by process 7")
    assert (account.asked, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("ecs:UpdateService", {"cluster": "c", "service": "s", "desiredCount": 0}),
        ("ecs:UpdateService", {"cluster": "c", "service": "s", "taskDefinition": "x:1"}),
        ("rds:DeleteDBInstance", {"DBInstanceIdentifier": "x"}),
        ("rds:StopDBInstance", {"DBInstanceIdentifier": "x"}),
    ],
)
def test_no_remedy_scales_changes_or_deletes(tmp_path: Path, action: str, arguments: dict[str, Any]) -> None:
    call = Call(action=action, arguments=arguments)
    account = FakeAccount({})
    with pytest.raises(ValueError, match="is no remedy"):
        require_allowed(call)
    with pytest.raises(ValueError, match="is no remedy"):
        mend(target(account), [finding(call)], NOW, Tries(tmp_path / "watch.json"), OPEN)
    assert account.asked == []


def test_the_requests_of_remedies_are_two() -> None:
    assert set(ALLOWED) == {"ecs:UpdateService", "rds:StartDBInstance"}
