"""Roll-outs, the database, alarms, scaling and drift: what AWS says and what is found, look-alikes included."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from byoc.operations.recovery.diagnose import diagnose
from byoc.operations.recovery.facts import AlarmSettings, Group, Opening, RecoveryFacts, ScalingSettings, TaskSettings
from byoc.operations.recovery.finding import Area, Finding, Restore, Severity
from byoc.operations.status.facts import ALARM_ABSENT, Absent, AlarmFacts, Unknown
from tests.operations import situations
from tests.operations.recovery_situations import (
    IMAGE,
    LATER,
    POLICIES,
    STEP,
    TAGS,
    TOPIC,
    database,
    down,
    note,
    recovery_facts,
    settings,
    stopped,
)
from tests.operations.situations import BACK, FAILED_ROLLOUT


def found(facts: RecoveryFacts) -> list[Finding]:
    """What a diagnosis finds."""
    return list(diagnose(facts).findings)


def ids(facts: RecoveryFacts) -> list[str]:
    """The ids of what is found, the worst first."""
    return [finding.id for finding in found(facts)]


def test_nothing_is_found_of_a_deployment_that_is_well() -> None:
    diagnosis = diagnose(recovery_facts())
    assert (diagnosis.findings, diagnosis.unknown, diagnosis.well) == ((), (), True)


# Roll-outs


@pytest.mark.parametrize(
    ("api", "id_", "severity"),
    [
        (Absent(), "rollout.service-absent", Severity.CRITICAL),
        (situations.service(status="DRAINING"), "rollout.service-leaving", Severity.CRITICAL),
        (situations.service(rollout="FAILED"), "rollout.failed", Severity.WARNING),
        (down(rollout="FAILED"), "rollout.failed", Severity.CRITICAL),
        (situations.service(replaced=(FAILED_ROLLOUT,)), "rollout.went-back", Severity.WARNING),
        (situations.service(notes=(BACK,)), "rollout.went-back", Severity.WARNING),
        (
            situations.service(rollout="IN_PROGRESS", running=1, changed_at=LATER - timedelta(minutes=31)),
            "rollout.stuck",
            Severity.WARNING,
        ),
        (
            down(notes=(note("is unable to consistently start tasks successfully."),)),
            "rollout.stuck",
            Severity.CRITICAL,
        ),
        (situations.service(desired=0, running=0), "rollout.none-wanted", Severity.CRITICAL),
    ],
)
def test_a_roll_out_that_went_wrong_is_found(api: Any, id_: str, severity: Severity) -> None:
    (finding,) = [each for each in found(recovery_facts(api=api)) if each.area is Area.ROLLOUT]
    assert (finding.id, finding.severity, finding.remedy) == (id_, severity, None)
    assert finding.way_out


@pytest.mark.parametrize(
    "api",
    [
        situations.service(rollout="IN_PROGRESS", running=1, changed_at=LATER - timedelta(minutes=29)),
        situations.service(rollouts=2, rollout="IN_PROGRESS", changed_at=LATER - timedelta(minutes=2)),
        situations.service(notes=(note("has reached a steady state."), note("is unable to consistently start tasks"))),
        situations.service(desired=3, running=2, pending=1),
        situations.service(rollout=""),
    ],
    ids=["young", "replacing", "was-stuck-once", "scales-out", "ecs-says-nothing"],
)
def test_a_roll_out_under_way_is_left_alone(api: Any) -> None:
    assert [each for each in found(recovery_facts(api=api)) if each.area is Area.ROLLOUT] == []


def test_a_failed_roll_out_names_the_cause_and_its_way_out() -> None:
    api = down(rollout="FAILED", rollout_reason="ECS deployment circuit breaker: tasks failed to start.")
    task = stopped("CannotPullContainerError: x: not found")
    findings = found(recovery_facts(api=api, stopped={"api": (task,), "cache": ()}))
    (failed,) = [each for each in findings if each.id == "rollout.failed"]
    assert failed.words == (
        "service api: the roll-out of revision 7 failed; the cause: its image is not in the registry"
    )
    assert failed.way_out == "push the image, or correct byoc:image, then byoc up; then byoc up demo-chat"
    assert failed.evidence == ("ECS deployment circuit breaker: tasks failed to start.",)


# The database

BENIGN = (
    "available",
    "backing-up",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "modifying",
    "resetting-master-credentials",
    "storage-initialization",
    "storage-optimization",
    "storage-config-upgrade",
)
ON_ITS_WAY = ("creating", "rebooting", "starting", "stopping", "upgrading", "maintenance", "renaming")
STANDING = (
    "failed",
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "incompatible-create",
    "insufficient-capacity",
    "restore-error",
    "storage-full",
    "delete-precheck",
    "deleting",
)


@pytest.mark.parametrize("state", BENIGN)
def test_a_database_that_answers_is_well(state: str) -> None:
    diagnosis = diagnose(recovery_facts(rds=state))
    assert (diagnosis.findings, diagnosis.well) == ((), True)


def test_a_state_of_the_database_that_nobody_knows_yet_is_not_taken_for_well() -> None:
    diagnosis = diagnose(recovery_facts(rds="a-state-of-tomorrow"))
    assert (diagnosis.findings, diagnosis.well) == ((), False)
    assert diagnosis.unknown == (
        "not known: whether the database answers: Amazon RDS says that it is a-state-of-tomorrow",
    )


@pytest.mark.parametrize("state", ON_ITS_WAY)
def test_a_database_on_its_way_is_a_note(state: str) -> None:
    (finding,) = found(recovery_facts(rds=state))
    assert (finding.id, finding.severity, finding.remedy) == (f"database.{state}", Severity.NOTE, None)


@pytest.mark.parametrize("state", STANDING)
def test_a_database_that_stands_still_is_for_a_person(state: str) -> None:
    (finding,) = found(recovery_facts(rds=state))
    assert (finding.id, finding.severity, finding.remedy) == (f"database.{state}", Severity.CRITICAL, None)
    assert finding.way_out


def test_a_stopped_database_can_be_started() -> None:
    (finding,) = found(recovery_facts(rds="stopped"))
    assert finding.remedy is not None
    (call,) = finding.remedy.calls
    assert (call.action, dict(call.arguments)) == (
        "rds:StartDBInstance",
        {"DBInstanceIdentifier": "langgraph-cloud-chat"},
    )


@pytest.mark.parametrize(
    "settings_of_it",
    [database(tags={}), database(tags={**TAGS, "byoc-deployment": "other"}), Unknown(why="x:Y: denied")],
)
def test_a_stopped_database_that_is_not_known_to_be_ours_is_not_started(settings_of_it: Any) -> None:
    (finding,) = [
        each
        for each in found(recovery_facts(rds="stopped", database=settings_of_it))
        if each.remedy or each.id == "database.stopped"
    ]
    assert (finding.id, finding.remedy) == ("database.stopped", None)


def test_a_database_that_is_gone_is_not_made_anew_without_a_word() -> None:
    facts = recovery_facts(database=Absent())
    (finding,) = found(replace(facts, status=replace(facts.status, database=Absent())))
    assert (finding.id, finding.remedy) == ("database.absent", None)
    assert "empty" in finding.way_out


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"free_gib": 5.0}, []),
        ({"free_gib": 4.9}, [("database.storage-nearly-full", Severity.WARNING)]),
        ({"free_gib": 1.4}, [("database.storage-nearly-full", Severity.CRITICAL)]),
        ({"free_gib": 0.0}, [("database.storage-nearly-full", Severity.CRITICAL)]),
        ({"free_gib": None}, []),
    ],
)
def test_storage_is_nearly_full_below_a_tenth(changes: dict[str, Any], expected: list[object]) -> None:
    assert [(each.id, each.severity) for each in found(recovery_facts(database=database(**changes)))] == expected


def test_storage_that_grows_by_itself_is_a_note_until_there_is_almost_none() -> None:
    facts = recovery_facts(database=database(free_gib=4.0, max_storage_gib=500))
    assert ("database.storage-grows", Severity.NOTE) in [(each.id, each.severity) for each in found(facts)]
    facts = recovery_facts(database=database(free_gib=1.0, max_storage_gib=500))
    assert ("database.storage-grows", Severity.WARNING) in [(each.id, each.severity) for each in found(facts)]
    full = recovery_facts(database=database(free_gib=4.0, storage_gib=50, max_storage_gib=50))
    assert "database.storage-nearly-full" in ids(full)


# Alarms and scaling


def watched(*alarms: AlarmSettings, **states: str) -> RecoveryFacts:
    """With these alarms, and these states by subject."""
    facts = recovery_facts(alarms=alarms)
    told = tuple(AlarmFacts(subject=subject.replace("_", "-"), state=state) for subject, state in states.items())
    return replace(facts, status=replace(facts.status, alarms=told))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (watched(errors=ALARM_ABSENT), ["watching.alarm-absent"]),
        (watched(errors="ALARM"), ["watching.alarm-on"]),
        (watched(scale_in="ALARM", scale_out="ALARM"), []),  # to be on is their work
        (watched(errors="INSUFFICIENT_DATA"), []),
        (watched(AlarmSettings(subject="errors", enabled=False, actions=(TOPIC,))), ["watching.alarm-off"]),
        (watched(AlarmSettings(subject="errors", enabled=True, actions=())), ["watching.alarm-untold"]),
        (watched(AlarmSettings(subject="errors", enabled=True, actions=(TOPIC, "arn:x:other"))), ["drift.managed"]),
        (watched(AlarmSettings(subject="scale-out", enabled=True, actions=(TOPIC,))), ["watching.alarm-untold"]),
        (watched(AlarmSettings(subject="scale-out", enabled=True, actions=(STEP,))), []),
        (recovery_facts(scaling={"api": Absent()}), ["watching.scaling-absent"]),
        (recovery_facts(scaling={}), []),
    ],
)
def test_alarms_and_scaling_that_do_not_work_are_found(facts: RecoveryFacts, expected: list[str]) -> None:
    assert ids(facts) == expected
    assert all(finding.remedy is None for finding in found(facts))


def scaled(**changes: Any) -> RecoveryFacts:
    """With the API's scaling so."""
    well = ScalingSettings(minimum=2, maximum=8, suspended=(), policies=POLICIES)
    return recovery_facts(scaling={"api": replace(well, **changes)})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (scaled(policies=POLICIES[:1]), ["watching.policy-absent"]),
        (scaled(suspended=("DynamicScalingOutSuspended",)), ["watching.scaling-suspended"]),
        (scaled(minimum=1), ["drift.managed"]),
        (scaled(policies=(*POLICIES, "night")), ["kept.policies"]),
    ],
)
def test_scaling_is_compared(facts: RecoveryFacts, expected: list[str]) -> None:
    assert ids(facts) == expected


# Drift: ours

OURS = [
    ({"services": {"api": settings(shell=True)}}, "a shell into its containers is open"),
    ({"services": {"api": settings(public_ip=True)}}, "its containers get public addresses"),
    ({"services": {"api": settings(breaker=False)}}, "does not go back by itself"),
    ({"services": {"api": settings(minimum_percent=50)}}, "50 to 200 percent"),
    ({"services": {"api": settings(groups=("sg-service", "sg-other"))}}, "in 2 security groups"),
    ({"services": {"api": settings(tags={**TAGS, "byoc-deployment": "other"})}}, "others: byoc-deployment"),
    ({"tasks": {"api": TaskSettings(image="other:1", cpu=2048, memory=4096)}}, "runs image other:1"),
    ({"tasks": {"api": TaskSettings(image=IMAGE, cpu=4096, memory=8192)}}, "has 4096 CPU units and 8192 MiB"),
    ({"api": situations.service(desired=9, running=9)}, "9 containers are wanted, the config says 2 to 8"),
    ({"database": database(instance_class="db.t4g.micro")}, "class is db.t4g.micro, the config says db.m7g.large"),
    ({"database": database(multi_az=False)}, "Multi-AZ is off, the config says on"),
    ({"database": database(backup_days=1)}, "days of backups is 1, the config says 7"),
    ({"database": database(deletion_protection=False)}, "protection from deletion is off, the config says on"),
    ({"database": database(public=True)}, "public address is on, the config says off"),
    ({"database": database(engine_version="15.8")}, "runs PostgreSQL 15.8, the config says 16"),
    ({"database": database(storage_gib=60, free_gib=50.0)}, "has 60 GiB of storage, the config says 50"),
    ({"database": database(groups=("sg-data", "sg-x"))}, "in 2 security groups"),
    ({"database": database(tags={"byoc-install": "langgraph-cloud"})}, "lacks its tags, or has others"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), OURS, ids=[words for _, words in OURS])
def test_drift_in_what_is_managed_is_wrong(changes: dict[str, Any], words: str) -> None:
    (finding,) = found(recovery_facts(**changes))
    assert (finding.id, finding.severity, finding.remedy) == ("drift.managed", Severity.WARNING, None)
    assert words in finding.words
    assert "byoc up --refresh demo-chat" in finding.way_out


def with_rule(opening: Opening) -> RecoveryFacts:
    """With another rule in the database's group."""
    facts = recovery_facts()
    assert not isinstance(facts.groups, Unknown)
    group = facts.groups["sg-data"]
    return replace(facts, groups={**facts.groups, "sg-data": replace(group, openings=(*group.openings, opening))})


KEPT = [
    (recovery_facts(api=situations.service(desired=5, running=5)), "5 containers are wanted, as scaling may (2 to 8)"),
    (recovery_facts(services={"api": settings(tags={**TAGS, "team": "x"})}), "tags beside ours: team"),
    (with_rule(Opening("tcp", 5432, 5432, "10.9.0.0/16")), "rule beside ours: tcp 5432 from 10.9.0.0/16"),
    (with_rule(Opening("-1", 0, 65535, "sg-vpn")), "rule beside ours: everything from sg-vpn"),
    (with_rule(Opening("tcp", 5000, 6000, "sg-vpn")), "rule beside ours: tcp 5000-6000 from sg-vpn"),
    (
        recovery_facts(database=database(instance_class="db.m7g.xlarge", pending={"DBInstanceClass": "db.m7g.large"})),
        "class becomes db.m7g.large in its maintenance window",
    ),
]


@pytest.mark.parametrize(("facts", "words"), KEPT, ids=[words for _, words in KEPT])
def test_what_the_customer_or_aws_changed_beside_is_shown_apart_and_is_well(facts: RecoveryFacts, words: str) -> None:
    diagnosis = diagnose(facts)
    (finding,) = diagnosis.findings
    assert (finding.area, finding.severity) == (Area.KEPT, Severity.NOTE)
    assert words in finding.words
    assert diagnosis.well


def test_a_group_in_the_place_of_ours_is_drift_unless_the_config_names_it() -> None:
    facts = recovery_facts()
    assert not isinstance(facts.groups, Unknown)
    strange = replace(facts.groups["sg-data"], name="open-to-all", openings=())
    facts = replace(facts, groups={**facts.groups, "sg-data": strange})
    (finding,) = found(facts)
    assert (finding.id, finding.part, finding.restore) == ("drift.managed", "database", Restore.PERSON)
    assert finding.words == ("the database: the security group is open-to-all (sg-data), not langgraph-cloud-data-sg")
    named = replace(facts, expected=replace(facts.expected, data_group="sg-data"))
    assert ids(named) == ["drift.rule-absent"]


def test_tags_of_the_config_and_of_aws_are_no_drift() -> None:
    tags = {**TAGS, "cost-center": "agents", "aws:ecs:serviceName": "x"}
    facts = recovery_facts(services={"api": settings(tags=tags)}, database=database(tags=tags))
    assert ids(replace(facts, expected=replace(facts.expected, tags={"cost-center": "agents"}))) == []


def test_tags_that_the_config_leaves_to_others_are_shown_without_a_warning() -> None:
    facts = recovery_facts(services={"api": settings(tags={**TAGS, "team": "x"})})
    (finding,) = found(replace(facts, expected=replace(facts.expected, ignored_keys=("team",))))
    assert finding.words == "service api has tags beside ours: team"


def test_storage_that_rds_enlarged_is_kept() -> None:
    facts = recovery_facts(database=database(storage_gib=80, max_storage_gib=500))
    section = facts.expected.section
    grows = section.model_copy(update={"database": section.database.model_copy(update={"max_storage_gb": 500})})
    assert ids(replace(facts, expected=replace(facts.expected, section=grows))) == ["kept.grown"]


def test_a_rule_of_ours_that_is_gone_is_critical() -> None:
    group = Group(id="sg-data", name="langgraph-cloud-data-sg", openings=())
    facts = recovery_facts()
    assert not isinstance(facts.groups, Unknown)
    (finding,) = found(replace(facts, groups={**facts.groups, "sg-data": group}))
    assert (finding.id, finding.severity) == ("drift.rule-absent", Severity.CRITICAL)
    assert finding.words == ("nothing reaches the database: no rule of group langgraph-cloud-data-sg lets port 5432 in")


# What is not known

WHY = Unknown(why="x:Y: denied")


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"services": {"api": WHY}}, "settings of service api"),
        ({"tasks": {"api": WHY, "cache": WHY}}, "task definition of api, task definition of cache"),
        ({"database": WHY}, "settings of the database"),
        ({"database": database(free_gib=WHY)}, "free storage of the database"),
        ({"alarms": WHY}, "settings of the alarms"),
        ({"scaling": {"api": WHY}}, "scaling of api"),
        ({"groups": WHY}, "security groups"),
        ({"stopped": {"api": WHY, "cache": ()}}, "stopped containers of api"),
    ],
)
def test_what_aws_does_not_tell_is_unknown_and_never_a_finding(changes: dict[str, Any], names: str) -> None:
    diagnosis = diagnose(recovery_facts(**changes))
    assert diagnosis.findings == ()
    assert diagnosis.unknown == (f"not known: {names}: x:Y: denied",)
    assert not diagnosis.well


def test_the_worst_is_first() -> None:
    facts = recovery_facts(rds="stopped", services={"api": settings(shell=True, tags={**TAGS, "team": "x"})})
    assert [each.severity for each in found(facts)] == [Severity.CRITICAL, Severity.WARNING, Severity.NOTE]
