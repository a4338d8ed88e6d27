"""A deployment's secrets: tagged so that its tasks may read them, sealed, and referred to by version."""

from __future__ import annotations

import json

import pulumi

from byoc.components.secrets import Secrets, SecretsArgs
from byoc.naming import Names
from tests.components.deployments import (
    NAMES,
    SECRET,
    SECRET_TAGS,
    VERSION,
    construct,
    declared_outputs,
    waits_for,
)
from tests.components.harness import Recording, Secret
from tests.components.programs import outputs_of


def build(environment: dict[str, str] | None = None, names: Names = NAMES) -> Recording:
    args = SecretsArgs(
        names=names,
        deployment="chat",
        environment=environment or {"B_KEY": "b", "A_KEY": "a"},
        connections={"DATABASE_URI": "postgresql://x", "REDIS_URI": "redis://y"},
    )

    def program(opts: pulumi.ResourceOptions) -> None:
        secrets = Secrets("sec", args, opts)
        pulumi.export("reference", secrets.environment.reference("A_KEY"))

    return construct(program)


def test_both_secrets_carry_the_documented_tag_and_can_be_made_again_at_once() -> None:
    recording = build()
    for content in ("environment", "connections"):
        assert recording.only(SECRET, f"sec-{content}").plain == {
            "name": f"langgraph-cloud/chat/{content}",
            "description": f"The {content} of LangGraph deployment chat",
            "recoveryWindowInDays": 0,
            "tags": SECRET_TAGS,
        }


def test_another_installs_secrets_have_its_prefix_in_name_and_tag() -> None:
    secret = build(names=Names("acme")).only(SECRET, "sec-environment")
    assert secret.plain["name"] == "acme/chat/environment"
    assert secret.plain["tags"]["langgraph-cloud"] == "acme"


def test_values_are_one_sealed_json_object_in_order() -> None:
    recording = build()
    environment = recording.only(VERSION, "sec-environment-version").inputs
    assert environment == {
        "secretId": "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat/environment",
        "secretString": Secret('{"A_KEY": "a", "B_KEY": "b"}'),
    }
    connections = recording.only(VERSION, "sec-connections-version").plain
    assert json.loads(connections["secretString"]) == {"DATABASE_URI": "postgresql://x", "REDIS_URI": "redis://y"}


def test_a_reference_names_the_key_and_pins_the_version() -> None:
    first, second = build().exported["reference"], build({"A_KEY": "other"}).exported["reference"]
    arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat/environment"
    assert first.startswith(f"{arn}:A_KEY::v-")
    assert second.startswith(f"{arn}:A_KEY::v-")
    assert first != second


def test_the_environment_does_not_wait_for_the_connections() -> None:
    recording = build()
    assert waits_for(recording, recording.only(VERSION, "sec-environment-version")) == {"Secret sec-environment"}


def test_outputs_are_what_is_registered() -> None:
    outputs = outputs_of(build(), "byoc:index:Secrets")
    assert outputs.keys() == declared_outputs(Secrets)
