"""A deployment's database: private, encrypted, kept; made once and never replaced."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pulumi
import pytest

from byoc.components.database import IDENTITY, Database, DatabaseArgs
from byoc.components.spec import CreateDatabase
from byoc.errors import ByocError
from byoc.naming import Names
from byoc.types import DeploymentType
from tests.components.deployments import (
    INSTANCE,
    NAMES,
    PARAMETERS,
    PASSWORD,
    RANDOM_ID,
    TAGS,
    construct,
    declared_outputs,
    waits_for,
)
from tests.components.harness import Recording, Secret
from tests.components.programs import outputs_of

DEVELOPMENT = CreateDatabase.of(DeploymentType.DEVELOPMENT)
PRODUCTION = CreateDatabase.of(DeploymentType.PRODUCTION)


def build(
    database: CreateDatabase = DEVELOPMENT,
    *,
    names: Names = NAMES,
    deployment: str = "chat",
    computed: dict[str, Any] | None = None,
    protect: bool | None = None,
) -> Recording:
    args = DatabaseArgs(
        names=names,
        deployment=deployment,
        database=database,
        subnet_group_name="langgraph-cloud-db-subnet-group",
        security_group_id="sg-data",
    )

    def program(opts: pulumi.ResourceOptions) -> None:
        opts.protect = protect
        Database("db", args, opts)

    return construct(program, computed=computed)


def test_a_development_database_is_private_encrypted_and_gone_with_a_destroy() -> None:
    recording = build()
    instance = recording.only(INSTANCE, "db-instance")
    assert instance.plain == {
        "identifier": "langgraph-cloud-chat",
        "engine": "postgres",
        "engineVersion": "16",
        "allowMajorVersionUpgrade": True,
        "autoMinorVersionUpgrade": True,
        "instanceClass": "db.t4g.micro",
        "storageType": "gp3",
        "allocatedStorage": 20,
        "storageEncrypted": True,
        "multiAz": False,
        "dbName": "langgraph",
        "username": "langgraph",
        "password": "db-password0Value",
        "port": 5432,
        "parameterGroupName": "langgraph-cloud-chat-0001",
        "dbSubnetGroupName": "langgraph-cloud-db-subnet-group",
        "vpcSecurityGroupIds": ["sg-data"],
        "publiclyAccessible": False,
        "backupRetentionPeriod": 0,
        "copyTagsToSnapshot": True,
        "deletionProtection": False,
        "skipFinalSnapshot": True,
        "applyImmediately": True,
        "tags": TAGS,
    }
    assert isinstance(instance.inputs["password"], Secret)
    assert not instance.protect
    assert recording.of_type(RANDOM_ID) == []


def test_a_production_database_is_doubled_backed_up_protected_and_leaves_a_snapshot() -> None:
    recording = build(PRODUCTION)
    instance, development = recording.only(INSTANCE), build().only(INSTANCE)
    changed = {key: value for key, value in instance.plain.items() if development.plain.get(key) != value}
    assert changed == {
        "instanceClass": "db.m7g.large",
        "allocatedStorage": 50,
        "maxAllocatedStorage": 500,
        "multiAz": True,
        "backupRetentionPeriod": 7,
        "deletionProtection": True,
        "skipFinalSnapshot": False,
        "finalSnapshotIdentifier": "langgraph-cloud-chat-final-0a1b2c3d",
    }
    assert instance.protect


def test_a_protection_from_outside_is_not_lifted() -> None:
    assert build(protect=True).only(INSTANCE).protect


def test_tls_is_forced_by_the_parameter_group_of_the_major_version() -> None:
    assert build().only(PARAMETERS, "db-parameters").plain == {
        "namePrefix": "langgraph-cloud-chat-",
        "family": "postgres16",
        "description": "PostgreSQL parameters of LangGraph deployment chat",
        "parameters": [{"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"}],
        "tags": TAGS,
    }
    newer = build(CreateDatabase(instance_class="db.t4g.micro", engine_version="17.2"))
    assert newer.only(PARAMETERS).plain["family"] == "postgres17"


def test_an_exact_engine_version_is_not_moved_on_by_aws() -> None:
    exact = build(CreateDatabase(instance_class="db.t4g.micro", engine_version="16.4")).only(INSTANCE)
    assert (exact.plain["engineVersion"], exact.plain["autoMinorVersionUpgrade"]) == ("16.4", False)


def test_the_password_is_long_and_stands_in_a_uri_as_it_is() -> None:
    assert build().only(PASSWORD, "db-password").plain == {"length": 40, "special": False}


def test_the_uri_names_the_database_demands_tls_and_is_secret() -> None:
    uri = outputs_of(build(), "byoc:index:Database")["uri"]
    assert isinstance(uri, Secret)
    parts = urlsplit(uri.value)
    assert (parts.scheme, parts.username, parts.password) == ("postgresql", "langgraph", "db-password0Value")
    assert (parts.hostname, parts.port) == ("langgraph-cloud-chat.abc.us-west-2.rds.amazonaws.com", 5432)
    assert parts.path == "/langgraph"
    assert parse_qs(parts.query) == {"sslmode": ["require"]}


def test_it_waits_only_for_its_password_and_its_parameters() -> None:
    recording = build()
    assert waits_for(recording, recording.only(INSTANCE)) == {
        "RandomPassword db-password",
        "ParameterGroup db-parameters",
    }


def test_nothing_that_makes_it_this_database_is_ever_changed() -> None:
    ignored = build().only(INSTANCE).ignore_changes
    assert ignored == IDENTITY
    # What the AWS provider marks "forces new resource", of the inputs that are given here.
    assert {"identifier", "engine", "username", "dbName", "storageEncrypted"} <= set(ignored)


def test_a_change_that_would_replace_it_is_refused() -> None:
    # An engine that ignores the change of the identifier gives the one that is there.
    existing = {INSTANCE: {"identifier": "langgraph-cloud-chat", "address": "old.example"}}
    with pytest.raises(ByocError, match="refused") as refused:
        build(names=Names("acme"), computed=existing)
    assert str(refused.value) == (
        "this change would replace the database langgraph-cloud-chat and lose its data; refused\n"
        "  byoc:name, byoc:namePrefix\n"
        "      got:      they give the database acme-chat, but this stack holds langgraph-cloud-chat\n"
        "      allowed:  the name and prefix that the deployment was made with: a new database would be empty\n"
        "      mend it:  set them back; for a deployment of another name use a stack of its own"
    )


def test_long_names_stay_within_what_rds_accepts() -> None:
    instance = build(deployment="a" * 63).only(INSTANCE)
    assert len(instance.plain["identifier"]) <= 63


def test_outputs_are_what_is_registered() -> None:
    outputs = outputs_of(build(), "byoc:index:Database")
    assert outputs.keys() == declared_outputs(Database)
    assert outputs["identifier"] == "langgraph-cloud-chat"
