"""Database and secrets of a deployment, through their whole lives on the emulator."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.deployment_life import (
    HANDLERS,
    Stage,
    assert_listed,
    born,
    changed,
    ended,
    live,
    make,
    open_stage,
)

DATABASE = "aws:rds/instance:Instance"
SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as running:
        yield running


@pytest.fixture
def stage(emulator: Emulator) -> Stage:
    return open_stage(emulator)


def database(stage: Stage, **more: Any) -> dict[str, Any]:
    places = stage.network()
    stage.aws.client("rds").create_db_subnet_group(
        DBSubnetGroupName="subnets",
        DBSubnetGroupDescription="of the test",
        SubnetIds=[places["a"], places["b"]],
    )
    return {
        "identifier": "langgraph-chat",
        "engine": "postgres",
        "engineVersion": "16",
        "instanceClass": "db.t4g.micro",
        "storageType": "gp3",
        "allocatedStorage": 20,
        "storageEncrypted": True,
        "multiAz": False,
        "dbName": "langgraph",
        "username": "langgraph",
        "password": "not-a-real-password",
        "port": 5432,
        "dbSubnetGroupName": "subnets",
        "vpcSecurityGroupIds": [places["group"]],
        "backupRetentionPeriod": 0,
        "skipFinalSnapshot": True,
        "applyImmediately": True,
        **more,
    }


def test_a_database_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    thing = live(
        stage,
        DATABASE,
        "aws_db_instance",
        database(stage),
        changes=[
            {"instanceClass": "db.m7g.large", "multiAz": True},
            {"allocatedStorage": 50, "maxAllocatedStorage": 500},
            {"allocatedStorage": 50, "backupRetentionPeriod": 7, "copyTagsToSnapshot": True},
            {"allocatedStorage": 50, "password": "another-password"},
            {"allocatedStorage": 50, "engineVersion": "17", "allowMajorVersionUpgrade": True},
        ],
    )
    assert thing.id.startswith("db-")
    assert thing.outputs["arn"] == f"arn:aws:rds:eu-west-1:{stage.aws.account_id}:db:langgraph-chat"
    assert thing.outputs["endpoint"] == f"{thing.outputs['address']}:5432"
    assert thing.outputs["status"] == "available"
    assert thing.outputs["resourceId"] == thing.id
    assert "password" not in thing.outputs


def test_a_database_keeps_no_backups_unless_they_are_asked_for(stage: Stage) -> None:
    inputs = database(stage)
    del inputs["backupRetentionPeriod"]
    assert make(stage, DATABASE, **inputs).outputs["backupRetentionPeriod"] == 0


def test_a_database_is_renamed_in_place_and_keeps_its_id(stage: Stage) -> None:
    inputs = database(stage)
    thing = born(stage, DATABASE, "aws_db_instance", inputs)
    renamed = changed(stage, thing, {**inputs, "identifier": "langgraph-talk", "tags": {"team": "a"}})
    assert renamed.id == thing.id
    assert renamed.outputs["arn"].endswith(":db:langgraph-talk")
    ended(stage, renamed, "aws_db_instance")


def test_two_databases_are_told_apart(stage: Stage) -> None:
    inputs = database(stage)
    first = make(stage, DATABASE, **inputs)
    second = make(stage, DATABASE, **{**inputs, "identifier": "langgraph-support"})
    assert first.outputs["identifier"] == "langgraph-chat"
    ended(stage, second, "aws_db_instance")
    assert first.handler.read(stage.aws, first.id, first.inputs) == first.outputs


def test_a_database_leaves_its_final_snapshot_and_says_so(stage: Stage) -> None:
    inputs = database(stage, skipFinalSnapshot=False, finalSnapshotIdentifier="langgraph-chat-final")
    thing = make(stage, DATABASE, **inputs)
    thing.handler.delete(stage.aws, thing.id, thing.state)
    snapshots = stage.aws.client("rds").describe_db_snapshots()["DBSnapshots"]
    assert [item["DBSnapshotIdentifier"] for item in snapshots] == ["langgraph-chat-final"]
    assert thing.handler.leaves(thing.state) == ("database snapshot langgraph-chat-final",)


def test_a_database_is_not_deleted_without_saying_what_becomes_of_its_data(stage: Stage) -> None:
    thing = make(stage, DATABASE, **database(stage, skipFinalSnapshot=False))
    with pytest.raises(ValueError, match="finalSnapshotIdentifier must be set where skipFinalSnapshot is false"):
        thing.handler.delete(stage.aws, thing.id, thing.state)
    assert thing.handler.read(stage.aws, thing.id, thing.inputs) is not None


def test_the_refusal_of_a_protected_database_is_aws_s_own(stage: Stage) -> None:
    thing = make(stage, DATABASE, **database(stage, deletionProtection=True))
    with pytest.raises(ClientError, match="disable deletion protection"):
        thing.handler.delete(stage.aws, thing.id, thing.state)
    assert thing.handler.read(stage.aws, thing.id, thing.inputs) is not None


def test_a_protection_that_only_aws_still_has_is_taken_off_before_the_deletion(stage: Stage) -> None:
    thing = make(stage, DATABASE, **database(stage))
    stage.aws.client("rds").modify_db_instance(DBInstanceIdentifier="langgraph-chat", DeletionProtection=True)
    thing.handler.delete(stage.aws, thing.id, thing.state)
    assert thing.handler.read(stage.aws, thing.id, thing.inputs) is None


def test_what_only_the_provider_needs_to_know_calls_nothing(stage: Stage) -> None:
    inputs = database(stage)
    thing = make(stage, DATABASE, **inputs)
    new = stage.checked(thing.handler, {**inputs, "skipFinalSnapshot": False, "finalSnapshotIdentifier": "last"})
    with stage.noted() as called:
        thing.handler.update(stage.aws, thing.id, thing.inputs, new)
    assert called == []


def test_a_secret_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    policy = '{"Version": "2012-10-17", "Statement": []}'
    thing = live(
        stage,
        SECRET,
        "aws_secretsmanager_secret",
        {"name": "langgraph/chat/environment", "recoveryWindowInDays": 0},
        changes=[
            {"description": "what it is for"},
            {"description": "what it is for", "policy": policy},
            {"description": "what it is for"},
        ],
    )
    assert thing.id == thing.outputs["arn"]
    assert thing.id.startswith(f"arn:aws:secretsmanager:eu-west-1:{stage.aws.account_id}:secret:langgraph/chat/")


def test_the_name_of_a_secret_that_is_deleted_at_once_can_be_used_again(stage: Stage) -> None:
    for _ in range(2):
        thing = make(stage, SECRET, name="again", recoveryWindowInDays=0)
        thing.handler.delete(stage.aws, thing.id, thing.state)
        assert thing.handler.leaves(thing.state) == ()


def test_a_secret_with_a_recovery_window_can_be_restored_and_says_so(stage: Stage) -> None:
    thing = make(stage, SECRET, name="careful")
    thing.handler.delete(stage.aws, thing.id, thing.state)
    assert thing.handler.leaves(thing.state) == ("secret careful: can be restored for 30 days",)
    assert thing.handler.read(stage.aws, thing.id, thing.inputs) is None
    stage.aws.client("secretsmanager").restore_secret(SecretId=thing.id)
    assert thing.handler.read(stage.aws, thing.id, thing.inputs) is not None


def test_a_changed_value_is_a_new_version_made_before_the_old_one_is_given_up(stage: Stage) -> None:
    secret = make(stage, SECRET, name="value", recoveryWindowInDays=0)
    old = born(
        stage, VERSION, "aws_secretsmanager_secret_version", {"secretId": secret.id, "secretString": '{"A": "1"}'}
    )
    assert old.id == f"{secret.id}|{old.outputs['versionId']}"
    assert old.outputs["versionStages"] == ["AWSCURRENT"]
    with stage.noted() as of_update:
        new = born(
            stage, VERSION, "aws_secretsmanager_secret_version", {"secretId": secret.id, "secretString": '{"A": "2"}'}
        )
        old.handler.delete(stage.aws, old.id, old.state)
    assert_listed("aws_secretsmanager_secret_version", "update", of_update)
    value = stage.aws.client("secretsmanager").get_secret_value(SecretId=secret.id)
    assert (value["SecretString"], value["VersionId"]) == ('{"A": "2"}', new.outputs["versionId"])


def test_giving_up_a_version_only_reads(stage: Stage) -> None:
    secret = make(stage, SECRET, name="value", recoveryWindowInDays=0)
    version = make(stage, VERSION, secretId=secret.id, secretString="x")
    with stage.noted() as called:
        version.handler.delete(stage.aws, version.id, version.state)
    assert called == ["secretsmanager:GetSecretValue"]
    assert_listed("aws_secretsmanager_secret_version", "delete", called)


def test_a_version_whose_secret_is_gone_is_given_up_without_error(stage: Stage) -> None:
    secret = make(stage, SECRET, name="value", recoveryWindowInDays=0)
    version = make(stage, VERSION, secretId=secret.id, secretString="x")
    secret.handler.delete(stage.aws, secret.id, secret.state)
    version.handler.delete(stage.aws, version.id, version.state)


def test_another_value_in_place_is_not_taken_for_an_interrupted_create(stage: Stage) -> None:
    secret = make(stage, SECRET, name="value", recoveryWindowInDays=0)
    make(stage, VERSION, secretId=secret.id, secretString="old")
    assert HANDLERS[VERSION].find(stage.aws, {"secretId": secret.id, "secretString": "new"}) is None


def test_stages_of_a_version_are_moved_and_taken_off(stage: Stage) -> None:
    secret = make(stage, SECRET, name="value", recoveryWindowInDays=0)
    make(stage, VERSION, secretId=secret.id, secretString="one", versionStages=["blue"])
    inputs = {"secretId": secret.id, "secretString": "two", "versionStages": ["green"]}
    two = make(stage, VERSION, **inputs)
    assert "blue" not in two.outputs["versionStages"]
    moved = changed(stage, two, {**inputs, "versionStages": ["blue", "green"]})
    assert {"blue", "green"} <= set(moved.outputs["versionStages"])
    left = changed(stage, moved, {**inputs, "versionStages": ["green"]})
    assert "blue" not in left.outputs["versionStages"]


def test_a_binary_value_is_stored_as_bytes(stage: Stage) -> None:
    secret = make(stage, SECRET, name="value", recoveryWindowInDays=0)
    inputs = {"secretId": secret.id, "secretBinary": base64.b64encode(b"\x00\x01").decode()}
    born(stage, VERSION, "aws_secretsmanager_secret_version", inputs)
    assert stage.aws.client("secretsmanager").get_secret_value(SecretId=secret.id)["SecretBinary"] == b"\x00\x01"
