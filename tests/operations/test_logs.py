"""Entries across containers: which ones are asked for, in what order, and how following goes on through failures."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from byoc.errors import ByocError, InputError
from byoc.operations import logs
from byoc.operations.answers import AbsentError, CredentialsError, DeniedError, NoAnswerError
from byoc.operations.logs import Entry, Wanted, filter_pattern, follow, read_entries
from byoc.operations.times import milliseconds
from tests.operations.fake_account import FakeAccount, target

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = Wanted(since=NOW - timedelta(hours=1))
BUSY = NoAnswerError("logs:FilterLogEvents", "AWS is too busy for this account: ThrottlingException", "later")
EXPIRED = CredentialsError("logs:FilterLogEvents", "AWS does not take the credentials: ExpiredToken", "sign in")


def item(number: int, *, seconds: int = 0, container: str = "server", task: str = "a1") -> dict[str, Any]:
    return {
        "eventId": str(number),
        "timestamp": milliseconds(NOW + timedelta(seconds=seconds)),
        "message": f"line {number}\n",
        "logStreamName": f"chat/{container}/{task}",
    }


def test_an_entry_says_when_where_and_what() -> None:
    account = FakeAccount({"logs:FilterLogEvents": {"events": [item(1, container="queue", task="ff00")]}})
    (entry,) = read_entries(target(account), HOUR)
    assert entry.document == {
        "time": "2026-05-01T12:00:00.000Z",
        "role": "queue",
        "task": "ff00",
        "message": "line 1",
        "id": "1",
    }
    assert account.asked == [
        (
            "logs:FilterLogEvents",
            {
                "logGroupName": "/aws/ecs/langgraph-cloud",
                "logStreamNamePrefix": "chat/",
                "startTime": milliseconds(NOW - timedelta(hours=1)),
            },
        )
    ]


@pytest.mark.parametrize(
    ("role", "prefix"), [("api", "chat/server/"), ("queue", "chat/queue/"), ("cache", "chat/cache/")]
)
def test_a_role_is_asked_for_by_its_container(role: str, prefix: str) -> None:
    account = FakeAccount({"logs:FilterLogEvents": {"events": []}})
    assert list(read_entries(target(account), Wanted(since=NOW, role=role))) == []
    assert account.asked[0][1]["logStreamNamePrefix"] == prefix


def test_until_and_a_filter_are_aws_s_own_to_apply() -> None:
    account = FakeAccount({"logs:FilterLogEvents": {"events": []}})
    wanted = Wanted(since=NOW, until=NOW + timedelta(minutes=5), pattern='say "hi"')
    list(read_entries(target(account), wanted))
    asked = account.asked[0][1]
    assert (asked["endTime"] - asked["startTime"], asked["filterPattern"]) == (300_000, '"say \\"hi\\""')


@pytest.mark.parametrize(
    "pattern", ['{ $.level = "error" }', "[ip, user]", '"a phrase"', "?ERROR ?WARN", "-DEBUG", "%a.c%"]
)
def test_a_filter_pattern_of_cloudwatch_stays_what_it_is(pattern: str) -> None:
    assert filter_pattern(pattern) == pattern


def test_an_entry_that_lacks_parts_is_shown_all_the_same() -> None:
    account = FakeAccount(
        {"logs:FilterLogEvents": {"events": [{"message": "bare", "ingestionTime": milliseconds(NOW)}]}}
    )
    (entry,) = read_entries(target(account), HOUR)
    assert (entry.at, entry.role, entry.task, entry.message) == (NOW, "", "", "bare")


def test_without_a_log_group_the_message_says_which_and_where() -> None:
    account = FakeAccount({"logs:FilterLogEvents": AbsentError("ResourceNotFoundException: no group")})
    with pytest.raises(ByocError) as caught:
        list(read_entries(target(account), HOUR))
    assert str(caught.value).startswith(
        "there is no log group /aws/ecs/langgraph-cloud in account 123456789012, us-west-2: "
    )


def test_times_that_are_turned_round_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"--until \(2026-05-01T12:00:00Z\) is not after --since \(2026-05-01T12:00:00Z\)"
    ):
        Wanted(since=NOW, until=NOW)


def test_a_role_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="--role is 'worker'\n      allowed:  api, queue, cache"):
        Wanted(since=NOW, role="worker")


# Of one revision


def tasks(**revisions: int) -> dict[str, Any]:
    """ECS's answers about tasks by id, each with the revision that it runs; those that begin with s have stopped."""
    arn = "arn:aws:ecs:us-west-2:123456789012:task/langgraph-cloud-cluster/"

    def listed(asked: dict[str, Any]) -> dict[str, Any]:
        stopped = asked["desiredStatus"] == "STOPPED"
        return {"taskArns": [arn + id_ for id_ in revisions if id_.startswith("s") is stopped]}

    def described(asked: dict[str, Any]) -> dict[str, Any]:
        ids = [name.rpartition("/")[2] for name in asked["tasks"]]
        return {"tasks": [{"taskArn": arn + id_, "taskDefinitionArn": f"x/family:{revisions[id_]}"} for id_ in ids]}

    return {"ecs:ListTasks": listed, "ecs:DescribeTasks": described}


def definitions(**registered: datetime | None) -> Callable[[dict[str, Any]], Any]:
    """ECS's answer about revisions ``r1`` and on."""

    def described(asked: dict[str, Any]) -> Any:
        key = f"r{asked['taskDefinition'].rpartition(':')[2]}"
        if key not in registered:
            return ByocError("ecs:DescribeTaskDefinition: ClientException: Unable to describe task definition.")
        at = registered[key]
        return {"taskDefinition": {"registeredAt": at} if at is not None else {}}

    return described


def streams(**began: int) -> dict[str, Any]:
    """Streams of tasks, each with its first entry so many hours from now."""
    return {
        "logStreams": [
            {"logStreamName": f"chat/server/{task}", "firstEventTimestamp": milliseconds(NOW + timedelta(hours=hours))}
            for task, hours in began.items()
        ]
    }


def of_revision(number: int, registered: Callable[[dict[str, Any]], Any], known: dict[str, Any], found: Any) -> Any:
    account = FakeAccount(
        {
            **known,
            "ecs:DescribeTaskDefinition": registered,
            "logs:DescribeLogStreams": found,
            "logs:FilterLogEvents": {"events": []},
        }
    )
    list(read_entries(target(account), Wanted(since=NOW, revision=number)))
    return [asked["logStreamNames"] for action, asked in account.asked if action == "logs:FilterLogEvents"]


def test_a_revision_s_entries_are_those_of_its_containers_running_and_stopped() -> None:
    names = of_revision(
        2, definitions(r1=NOW, r2=NOW, r3=NOW), tasks(a=2, b=3, s1=2, s2=1), streams(a=0, b=0, s1=0, s2=0)
    )
    assert names == [["chat/server/a", "chat/server/s1"]]


def test_containers_that_ecs_has_forgotten_are_told_apart_by_when_they_began() -> None:
    registered = definitions(r1=NOW - timedelta(hours=9), r2=NOW - timedelta(hours=6), r3=NOW - timedelta(hours=3))
    assert of_revision(2, registered, tasks(), streams(old=-8, mine=-5, newer=-2)) == [["chat/server/mine"]]
    # The last revision has no end.
    assert of_revision(3, registered, tasks(), streams(old=-8, mine=-5, newer=-2)) == [["chat/server/newer"]]


def test_more_than_a_hundred_containers_are_asked_about_in_parts() -> None:
    many = {f"a{number:03d}": 2 for number in range(150)}
    names = of_revision(2, definitions(r2=NOW), tasks(**many), streams(**dict.fromkeys(many, 0)))
    assert [len(part) for part in names] == [100, 50]


def test_entries_of_more_than_a_hundred_containers_are_in_order_over_all_of_them() -> None:
    many = {f"a{number:03d}": 2 for number in range(150)}

    def wrote(asked: dict[str, Any]) -> dict[str, Any]:
        first = "chat/server/a000" in asked["logStreamNames"]
        return {"events": [item(number, seconds=number) for number in ((2, 4) if first else (1, 3))]}

    answers = {
        **tasks(**many),
        "ecs:DescribeTaskDefinition": definitions(r2=NOW),
        "logs:DescribeLogStreams": streams(**dict.fromkeys(many, 0)),
        "logs:FilterLogEvents": wrote,
    }
    found = read_entries(target(FakeAccount(answers)), Wanted(since=NOW, revision=2))
    assert [entry.message for entry in found] == ["line 1", "line 2", "line 3", "line 4"]


def test_of_a_revision_whose_cluster_is_gone_the_entries_are_still_there() -> None:
    known = {"ecs:ListTasks": AbsentError("ClusterNotFoundException: gone")}
    assert of_revision(2, definitions(r2=NOW), known, streams(a=1)) == [["chat/server/a"]]


def test_of_a_revision_without_a_log_group_the_message_says_which_and_where() -> None:
    gone = AbsentError("ResourceNotFoundException: no group")
    with pytest.raises(ByocError, match="there is no log group /aws/ecs/langgraph-cloud in account 123456789012"):
        of_revision(2, definitions(r2=NOW), tasks(a=2), gone)


def test_a_revision_without_containers_asks_for_no_entry() -> None:
    assert of_revision(2, definitions(r2=NOW), tasks(a=1), streams(a=0)) == []


def test_a_revision_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(ByocError, match="there is no revision 9 of langgraph-cloud-chat-api: "):
        of_revision(9, definitions(r1=NOW), tasks(), streams())


def test_where_nothing_tells_whose_containers_they_were_nothing_is_guessed() -> None:
    with pytest.raises(ByocError, match=r"nothing tells which containers ran revision 1: .*\n.*--since and --until"):
        of_revision(1, definitions(r1=None), tasks(a=2), streams(a=0, old=-8))


# Following


class Watched:
    """Follows over given answers, one for each question; ends with the last."""

    def __init__(self, *answers: Any) -> None:
        rounds = iter(answers)

        def answer(_: dict[str, Any]) -> Any:
            try:
                found = next(rounds)
            except StopIteration:
                raise KeyboardInterrupt from None
            return found if isinstance(found, Exception) else {"events": found}

        self.account = FakeAccount({"logs:FilterLogEvents": answer})
        self.notes: list[str] = []
        self.pauses: list[float] = []

    def entries(self, last: int = 0) -> Iterator[Entry]:
        try:
            yield from follow(target(self.account), HOUR, note=self.notes.append, last=last, sleep=self.pauses.append)
        except KeyboardInterrupt:
            return

    def starts(self) -> list[timedelta]:
        """From when each question asked, against now."""
        return [timedelta(milliseconds=asked["startTime"] - milliseconds(NOW)) for _, asked in self.account.asked]


def test_following_gives_each_entry_once_although_questions_overlap() -> None:
    watched = Watched(
        [item(1), item(2, seconds=1)], [item(2, seconds=1), item(3, seconds=2)], [], [item(4, seconds=90)]
    )
    assert [entry.message for entry in watched.entries()] == ["line 1", "line 2", "line 3", "line 4"]
    hour, second = timedelta(hours=1), timedelta(seconds=1)
    assert watched.starts() == [-hour, -29 * second, -28 * second, -28 * second, 60 * second]
    assert set(watched.pauses) == {2.0}


def test_an_entry_that_comes_late_from_another_container_is_not_lost() -> None:
    watched = Watched([item(1, seconds=20)], [item(2, seconds=5, task="b2"), item(1, seconds=20)])
    assert [entry.message for entry in watched.entries()] == ["line 1", "line 2"]


def test_entries_of_the_same_moment_and_text_are_told_apart() -> None:
    twins = [item(1), {**item(1), "eventId": "2"}]
    assert len(list(Watched(twins, twins).entries())) == 2


def test_what_was_seen_is_forgotten_when_no_question_can_bring_it_again() -> None:
    watched = Watched(*([item(number, seconds=60 * number)] for number in range(50)))
    assert len(list(watched.entries())) == 50


def test_following_begins_with_so_many_of_the_newest_and_then_leaves_none_out() -> None:
    there = [item(number, seconds=number) for number in range(9)]
    new = [item(number, seconds=number) for number in range(9, 14)]
    watched = Watched(there, [*there, *new])
    assert [entry.message for entry in watched.entries(2)] == [f"line {number}" for number in (7, 8, *range(9, 14))]


def test_the_newest_are_those_of_the_whole_even_if_the_first_question_breaks_off() -> None:
    there = [item(number, seconds=number) for number in range(9)]

    def broken() -> Iterator[dict[str, Any]]:
        yield from there[:4]
        raise BUSY

    watched = Watched([])
    rounds = iter([broken(), iter(there)])
    watched.account.answers["logs:FilterLogEvents"] = lambda _: {"events": []}
    watched.account.all = lambda *_, **__: next(rounds, iter(()))  # type: ignore[method-assign]
    entries = follow(target(watched.account), HOUR, note=watched.notes.append, last=3, sleep=watched.pauses.append)
    assert [next(entries).message for _ in range(3)] == ["line 6", "line 7", "line 8"]
    assert len(watched.notes) == 1


def test_a_long_past_is_followed_through_without_remembering_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byoc.operations.logs._SEEN", 10)
    held: list[int] = []
    late = logs._late

    def watching(seen: dict[str, datetime], newest: datetime) -> dict[str, datetime]:
        held.append(len(seen))
        return late(seen, newest)

    monkeypatch.setattr("byoc.operations.logs._late", watching)
    past = [item(number, seconds=10 * number) for number in range(200)]
    assert len(list(Watched(past, past[-3:]).entries())) == 200
    assert max(held) == 11


def test_following_a_revision_looks_for_its_containers_now_and_then_and_loses_no_entry_of_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = 0.0

    def wrote(asked: dict[str, Any]) -> dict[str, Any]:
        began, numbers = {"a": 0, "b": 5}, {"a": 0, "b": 100}
        names = [name.rpartition("/")[2] for name in asked["logStreamNames"]]
        found = [
            item(numbers[task] + at, seconds=at, task=task)
            for task in names
            for at in range(began[task], int(seconds) + 1, 5)
        ]
        return {"events": [entry for entry in found if entry["timestamp"] >= asked["startTime"]]}

    def pause(pause: float) -> None:
        nonlocal seconds
        seconds += pause
        if seconds > 40:
            raise KeyboardInterrupt

    account = FakeAccount(
        {
            **tasks(a=2, b=2),
            "ecs:DescribeTaskDefinition": definitions(r2=NOW),
            "logs:DescribeLogStreams": lambda _: streams(a=0) if seconds < 5 else streams(a=0, b=0),
            "logs:FilterLogEvents": wrote,
        }
    )
    monkeypatch.setattr("byoc.operations.logs.time.monotonic", lambda: seconds)
    entries: list[Entry] = []
    with pytest.raises(KeyboardInterrupt):
        entries.extend(follow(target(account), Wanted(since=NOW, revision=2), note=lambda _: None, sleep=pause))
    by_task = {task: [entry.message for entry in entries if entry.task == task] for task in "ab"}
    assert by_task == {
        "a": [f"line {at}" for at in range(0, 41, 5)],
        "b": [f"line {at}" for at in range(105, 141, 5)],
    }
    asked = [action for action, _ in account.asked]
    assert (asked.count("logs:FilterLogEvents"), asked.count("logs:DescribeLogStreams")) == (21, 3)


def test_following_survives_a_busy_aws_with_longer_and_longer_pauses() -> None:
    watched = Watched([item(1)], *[BUSY] * 5, [item(1), item(2, seconds=1)], [])
    assert [entry.message for entry in watched.entries()] == ["line 1", "line 2"]
    assert watched.pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 2.0, 2.0]
    assert watched.notes[0] == "AWS is too busy for this account: ThrottlingException; trying again in 4 s"


def test_following_reads_new_credentials_when_the_session_has_expired() -> None:
    watched = Watched([item(1)], EXPIRED, [item(1), item(2, seconds=1)])
    assert [entry.message for entry in watched.entries()] == ["line 1", "line 2"]
    assert watched.account.reopened == 1
    assert watched.notes == ["AWS does not take the credentials: ExpiredToken; reading new credentials"]


def test_following_gives_up_when_no_credentials_are_taken() -> None:
    watched = Watched(*itertools.repeat(EXPIRED, 20))
    with pytest.raises(CredentialsError):
        list(watched.entries())
    assert watched.account.reopened == 4


def test_following_ends_when_it_is_denied() -> None:
    with pytest.raises(DeniedError):
        list(Watched([item(1)], DeniedError("logs:FilterLogEvents", "")).entries())


def test_an_entry_s_document_is_json() -> None:
    entry = Entry(at=NOW, role="api", task="a", message='{"level": "info"}', id="1")
    assert json.loads(json.dumps(entry.document))["message"] == '{"level": "info"}'
