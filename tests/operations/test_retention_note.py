"""The note of ``byoc retention`` is a tag that the provider is told to ignore: it survives a refresh of the plugin."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoc.values import decode
from tests.sandbox.sandbox_world import World
from tests.sandbox.test_plugin import Plugin, running

SECRET = "aws:secretsmanager/secret:Secret"
NAME = "langgraph-cloud/chat/environment"


def made(plugin: Plugin, world: World, **ignored: Any) -> tuple[str, dict[str, Any]]:
    """A secret of a provider that ignores some tags, with a tag of somebody else's: its id and its inputs."""
    plugin.configure(world, **({"ignoreTags": json.dumps(ignored)} if ignored else {}))
    inputs = plugin.checked(SECRET, name=NAME, tags={"own": "1"})
    id_ = str(plugin.create(SECRET, inputs).id)
    note = [{"Key": "byoc-retention", "Value": "watched=2026-11-24"}]
    world.aws("secretsmanager").tag_resource(SecretId=NAME, Tags=note)
    return id_, inputs


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [{"keys": ["byoc-retention"]}, {"keyPrefixes": ["byoc-ret"]}])
def test_a_refresh_does_not_see_a_tag_that_is_ignored(world: World, ignored: dict[str, Any]) -> None:
    with running(world, "aws") as plugin:
        id_, inputs = made(plugin, world, **ignored)
        there = plugin.read(SECRET, id_, inputs)
        assert decode(there.inputs) == inputs
        assert decode(there.properties)["tagsAll"] == {"byoc-install": "x", "own": "1"}
        assert not plugin.diff(SECRET, decode(there.inputs), inputs).diffs
        imported = decode(plugin.read(SECRET, id_).inputs)
        assert imported["tags"] == {"byoc-install": "x", "own": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [{}, {"keys": ["byoc"]}, {"keyPrefixes": ["retention"]}])
def test_a_refresh_sees_a_tag_that_is_not(world: World, ignored: dict[str, Any]) -> None:
    with running(world, "aws") as plugin:
        id_, inputs = made(plugin, world, **ignored)
        tags = decode(plugin.read(SECRET, id_, inputs).inputs)["tags"]
        assert tags == {"own": "1", "byoc-retention": "watched=2026-11-24"}
