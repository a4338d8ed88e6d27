"""Teardowns that are killed half-way, again and again, or stopped by Ctrl-C: the next one comes to the same end."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from byoc.operations.teardown.clearing import Told
from byoc.operations.teardown.plan import Options
from byoc.operations.teardown.run import tear_down
from byoc.operations.teardown.sign_off import Verdict
from byoc.sandbox.emulator.faults import Fault, Latency
from tests.operations.teardown_world import Teardowns, lines, teardowns
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, SUPPORT, World, Worlds, in_a_process
from tests.sandbox.test_e2e_interruption import KILLED, MOST_RUNS, command, killer, wait_for_calls

pytestmark = pytest.mark.slow


@pytest.fixture
def life(world: World) -> Iterator[Teardowns]:
    """An account with a production deployment in it, whose database is protected."""
    world.up(ACCOUNT).done()
    world.up(SUPPORT).done()
    with teardowns(world) as found:
        yield found


@pytest.fixture(autouse=True)
def undisturbed(worlds: Worlds) -> Iterator[None]:
    yield
    worlds.emulator.client.set_latency([])
    worlds.emulator.client.clear_faults()


def snapshots(life: Teardowns) -> list[str]:
    """Every snapshot that outlives its database."""
    every = [item["id"] for item in life.world.inventory() if item["kind"] == "snapshot"]
    return [id_ for id_ in every if not id_.startswith("rds:")]


def killed_at_each_change(life: Teardowns, stack: str, moment: str, every: int, *, options: Options) -> int:
    """Take a stack down, in one process after the other, each killed after some changes: how many died.

    The first run dies at the first thing that it tells of outside the engine, the second at the next, and so on: so
    clearing is interrupted before and after each of its changes. Then the engine is killed after every so many changes.
    """
    life.world.workspace.config(stack)  # derives the key here once, not in every process

    def run(number: int) -> bool:
        def tell(item: Told) -> None:
            told.append(item)
            if len(told) == number:
                os._exit(KILLED)

        told: list[Told] = []
        observer = killer(moment, every)
        engine = replace(life.engine, destroy=lambda name: life.world.workspace.destroy(name, on_call=observer))
        (outcome,) = tear_down([life.plan(stack, unprotect=options.unprotect)], engine, options, tell)
        return outcome.is_clean

    for number in range(1, MOST_RUNS):
        code = in_a_process(lambda number=number: run(number))  # type: ignore[misc]
        if code == 0:
            return number - 1
        assert code == KILLED, f"run {number} failed by itself"
        assert len(snapshots(life)) <= 1, "a second final snapshot"
    raise AssertionError(f"{MOST_RUNS} runs made no end of it")


@pytest.mark.parametrize(("moment", "every"), [("before", 3), ("after", 6)])
def test_a_teardown_that_is_killed_again_and_again_ends_signed_with_one_good_snapshot(
    life: Teardowns, moment: str, every: int
) -> None:
    # Deletions run side by side: before the next one begins, many more than the three may have been answered.
    kills = killed_at_each_change(life, SUPPORT, moment, every, options=Options(unprotect=True))
    assert kills > 5
    (snapshot,) = snapshots(life)
    signed = life.sweep(SUPPORT)
    assert lines(signed, Verdict.KEPT) == [
        ("final database snapshot", snapshot),
        ("tracing project", "support-agents"),
    ]
    assert signed.is_clean
    assert life.world.kinds()["rds instance"] == 0
    life.world.up(SUPPORT).done()  # nothing holds its names
    (outcome,) = life.run(SUPPORT, unprotect=True)
    assert outcome.is_clean
    assert len(snapshots(life)) == 2  # the new database left one of its own, under another name


def test_a_deletion_whose_answer_was_lost_leaves_one_snapshot_and_is_no_failure(life: Teardowns) -> None:
    life.world.client.set_faults(Fault(kind="drop", when="after", actions=("rds:DeleteDBInstance",), at=1))
    (outcome,) = life.run(SUPPORT, unprotect=True)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert len(snapshots(life)) == 1


def test_a_final_snapshot_whose_name_is_taken_is_never_written_over(life: Teardowns) -> None:
    (state,) = [item for item in life.world.workspace.recorded(SUPPORT).resources.values() if "/instance:" in item.type]
    name, rds = str(state.inputs["finalSnapshotIdentifier"]), life.world.aws("rds")
    rds.create_db_snapshot(DBInstanceIdentifier="langgraph-cloud-support", DBSnapshotIdentifier=name)
    (outcome,) = life.run(SUPPORT, unprotect=True)
    assert "DBSnapshotAlreadyExists" in outcome.error
    assert (
        "  to do:   a snapshot has the name that the final one is to have, and may hold what is nowhere else: copy it "
        "to another name (aws rds copy-db-snapshot), delete it under this one, and run teardown again"
    ) in outcome.error
    assert life.world.kinds()["rds instance"] == 1
    assert snapshots(life) == [name]

    rds.copy_db_snapshot(SourceDBSnapshotIdentifier=name, TargetDBSnapshotIdentifier="before")
    rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    (outcome,) = life.run(SUPPORT, unprotect=True)
    assert (outcome.error, outcome.is_clean) == ("", True)
    assert set(snapshots(life)) == {"before", name}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_signal_in_the_middle_ends_the_command_and_the_next_one_takes_down_the_rest(
    life: Teardowns, number: signal.Signals, code: int
) -> None:
    words = ("teardown", SUPPORT, "--sandbox", "--unprotect", "--yes", "--json")
    before = life.world.kinds()
    first = life.world.client.next_call()
    life.world.client.set_latency([Latency(seconds=0.3, actions=("*:Delete*", "*:Deregister*"))])
    process = command(life.world, *words)
    while not any("Delete" in str(call["action"]) for call in life.world.calls(since=first)):
        wait_for_calls(life.world, 1)
    process.send_signal(number)
    output, errors = process.communicate(timeout=120)
    life.world.client.set_latency([])
    assert process.returncode == code, errors
    if number == signal.SIGINT:
        assert errors == "interrupted: run the same command again, and it goes on where it stopped\n"
    assert life.world.kinds() != before
    assert life.world.kinds()["ecs service"] or life.world.kinds()["rds instance"], "the signal came too late"

    finished = command(life.world, *words)
    output, errors = finished.communicate(timeout=120)
    assert finished.returncode == 0, output + errors
    (stack,) = json.loads(output)["stacks"]
    assert stack["sweep"]["conclusion"] == "nothing is left but 2 kept on purpose"
    assert len(snapshots(life)) == 1


def test_a_purge_that_stops_half_way_purges_the_rest_the_next_time(world: World) -> None:
    world.up(ACCOUNT).done()
    secrets = world.aws("secretsmanager")
    names = [f"langgraph-cloud/chat/{content}" for content in ("environment", "connections", "cache")]
    for name in names:
        tags = {"byoc-install": "langgraph-cloud", "byoc-deployment": "chat", "langgraph-cloud": "langgraph-cloud"}
        written = [{"Key": key, "Value": value} for key, value in tags.items()]
        secrets.create_secret(Name=name, SecretString="{}", Tags=written)
        secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    with teardowns(world) as life:
        life.world.workspace.config(CHAT)

        def run() -> bool:
            def tell(item: Told) -> None:
                told.append(item)
                if [one.action for one in told].count("secretsmanager:DeleteSecret") == 2:
                    os._exit(KILLED)

            told: list[Told] = []
            plan = life.plan(CHAT, purge_secrets=True)
            (outcome,) = tear_down([plan], life.engine, Options(purge_secrets=True), tell)
            return outcome.is_clean

        assert in_a_process(run) == KILLED
        left = life.plan(CHAT, purge_secrets=True).purged
        assert len(left) == 2
        (outcome,) = life.run(CHAT, purge_secrets=True)
        assert (outcome.error, outcome.is_clean) == ("", True)
        assert replace(life.sweep(CHAT), stack="").is_clean
