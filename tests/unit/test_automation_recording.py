"""Records of runs that somebody waits for: what they tell, and how many are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from byoc.automation.recording import prune, recorded, recorded_run
from byoc.automation.records import RunRecord, RunState, all_runs
from byoc.errors import InputError
from byoc.runs import Event, Listener, Op, Phase, RunResult

EVENT = Event(op=Op.CREATE, phase=Phase.DONE, urn="urn:pulumi:a::b::c::d", type="c", seconds=1.5, changed=("x",))
REQUEST = {"verb": "up", "stacks": ["chat"], "asked": "up chat"}


def only(root: Path) -> RunRecord:
    (found,) = all_runs(root)
    return found


def test_a_run_is_seen_while_it_lasts_with_its_events_and_its_end(tmp_path: Path) -> None:
    told: list[Event] = []
    with recorded(tmp_path, REQUEST) as recording:
        recording.listener(told.append)(EVENT)
        record = only(tmp_path)
        assert (record.state, record.pid, record.events()[0]) == (RunState.RUNNING, os.getpid(), [EVENT])
        recording.ended({"state": "succeeded", "stacks": []})
    assert (only(tmp_path).state, told) == (RunState.SUCCEEDED, [EVENT])


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (InputError("no such image"), {"state": "failed", "stacks": [], "error": "no such image"}),
        (KeyboardInterrupt(), {"state": "interrupted", "stacks": []}),
    ],
)
def test_an_error_that_ends_a_run_is_written_down_and_raised(
    tmp_path: Path, error: BaseException, result: dict[str, object]
) -> None:
    with pytest.raises(type(error)), recorded(tmp_path, REQUEST):
        raise error
    assert only(tmp_path).result == result


def test_a_fault_leaves_its_reason_and_the_place_where_it_happened(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), recorded(tmp_path, REQUEST):
        raise ZeroDivisionError("no way")
    record = only(tmp_path)
    assert record.result is not None
    assert record.result["error"].splitlines()[0] == "ZeroDivisionError: no way"
    assert "test_automation_recording.py" in (record.folder / "log.txt").read_text()


def test_a_run_whose_process_is_killed_is_lost(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib; from byoc.automation.recording import recorded\n"
        "with recorded(pathlib.Path(sys.argv[1]), {'verb': 'up', 'stacks': ['chat'], 'asked': 'up chat'}):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert only(tmp_path).state is RunState.LOST


def leave(root: Path, run_id: str, *stacks: str, attached: bool = True) -> RunRecord:
    return RunRecord.create(root, {**REQUEST, "stacks": stacks, **({"attached": True} if attached else {})}, run_id)


def test_the_oldest_records_go_but_never_the_last_of_a_stack_a_detached_one_or_one_under_way(tmp_path: Path) -> None:
    leave(tmp_path, "20260501-080000-a", "support")
    leave(tmp_path, "20260501-080001-b", "chat")
    leave(tmp_path, "20260501-080002-c", "chat", attached=False)
    busy = leave(tmp_path, "20260501-080003-d", "chat")
    leave(tmp_path, "20260501-080004-e", "chat")
    leave(tmp_path, "20260501-080005-f", "chat")
    with busy.hold():
        prune(tmp_path, kept=1)
        assert [record.id[-1] for record in all_runs(tmp_path)] == ["a", "c", "d", "f"]
    prune(tmp_path, kept=1)
    assert [record.id[-1] for record in all_runs(tmp_path)] == ["a", "c", "f"]
    assert [path.name for path in (tmp_path / ".byoc").iterdir()] == ["runs"]


def test_a_run_that_begins_removes_what_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byoc.automation.recording.KEPT", 2)
    for _ in range(4):
        with recorded(tmp_path, REQUEST) as recording:
            recording.ended({"state": "succeeded", "stacks": []})
    assert len(list(all_runs(tmp_path))) == 2


def test_a_run_of_one_stack_leaves_what_came_of_it_and_nothing_if_its_input_was_wrong(tmp_path: Path) -> None:
    def wrong(_listener: Listener) -> RunResult:
        raise InputError("no such stack")

    with pytest.raises(InputError):
        recorded_run(tmp_path, "demo-chat", wrong, verb="up", asked="sandbox up demo-chat")
    assert list(all_runs(tmp_path)) == []

    def cut_short(_listener: Listener) -> RunResult:
        return RunResult(stack="demo-chat", interrupted=True)

    outcome = recorded_run(tmp_path, "demo-chat", cut_short, verb="up", asked="sandbox up demo-chat")
    record = only(tmp_path)
    assert (outcome.outcome.value, record.state.value, record.request["asked"]) == (
        "interrupted",
        "interrupted",
        "sandbox up demo-chat",
    )
