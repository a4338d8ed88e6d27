"""The external id: made at random, changed without a gap, and then worth nothing."""

from __future__ import annotations

import pytest

from tests.sandbox.cli_runner import byoc
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, Run, World

NEW_ID = "6e0c5d1f9b7a4c2384aa"


def test_a_new_external_id_is_48_random_digits_and_accepted_by_the_config(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [byoc(capsys, "external-id", "new") for _ in range(20)]
    assert {outcome.code for outcome in made} == {0}
    ids = {outcome.out.strip() for outcome in made}
    assert len(ids) == 20
    assert all(len(text) == 48 and set(text) <= set("0123456789abcdef") for text in ids)
    world.configure_secret(ACCOUNT, "externalId", ids.pop())
    world.preview(ACCOUNT).done()


def refused(run: Run) -> bool:
    """Whether the role could not be assumed; nothing else may be wrong."""
    text = "\n".join(failure.render() for failure in run.result.failures)
    assert not run.result.failures or "cannot assume arn:aws:iam::" in text
    return bool(run.result.failures)


def test_an_external_id_is_rotated_without_a_gap_and_the_old_one_ends(world: World) -> None:
    world.up(ACCOUNT).done()
    world.up(CHAT).done()
    old = world.workspace.deployment_config(CHAT).external_id
    assert old is not None

    world.configure_secret(ACCOUNT, "previousExternalId", old.get_secret_value())
    world.configure_secret(ACCOUNT, "externalId", NEW_ID)
    overlapping = world.up(ACCOUNT).done()
    assert overlapping.mutating == ["iam:UpdateAssumeRolePolicy"]
    assert set(world.up(CHAT).done().counts) == {"unchanged"}, "the old id is still accepted"

    world.configure_secret(CHAT, "externalId", NEW_ID)
    moved = world.up(CHAT).done()
    assert moved.mutating == []
    world.configure(ACCOUNT, {"previousExternalId": None})
    assert world.up(ACCOUNT).done().mutating == ["iam:UpdateAssumeRolePolicy"]
    assert not refused(world.up(CHAT))

    world.configure_secret(CHAT, "externalId", old.get_secret_value())
    assert refused(world.up(CHAT))
    shown = "\n".join(str(run.result.document()) for run in (overlapping, moved))
    assert NEW_ID not in shown
    assert old.get_secret_value() not in shown
