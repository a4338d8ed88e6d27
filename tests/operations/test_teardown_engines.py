"""What the engines know of a stack's databases, before anything is deleted."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation.errors import CommandError

from byoc.cli.operations.teardown_engines import _exported, final_snapshots
from byoc.errors import ByocError

DATABASE = "aws:rds/instance:Instance"


def resource(**more: Any) -> dict[str, Any]:
    return {"type": DATABASE, "outputs": {"identifier": "p-chat", "skipFinalSnapshot": False}, **more}


@pytest.mark.parametrize(
    ("resources", "known"),
    [
        ([], {}),
        ([resource()], {"p-chat": True}),
        ([resource(outputs={"identifier": "p-chat", "skipFinalSnapshot": True})], {"p-chat": False}),
        ([resource(outputs={"identifier": "p-chat"}, inputs={"skipFinalSnapshot": True})], {"p-chat": False}),
        ([resource(outputs=None, inputs={"identifier": "p-chat"})], {"p-chat": True}),
        ([resource(delete=True)], {}),
        ([{"type": "aws:sns/topic:Topic", "outputs": {"identifier": "p-chat"}}], {}),
    ],
)
def test_a_deletion_leaves_a_snapshot_as_the_last_run_recorded_it(
    resources: list[dict[str, Any]], known: dict[str, bool]
) -> None:
    assert final_snapshots(resources) == known


def workspace(answer: Any, asked: list[list[str]]) -> Any:
    def run(words: list[str], *_: Any) -> Any:
        asked.append(words)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(stdout=answer)

    return SimpleNamespace(engines=SimpleNamespace(run=run), work_dir="", env_vars={})


def test_pulumi_is_asked_for_its_state_without_secrets_in_plain() -> None:
    asked: list[list[str]] = []
    state = {"version": 3, "deployment": {"resources": [resource()]}}
    assert list(_exported(workspace(json.dumps(state), asked), "demo")) == [resource()]
    assert asked == [["stack", "export", "--stack", "demo"]]
    for empty in ("{}", "null"):
        assert list(_exported(workspace(f'{{"version": 3, "deployment": {empty}}}', asked), "demo")) == []


def test_a_state_that_pulumi_does_not_give_stops_the_teardown_in_plain_words() -> None:
    refused = CommandError(SimpleNamespace(code=255, stdout="", stderr="error: no such stack"))  # type: ignore[arg-type]
    with pytest.raises(ByocError, match="no such stack"):
        _exported(workspace(refused, []), "demo")
    for broken in ("", "[]", '{"version": 3}', '{"deployment": 3}'):
        with pytest.raises(ByocError, match="pulumi stack export --stack demo gives no state that can be read"):
            _exported(workspace(broken, []), "demo")
