"""Detached runs on disk: how they stand, who may read them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from byoc.automation.asked import Asked, Limits, RunOptions, Verb
from byoc.automation.locks import held
from byoc.automation.records import RunRecord, RunState, all_runs, find_run
from byoc.errors import InputError
from byoc.runs import Event, Op, Phase

EVENT = Event(op=Op.CREATE, phase=Phase.DONE, urn="urn:pulumi:a::b::c::d", type="c", seconds=1.5, changed=("x",))


def test_a_run_stands_as_its_lock_and_its_result_say(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    with record.hold():
        assert str(record.state) == RunState.RUNNING.value
    assert str(record.state) == RunState.LOST.value
    record.write("result.json", {"state": "failed", "stacks": []})
    assert str(record.state) == RunState.FAILED.value


def test_a_lock_that_another_process_inherited_keeps_the_run_alive_until_that_ends(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    with record.hold() as lock:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock.fileno()])
    try:
        assert str(record.state) == RunState.RUNNING.value
    finally:
        child.communicate(b"\n")
    assert str(record.state) == RunState.LOST.value


def test_only_the_owner_may_read_what_a_run_writes_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        record = RunRecord.create(tmp_path, {"verb": "up"})
        record.listener()(EVENT)
        record.write("result.json", {"state": "succeeded"})
    finally:
        os.umask(before)
    assert record.folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in record.folder.iterdir()}
    assert modes == dict.fromkeys(("request.json", "lock", "events.jsonl", "result.json"), 0o600)


def test_events_are_read_from_where_the_last_look_ended_and_never_half(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    assert record.events() == ([], 0)
    record.listener()(EVENT)
    found, place = record.events()
    assert found == [EVENT]
    with record.open("events.jsonl") as file:
        file.write(b'{"op": "cre')
    assert record.events(place) == ([], place)


def test_a_run_that_is_not_alive_is_not_signalled_whoever_has_its_process_id(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    record.write("process.json", {"pid": os.getpid()})
    assert record.stop() is False


def test_runs_are_listed_the_oldest_first_and_found_by_id(tmp_path: Path) -> None:
    assert list(all_runs(tmp_path)) == []
    records = [RunRecord.create(tmp_path, {"verb": "up"}) for _ in range(3)]
    assert [record.id for record in records] == [record.id for record in all_runs(tmp_path)]
    assert find_run(tmp_path, records[1].id) == records[1]
    for wrong in ("nope", "../x", ""):
        with pytest.raises(InputError, match="there is no run"):
            find_run(tmp_path, wrong)


def test_a_request_survives_being_written_down_and_config_is_not_in_it() -> None:
    options = RunOptions(parallel=3, targets=("urn",), policy_packs=("/pack",), refresh=True, message="why")
    asked = Asked(verb=Verb.UP, stacks=("a*",), options=options, limits=Limits(jobs=2, fail_fast=True))
    assert Asked.of_document(asked.document()) == asked
    telling = Asked(verb=Verb.UP, stacks=("a",), config=("k=v",), options=RunOptions(config={"k": "v"}))
    assert "v" not in str(telling.document()["options"]["config"])
    assert "k=v" not in str(telling.document())
    assert Asked(verb=Verb.DESTROY, stacks=("a*", "b"), every=True).words == "destroy a* b --all"


def test_the_lock_is_a_lock_that_the_system_lets_go_of(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    with record.hold(), (record.folder / "lock").open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_stacks_are_held_all_or_none_and_are_free_again_after(tmp_path: Path) -> None:
    with held(tmp_path, ["b"], words="up b"):
        with pytest.raises(InputError, match=f"stack 'b' is being worked on by process {os.getpid()} .byoc up b.;"):
            held(tmp_path, ["a", "b"], words="up a b").__enter__()
        with held(tmp_path, ["a", "c"], words="up a c"):
            pass
    with held(tmp_path, ["a", "b"], words="up a b"):
        pass


def test_a_process_that_inherits_a_stack_s_lock_holds_it_until_it_ends(tmp_path: Path) -> None:
    with held(tmp_path, ["a"], words="up a", run="20260101-000000-abcdef") as locks:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=locks)
    try:
        with pytest.raises(InputError, match="stack 'a' is being worked on by run 20260101-000000-abcdef"):
            held(tmp_path, ["a"], words="up a").__enter__()
    finally:
        child.communicate(b"\n")
    with held(tmp_path, ["a"], words="up a"):
        pass


def test_a_draft_that_a_kill_left_behind_spoils_no_document(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    (record.folder / "result.json.new").write_text('{"state": "suc')
    record.write("result.json", {"state": "succeeded"})
    assert record.result == {"state": "succeeded"}


def test_on_a_full_disk_a_document_stays_as_it_was(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    record.write("result.json", {"state": "failed"})
    (record.folder / "result.json.new").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        record.write("result.json", {"state": "succeeded"})
    assert record.result == {"state": "failed"}


def test_on_a_full_disk_the_engine_goes_on_though_its_events_are_not_written_down(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    (record.folder / "events.jsonl").symlink_to("/dev/full")
    record.listener()(EVENT)


@pytest.mark.parametrize("text", ["", '{"verb": ', "[]", "\xff"])
def test_a_record_that_cannot_be_read_says_nothing_and_stands_in_no_others_way(tmp_path: Path, text: str) -> None:
    good = RunRecord.create(tmp_path, {"verb": "up", "stacks": ["b"]})
    bad = RunRecord.create(tmp_path, {"verb": "up", "stacks": ["a"]})
    for name in ("request.json", "result.json", "process.json"):
        (bad.folder / name).write_text(text, encoding="latin-1")
    assert {record.id for record in all_runs(tmp_path)} == {good.id, bad.id}
    assert (bad.request, bad.result, bad.pid, bad.state.value) == ({}, None, None, "lost")
    assert not bad.was_submitted


def test_a_record_without_a_lock_is_of_no_run_that_is_alive(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    (record.folder / "lock").unlink()
    assert (record.is_alive(), record.state.value) == (False, "lost")


def test_a_run_can_be_asked_about_from_the_moment_that_others_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    written = RunRecord.write

    def write(self: RunRecord, name: str, document: Mapping[str, Any]) -> None:
        written(self, name, document)
        seen.append(f"{name}: {(self.folder / 'lock').exists()}")

    monkeypatch.setattr(RunRecord, "write", write)
    RunRecord.create(tmp_path, {"verb": "up"})
    assert seen == ["request.json: True"]


def test_a_line_of_an_event_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    record = RunRecord.create(tmp_path, {"verb": "up"})
    with record.open("events.jsonl") as file:
        file.write(b'{"op": "cre\n')
    record.listener()(EVENT)
    assert record.events()[0] == [EVENT]
