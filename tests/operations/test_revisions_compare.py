"""What changed between two revisions, and what a copy of one is: pure functions, table by table."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.operations.revisions.compare import changes, repository, short_images
from byoc.operations.revisions.definitions import SecretVersion
from tests.operations.revision_samples import REPOSITORY, SECRET, sample

VALUE = "a value that nobody may see"


@pytest.mark.parametrize(
    ("before", "after", "texts"),
    [
        ({}, {}, []),
        ({}, {"tag": "1.1.0"}, ["image: 1.0.0 -> 1.1.0"]),
        ({}, {"cpu": "2048", "memory": "4096"}, ["size: 1024/2048 -> 2048/4096"]),
        (
            {"environment": {"PORT": "8000", "GONE": VALUE, "KEPT": "x"}},
            {"environment": {"PORT": "9000", "NEW": VALUE, "KEPT": "x"}},
            ["environment GONE removed", "environment NEW added", "environment PORT changed"],
        ),
        (
            {"names": ("OLD_KEY", "SAME")},
            {"names": ("NEW_KEY", "SAME")},
            ["secret NEW_KEY added", "secret OLD_KEY removed"],
        ),
        (
            {"version": "11111111-aaaa"},
            {"version": "22222222-bbbb"},
            ["version environment: 11111111 -> 22222222"],
        ),
        (
            {"version": "terraform-20261124150311123400000001"},
            {"version": "terraform-20261124152317009900000002"},
            ["version environment: 20261124150311 -> 20261124152317"],
        ),
        ({"version": "11111111-aaaa"}, {"version": ""}, ["version environment: 11111111 -> current"]),
        ({}, {"stopTimeout": 60}, ["setting stopTimeout changed"]),
        ({}, {"command": ["/other"]}, ["setting command changed"]),
    ],
)
def test_changes_are_told_by_name_and_never_by_value(
    before: dict[str, Any], after: dict[str, Any], texts: list[str]
) -> None:
    found = changes(sample(1, **before), sample(2, **after))
    assert [change.text() for change in found] == texts
    assert VALUE not in str([change.document() for change in found])


def test_values_of_variables_are_in_no_representation() -> None:
    assert VALUE not in repr(sample(1, environment={"TOKEN": VALUE}))


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("redis", "redis"),
        ("redis:7", "redis"),
        ("registry:5000/agents/chat", "registry:5000/agents/chat"),
        ("registry:5000/agents/chat:1.0.0", "registry:5000/agents/chat"),
        ("registry:5000/agents/chat:1.0.0@sha256:ab", "registry:5000/agents/chat"),
        ("agents/chat@sha256:ab", "agents/chat"),
    ],
)
def test_a_repository_is_told_from_tag_digest_and_port(image: str, name: str) -> None:
    assert repository(image) == name


def test_images_of_other_repositories_are_told_whole() -> None:
    assert short_images("a/chat:1", "b/chat:1") == ("a/chat:1", "b/chat:1")


def test_a_secret_is_read_from_the_reference_of_a_task_definition() -> None:
    found = sample(1, version="3f1c").secrets["OPENAI_API_KEY"]
    assert found == SecretVersion(secret_arn=f"{SECRET}/environment-AbCdEf", version="3f1c")
    assert (found.name, found.content) == ("langgraph-cloud/chat/environment", "environment")


def test_a_copy_carries_the_content_the_tags_and_where_it_comes_from_and_nothing_that_ecs_adds() -> None:
    made = sample(3, active=False, tags={"byoc-deployment": "chat", "team": "a"}).copy()
    assert set(made) == {
        "containerDefinitions",
        "cpu",
        "executionRoleArn",
        "family",
        "memory",
        "networkMode",
        "tags",
    }
    assert made["tags"] == [
        {"key": "byoc-copy-of", "value": "3"},
        {"key": "byoc-deployment", "value": "chat"},
        {"key": "team", "value": "a"},
    ]
    assert made["containerDefinitions"][0]["image"] == f"{REPOSITORY}:1.0.0"


def test_a_copy_of_a_copy_is_one_of_the_first() -> None:
    copy = sample(7, tags={"byoc-copy-of": "3"})
    assert (copy.copy_of, copy.origin) == (3, 3)
    assert {"key": "byoc-copy-of", "value": "3"} in copy.copy()["tags"]
    assert (sample(7).copy_of, sample(7).origin) == (None, 7)
    assert sample(7, tags={"byoc-copy-of": "not a number"}).copy_of is None
