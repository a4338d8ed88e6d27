"""What is left and why: a table of things that a sweep may find."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from byoc.operations.teardown.facts import Key
from byoc.operations.teardown.found import Found, Look, NotAsked
from byoc.operations.teardown.sign_off import SignedOff, Verdict, sign_off
from byoc.operations.teardown.snapshots import problems

OURS = Key(arn="arn:aws:kms:us-west-2:1:key/a", of_aws=False, state="Enabled")
AWS_OWN = Key(arn="arn:aws:kms:us-west-2:1:key/b", of_aws=True, state="Enabled")
NEEDS = "; it needs key key-1, which may not go before it"
GOOD: dict[str, Any] = {
    "DBSnapshotIdentifier": "langgraph-cloud-chat-final-0a1b2c3d",
    "DBInstanceIdentifier": "langgraph-cloud-chat",
    "Status": "available",
    "Encrypted": True,
    "AllocatedStorage": 50,
    "KmsKeyId": "key-1",
}


def snapshot(**changes: Any) -> Found:
    facts = {**GOOD, **changes}
    return Found(kind="database snapshot", id=facts["DBSnapshotIdentifier"], facts=facts)


def signed(*found: Found, key: Key | NotAsked = OURS, not_asked: tuple[NotAsked, ...] = (), **more: Any) -> SignedOff:
    return sign_off("chat", Look(found=found, not_asked=not_asked), {"key-1": key}, **more)


@pytest.mark.parametrize(
    ("changes", "key", "wrong"),
    [
        ({}, OURS, ()),
        ({}, AWS_OWN, ()),
        ({}, None, ()),
        ({"Status": "creating", "PercentProgress": 40}, OURS, ("AWS is still making it (40 percent)",)),
        ({"Status": "failed"}, OURS, ("it is failed",)),
        ({"Status": None}, OURS, ("it is in no known state",)),
        ({"Encrypted": False}, OURS, ("it is not encrypted",)),
        ({"AllocatedStorage": 0}, OURS, ("AWS gives it no size",)),
        (
            {},
            Key(arn="arn:k", of_aws=False, state="PendingDeletion"),
            ("its key arn:k is PendingDeletion",),
        ),
        (
            {"Status": "failed", "Encrypted": False},
            OURS,
            ("it is failed", "it is not encrypted"),
        ),
    ],
)
def test_a_final_snapshot_counts_only_if_it_is_whole_and_can_be_read(
    changes: dict[str, Any], key: Key | None, wrong: tuple[str, ...]
) -> None:
    assert problems({**GOOD, **changes}, key) == wrong


def test_a_good_final_snapshot_is_kept_and_its_key_is_named() -> None:
    (entry,) = signed(snapshot()).entries
    assert (entry.verdict, entry.kind) == (Verdict.KEPT, "final database snapshot")
    assert entry.why == (
        "the data of langgraph-cloud-chat: available, encrypted, 50 GiB; it needs key key-1, which may not go before it"
    )


def test_snapshots_of_databases_of_one_name_are_told_apart_by_their_day_in_utc() -> None:
    late = datetime(2026, 11, 24, 1, tzinfo=timezone(timedelta(hours=2)))
    (entry,) = signed(snapshot(SnapshotCreateTime=late), key=AWS_OWN).entries
    assert entry.why.startswith("the data of langgraph-cloud-chat: available, encrypted, 50 GiB, of 2026-11-23; ")


def test_a_final_snapshot_under_the_key_of_aws_needs_nobody_to_keep_a_key() -> None:
    (entry,) = signed(snapshot(), key=AWS_OWN).entries
    assert entry.why.endswith("under AWS's key of the account")


def test_a_final_snapshot_that_failed_is_not_kept_but_a_finding() -> None:
    result = signed(snapshot(Status="failed"))
    assert [(entry.verdict, entry.why) for entry in result.entries] == [
        (Verdict.LEFT, f"it cannot be relied on: it is failed{NEEDS}")
    ]
    assert not result.is_clean


def test_a_key_that_cannot_be_asked_about_keeps_the_list_from_being_clean() -> None:
    result = signed(snapshot(), key=NotAsked(what="key key-1", why="kms:DescribeKey: denied"))
    assert [entry.verdict for entry in result.entries] == [Verdict.UNKNOWN, Verdict.KEPT]
    assert result.conclusion == "1 could not be asked, 1 kept on purpose"
    assert not result.is_clean


DISABLED = Key(arn=OURS.arn, of_aws=False, state="Disabled")


@pytest.mark.parametrize(
    ("taken", "who"), [("manual", "somebody took it by hand"), ("awsbackup", "AWS Backup took it")]
)
@pytest.mark.parametrize(
    ("key", "needs"),
    [
        (OURS, NEEDS),
        (AWS_OWN, ""),
        (DISABLED, f"{NEEDS} and is Disabled"),
        (NotAsked(what="key key-1", why="denied"), NEEDS),
    ],
)
def test_a_snapshot_that_somebody_took_is_kept_whatever_its_state_and_its_key_is_named(
    taken: str, who: str, key: Key | NotAsked, needs: str
) -> None:
    theirs = snapshot(DBSnapshotIdentifier="before-upgrade", Status="failed", SnapshotType=taken)
    (entry,) = signed(theirs, key=key).entries
    assert (entry.verdict, entry.why) == (Verdict.KEPT, f"{who}; failed, encrypted, 50 GiB{needs}")


def test_a_retained_backup_is_left_over_with_the_command_that_ends_it() -> None:
    facts = {"DBInstanceIdentifier": "langgraph-cloud-chat", "DbiResourceId": "db-1", "KmsKeyId": "key-1"}
    (entry,) = signed(Found(kind="retained database backup", id="db-1", facts=facts)).entries
    assert (entry.verdict, entry.why) == (
        Verdict.LEFT,
        f"RDS keeps it of langgraph-cloud-chat, which is gone, until its days are over{NEEDS}",
    )
    assert entry.remedy.endswith("aws rds delete-db-instance-automated-backup --dbi-resource-id db-1")


def test_a_database_that_went_without_its_final_snapshot_is_a_finding() -> None:
    (entry,) = signed(ended={"langgraph-cloud-chat": "db-1"}).entries
    assert (entry.verdict, entry.id) == (Verdict.LEFT, "langgraph-cloud-chat")
    assert entry.why == "the database is gone, and AWS shows no final snapshot of it"


@pytest.mark.parametrize("what", ["databases", "database snapshots"])
def test_it_is_no_finding_while_databases_or_snapshots_could_not_be_asked_about(what: str) -> None:
    unknown = NotAsked(what=what, why="denied")
    result = signed(ended={"langgraph-cloud-chat": "db-1"}, not_asked=(unknown,))
    assert [(entry.verdict, entry.kind) for entry in result.entries] == [(Verdict.UNKNOWN, what)]


def test_a_database_that_is_still_there_has_not_gone_without_its_snapshot() -> None:
    database = Found(kind="database", id="langgraph-cloud-chat")
    (entry,) = signed(database, ended={"langgraph-cloud-chat": "db-1"}).entries
    assert (entry.kind, entry.why) == ("database", "it is still there")


def test_the_final_snapshot_of_another_database_does_not_stand_in() -> None:
    result = signed(snapshot(), ended={"langgraph-cloud-support": ""})
    assert [entry.id for entry in result.of(Verdict.LEFT)] == ["langgraph-cloud-support"]


@pytest.mark.parametrize(
    ("taken_of", "ended", "missing"),
    [("db-1", "db-1", 0), ("db-0", "db-1", 1), ("", "db-1", 0), ("db-0", "", 0)],
)
def test_the_final_snapshot_of_an_earlier_database_of_that_name_does_not_stand_in(
    taken_of: str, ended: str, missing: int
) -> None:
    result = signed(snapshot(DbiResourceId=taken_of), ended={"langgraph-cloud-chat": ended})
    assert len(result.of(Verdict.LEFT)) == missing
    assert result.is_clean is not bool(missing)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Found(kind="service-linked role", id="AWSServiceRoleForECS"), Verdict.KEPT),
        (Found(kind="log group of container insights", id="/aws/ecs/containerinsights/c/performance"), Verdict.KEPT),
        (Found(kind="image repository", id="agents/chat", note="2 images", facts={"images": 2}), Verdict.KEPT),
        (Found(kind="image repository", id="agents/chat", note="empty", facts={"images": 0}), Verdict.LEFT),
        (
            Found(kind="secret that waits for its deletion", id="p/chat/cache", note="AWS's date of it is 2026-01-02"),
            Verdict.LEFT,
        ),
        (Found(kind="secret", id="p/chat/cache"), Verdict.LEFT),
        (Found(kind="VPC", id="vpc-1"), Verdict.LEFT),
        (Found(kind="other", id="arn:aws:s3:::x"), Verdict.LEFT),
    ],
)
def test_what_is_kept_on_purpose_and_what_is_left_over(found: Found, verdict: Verdict) -> None:
    (entry,) = signed(found).entries
    assert entry.verdict is verdict


def test_what_could_not_be_asked_is_never_nothing() -> None:
    result = signed(not_asked=(NotAsked(what="secrets", why="secretsmanager:DescribeSecret: denied"),))
    assert result.conclusion == "1 could not be asked, 0 kept on purpose"
    assert not result.is_clean


def test_the_conclusion_of_an_empty_account() -> None:
    assert signed().conclusion == "nothing is left"
    kept = signed(traces=["chat"])
    assert (kept.conclusion, kept.is_clean) == ("nothing is left but 1 kept on purpose", True)
