"""What the engines' state says of a stack's databases, before anything is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from byoc.operations.final_snapshots import final_snapshots

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
