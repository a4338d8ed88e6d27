"""Revisions of a deployment on the embedded AWS: how they are listed, and how their secrets are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoc.operations.account import Account
from byoc.operations.answers import DeniedError
from byoc.operations.revisions.keep import keep
from byoc.operations.revisions.secret_versions import Labels, label_of
from tests.operations.pushed_world import FIRST, REPOSITORY, SECOND, THIRD, Pushed
from tests.sandbox.sandbox_world import CHAT


@pytest.mark.slow
def test_revisions_are_listed_with_what_changed_by_whom_and_no_value(pushed: Pushed) -> None:
    found = pushed.run("revisions", CHAT, "--json")
    assert found.code == 0
    (deployment,) = json.loads(found.out)["deployments"]
    newest, middle, oldest = deployment["revisions"]
    assert [item["number"] for item in deployment["revisions"]] == [3, 2, 1]
    assert [item["state"] for item in deployment["revisions"]] == ["DEPLOYED"] * 3
    assert [item["running"] for item in deployment["revisions"]] == [True, False, False]
    assert [item["active"] for item in deployment["revisions"]] == [True, False, False]
    assert newest["image"] == f"{REPOSITORY}:1.2.0"
    assert newest["registeredBy"].endswith(":assumed-role/LangGraphCloudBYOCRole/byoc")
    assert [(each["what"], each["name"]) for each in newest["changes"]] == [
        ("image", ""),
        ("secret", "MORE"),
        ("version", "environment"),
    ]
    assert [(each["what"], each["before"], each["after"]) for each in middle["changes"] if each["what"] == "size"] == [
        ("size", "1024/2048", "2048/4096")
    ]
    assert oldest["changes"] is None
    assert deployment["notes"] == []
    shown = pushed.run("revisions", CHAT)
    assert shown.code == 0
    assert "3 *" in shown.out
    assert "image: 1.1.0 -> 1.2.0; secret MORE added; version environment: " in shown.out
    assert not [value for value in (FIRST, SECOND, THIRD, "hello", "good day") if value in found.out + shown.out]


@pytest.mark.slow
def test_what_ecs_does_not_tell_of_earlier_roll_outs_is_unknown(
    pushed: Pushed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Account.ask

    def ask(self: Account, action: str, **arguments: Any) -> dict[str, Any]:
        if action == "ecs:ListServiceDeployments":
            raise DeniedError(action, "because no identity-based policy allows it")
        return asked(self, action, **arguments)

    monkeypatch.setattr(Account, "ask", ask)
    found = pushed.revisions
    assert [item.state.value for item in found.items] == ["DEPLOYED", "UNKNOWN", "UNKNOWN"]
    (note,) = found.notes
    assert note.startswith("not known: what became of earlier roll-outs, and digests of images: ecs:ListServiceDepl")


@pytest.mark.slow
def test_versions_are_kept_by_labels_for_as_many_revisions_as_the_config_says(pushed: Pushed) -> None:
    one, two, three = (pushed.version(number)[1] for number in (1, 2, 3))
    assert pushed.stages() == {one: set(), two: {"AWSPREVIOUS"}, three: {"AWSCURRENT"}}
    ran = pushed.run("revisions", CHAT, "--keep")
    assert ran.code == 0, ran.err
    assert "kept: the secret versions of revisions 3, 2, 1: 1 labelled, 0 released" in ran.out
    assert pushed.stages() == {one: {label_of(one)}, two: {"AWSPREVIOUS"}, three: {"AWSCURRENT"}}

    pushed.push("1.3.0", "four")
    four = pushed.version(4)[1]
    assert pushed.stages() == {one: {label_of(one)}, two: set(), three: {"AWSPREVIOUS"}, four: {"AWSCURRENT"}}
    pushed.world.configure(CHAT, {"revisions": {"keep": 3}})
    kept = json.loads(pushed.run("revisions", CHAT, "--keep", "--json").out)["deployments"][0]["kept"]
    assert kept["revisions"] == [4, 3, 2]
    assert kept["labelled"] == [f"langgraph-cloud/chat/environment@{two}: {label_of(two)}"]
    assert kept["released"] == [f"langgraph-cloud/chat/environment@{one}: {label_of(one)}"]
    assert pushed.stages() == {one: set(), two: {label_of(two)}, three: {"AWSPREVIOUS"}, four: {"AWSCURRENT"}}
    assert set(pushed.world.up(CHAT).done().counts) == {"unchanged"}, "labels are no drift"

    assert pushed.run("rollback", CHAT, "--to", "2", "--yes").code == 0
    pushed.world.aws("secretsmanager").update_secret_version_stage(
        SecretId=pushed.version(2)[0], VersionStage=label_of(two), RemoveFromVersionId=two
    )
    assert keep(pushed.target).labels == Labels(), "what runs is not what the stack wrote last"
