"""A key of the customer's own, which the final snapshot needs: disabled, or about to be deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from byoc.operations.teardown.sign_off import Verdict
from tests.operations.teardown_world import Teardowns, lines, teardowns
from tests.sandbox.sandbox_world import ACCOUNT, SUPPORT, World

pytestmark = pytest.mark.slow

DATABASE = "langgraph-cloud-support"


@dataclass
class Keyed:
    """A production deployment whose database was restored under a key of the customer's own."""

    life: Teardowns
    key: str
    """Its ARN."""

    @property
    def id(self) -> str:
        """Its id, which is all that moto takes."""
        return self.key.rpartition("/")[2]

    @property
    def kms(self) -> Any:
        """The key's service, as the account's administrator."""
        return self.life.world.aws("kms")


@pytest.fixture
def keyed(world: World) -> Iterator[Keyed]:
    world.up(ACCOUNT).done()
    world.up(SUPPORT).done()
    rds = world.aws("rds")
    (made,) = rds.describe_db_instances(DBInstanceIdentifier=DATABASE)["DBInstances"]
    rds.modify_db_instance(DBInstanceIdentifier=DATABASE, DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier=DATABASE, SkipFinalSnapshot=True)
    key = world.aws("kms").create_key(Description="databases")["KeyMetadata"]["Arn"]
    rds.create_db_instance(
        DBInstanceIdentifier=DATABASE,
        KmsKeyId=key,
        StorageEncrypted=True,
        Tags=made["TagList"],
        **{name: made[name] for name in ("AllocatedStorage", "DBInstanceClass", "Engine", "MasterUsername")},
    )
    with teardowns(world) as life:
        yield Keyed(life, key)


def standing(keyed: Keyed) -> list[tuple[str, str, str]]:
    """What keeps the stack, but for the database's own protection."""
    plan = keyed.life.plan(SUPPORT, unprotect=True)
    return [(item.id, item.why, item.remedy.partition(";")[0]) for item in plan.standing]


def test_a_disabled_key_keeps_the_stack_until_it_is_enabled(keyed: Keyed) -> None:
    assert standing(keyed) == []
    keyed.kms.disable_key(KeyId=keyed.id)
    why = f"the final snapshot of {DATABASE} needs it, and it is Disabled"
    assert standing(keyed) == [(keyed.key, why, f"aws kms enable-key --key-id {keyed.key}")]
    with keyed.life.changing_nothing():
        (outcome,) = keyed.life.run(SUPPORT, unprotect=True)
    assert outcome.error == f"something stands in the way; nothing was begun\n  key {keyed.key}: {why}"
    keyed.kms.enable_key(KeyId=keyed.id)
    assert standing(keyed) == []


def test_a_key_that_waits_for_its_deletion_keeps_the_stack_until_it_is_brought_back(keyed: Keyed) -> None:
    keyed.kms.schedule_key_deletion(KeyId=keyed.id, PendingWindowInDays=7)
    ((id_, why, remedy),) = standing(keyed)
    assert (id_, why) == (keyed.key, f"the final snapshot of {DATABASE} needs it, and it is PendingDeletion")
    assert remedy == f"aws kms cancel-key-deletion --key-id {id_}, then aws kms enable-key --key-id {id_}"
    keyed.kms.cancel_key_deletion(KeyId=keyed.id)
    assert [why for _, why, _ in standing(keyed)] == [
        f"the final snapshot of {DATABASE} needs it, and it is Disabled"
    ]  # AWS leaves it so
    keyed.kms.enable_key(KeyId=keyed.id)
    assert standing(keyed) == []


def test_the_plan_says_that_the_snapshot_will_need_the_key_and_the_sweep_holds_on_to_it(keyed: Keyed) -> None:
    plan = keyed.life.plan(SUPPORT, unprotect=True)
    (coming,) = [entry.why for entry in plan.kept if entry.kind == "final database snapshot"]
    assert coming == f"AWS makes it before the database goes: 50 GiB; it will need key {keyed.key}"
    (outcome,) = keyed.life.carry_out([plan], unprotect=True)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert outcome.signed is not None
    (kept,) = [entry for entry in outcome.signed.of(Verdict.KEPT) if entry.kind == "final database snapshot"]
    assert re.fullmatch(
        rf"the data of {DATABASE}: available, encrypted, 50 GiB, of 20\d\d-\d\d-\d\d; "
        rf"it needs key {keyed.key}, which may not go before it",
        kept.why,
    )
    keyed.kms.schedule_key_deletion(KeyId=keyed.id, PendingWindowInDays=7)
    signed = keyed.life.sweep(SUPPORT)
    assert lines(signed, Verdict.LEFT) == [("final database snapshot", kept.id)]
    (left,) = signed.of(Verdict.LEFT)
    assert left.why == f"it cannot be relied on: its key {keyed.key} is PendingDeletion"
    keyed.kms.cancel_key_deletion(KeyId=keyed.id)
    keyed.kms.enable_key(KeyId=keyed.id)
    assert keyed.life.sweep(SUPPORT).is_clean
