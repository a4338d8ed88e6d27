"""The engine alone, against a made-up cloud: what it decides, in which order it acts, what it writes down."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pulumi
import pytest

from byoc.errors import ByocError
from byoc.program_run import Program
from byoc.runs import RunResult
from byoc.sandbox.engine import Engine
from byoc.sandbox.state import StackState
from byoc.sandbox.state_crypto import StateCrypter
from tests.sandbox.fake_cloud import FakeCloud, FakeProvider, FakeResource, aws_error, cloud

assert cloud  # the fixture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def make_engine(folder: Path, cloud: FakeCloud) -> Engine:
    return Engine(state=StackState(folder, "dev", StateCrypter.of_folder(folder)), cloud=cloud)


def up(folder: Path, cloud: FakeCloud, main: Callable[[], None]) -> RunResult:
    return make_engine(folder, cloud).up(Program(main=main, project="byoc"))


def preview(folder: Path, cloud: FakeCloud, main: Callable[[], None]) -> RunResult:
    return make_engine(folder, cloud).preview(Program(main=main, project="byoc"))


def chain(*, shape: str = "round", label: str = "b", protect: bool = False, second: bool = True) -> Callable[[], None]:
    """``a``, and ``b`` that stands on it."""

    def main() -> None:
        with_provider = pulumi.ResourceOptions(provider=FakeProvider("p"), protect=protect)
        first = FakeResource("a", shape=shape, opts=with_provider)
        if second:
            FakeResource("b", label=label, on=first.id, opts=with_provider)
        pulumi.export("arn", first.arn)

    return main


def ops(result: RunResult) -> list[tuple[str, str]]:
    return [(step.op.value, step.urn.rsplit("::", 1)[1]) for step in result.steps]


def test_a_second_up_is_all_unchanged_and_calls_nothing(folder: Path, cloud: FakeCloud) -> None:
    first = up(folder, cloud, chain())
    assert first.counts == {"created": 3, "updated": 0, "replaced": 0, "deleted": 0, "retained": 0, "unchanged": 0}
    assert first.outputs == {"arn": "arn:thing-0"}
    cloud.calls.clear()
    second = up(folder, cloud, chain())
    assert second.counts == {"created": 0, "updated": 0, "replaced": 0, "deleted": 0, "retained": 0, "unchanged": 3}
    assert cloud.calls == []


def test_a_preview_changes_nothing_and_leaves_unknown_outputs_unknown(folder: Path, cloud: FakeCloud) -> None:
    result = preview(folder, cloud, chain())
    assert ops(result) == [("create", "p"), ("create", "a"), ("create", "b")]
    assert result.document()["outputs"] == {"arn": "[unknown]"}
    assert (cloud.calls, cloud.things) == ([], {})
    assert up(folder, cloud, chain()).counts["created"] == 3


def test_a_preview_of_an_update_keeps_what_the_update_keeps(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, chain())
    cloud.calls.clear()
    result = preview(folder, cloud, chain(label="c"))
    assert ops(result) == [("update", "b")]
    assert result.steps[0].changed == ("label",)
    assert result.outputs == {"arn": "arn:thing-0"}
    assert cloud.calls == []


def test_a_changed_input_is_an_update_in_place(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, chain())
    cloud.calls.clear()
    assert ops(up(folder, cloud, chain(label="c"))) == [("update", "b")]
    assert cloud.calls == ["update c", "read c"]


def test_a_replacement_is_made_before_the_old_one_goes_and_takes_dependants_along(
    folder: Path, cloud: FakeCloud
) -> None:
    up(folder, cloud, chain())
    cloud.calls.clear()
    assert ops(up(folder, cloud, chain(shape="square"))) == [("replace", "a"), ("replace", "b")]
    makes = [call for call in cloud.calls if not call.startswith(("read", "configure"))]
    assert makes == ["make thing a", "make thing b", "delete b", "delete a"]
    assert sorted(cloud.things) == ["thing-2", "thing-3"]


def test_a_fixed_name_is_freed_before_its_replacement_is_made(folder: Path, cloud: FakeCloud) -> None:
    def main(shape: str) -> Callable[[], None]:
        def body() -> None:
            options = pulumi.ResourceOptions(provider=FakeProvider("p"))
            first = FakeResource("a", name="fixed", shape=shape, opts=options)
            FakeResource("b", on=first.id, opts=options)

        return body

    up(folder, cloud, main("round"))
    cloud.calls.clear()
    result = up(folder, cloud, main("square"))
    assert ops(result) == [("replace", "a"), ("replace", "b")]
    makes = [call for call in cloud.calls if not call.startswith(("read", "configure"))]
    assert makes == ["delete b", "delete a", "make thing a", "make thing b"]
    assert [thing["name"] for thing in cloud.things.values()].count("fixed") == 1


def test_what_is_gone_from_the_program_is_deleted_dependants_first(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, chain())
    cloud.calls.clear()
    assert ops(up(folder, cloud, chain(second=False))) == [("delete", "b")]
    assert cloud.calls == ["delete b"]


def test_destroy_deletes_dependants_first_and_leaves_no_state(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, chain())
    cloud.calls.clear()
    result = make_engine(folder, cloud).destroy()
    assert (result.ok, result.counts["deleted"], cloud.things) == (True, 3, {})
    assert cloud.calls == ["delete b", "delete a"]
    assert not list(folder.glob("dev.json"))
    assert not list(folder.glob("dev.journal"))


def test_protect_refuses_a_destroy_as_a_whole(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, chain(protect=True))
    with pytest.raises(ByocError, match="protected resources: a, b; nothing was deleted"):
        make_engine(folder, cloud).destroy()
    assert len(cloud.things) == 2


def test_protect_refuses_a_delete_and_a_replacement(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, chain(protect=True))
    gone = up(folder, cloud, chain(protect=True, second=False))
    assert [failure.error for failure in gone.failures] == ["'b' is protected and no longer in the program"]
    replaced = up(folder, cloud, chain(protect=True, shape="square"))
    assert "a change of shape would replace 'a', which is protected" in replaced.failures[0].error
    assert sorted(cloud.things) == ["thing-0", "thing-1"]


def test_a_replacement_that_would_lose_data_is_refused(folder: Path, cloud: FakeCloud) -> None:
    def main(shape: str) -> Callable[[], None]:
        return lambda: (
            FakeResource("db", kind="Database", shape=shape, opts=pulumi.ResourceOptions(provider=FakeProvider("p"))),
            None,
        )[1]

    up(folder, cloud, main("round"))
    result = up(folder, cloud, main("square"))
    assert result.failures[0].error == "a change of shape would replace 'db': its data would be lost"
    assert list(cloud.things) == ["thing-0"]
    assert make_engine(folder, cloud).destroy().kept == ("snapshot of db",)


def test_a_failure_stops_what_depends_on_it_and_lets_the_rest_finish(folder: Path, cloud: FakeCloud) -> None:
    def main() -> None:
        options = pulumi.ResourceOptions(provider=FakeProvider("p"))
        first = FakeResource("a", opts=options)
        FakeResource("b", on=first.id, opts=options)
        FakeResource("other", opts=options)

    def deny(_index: int, call: str, when: str) -> None:
        if call == "make thing a" and when == "before":
            raise aws_error("AccessDenied")

    cloud.on_call = deny
    result = up(folder, cloud, main)
    assert not result.ok
    assert [(f.urn.rsplit("::", 1)[1], f.op, f.action, f.error) for f in result.failures] == [
        ("a", "create", "fake:Call", "AccessDenied: made up")
    ]
    assert "grant fake:Call" in result.failures[0].remedy
    assert [urn.rsplit("::", 1)[1] for urn in result.skipped] == ["b"]
    assert [thing["label"] for thing in cloud.things.values()] == ["other"]
    cloud.on_call = lambda _index, _call, _when: None
    assert ops(up(folder, cloud, main)) == [("create", "a"), ("create", "b")]


def test_nothing_is_deleted_in_a_run_with_failures(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, chain())

    def refuse(_index: int, call: str, _when: str) -> None:
        if call == "make thing b":
            raise aws_error("LimitExceeded")

    cloud.on_call = refuse
    assert not up(folder, cloud, chain(shape="square")).ok
    assert "thing-0" in cloud.things, "the old one is still needed by what failed to move"
    assert "thing-1" in cloud.things
    cloud.on_call = lambda _index, _call, _when: None
    assert up(folder, cloud, chain(shape="square")).ok
    assert sorted(thing["label"] for thing in cloud.things.values()) == ["a", "b"]


@pytest.mark.parametrize(("when", "status"), [("before", 400), ("after", 400), ("before", 503), ("after", 503)])
def test_throttles_and_server_errors_at_a_create_make_nothing_twice(
    folder: Path, cloud: FakeCloud, when: str, status: int
) -> None:
    failed: list[str] = []

    def once(_index: int, call: str, moment: str) -> None:
        if call.startswith("make") and moment == when and call not in failed:
            failed.append(call)
            raise aws_error("Throttling" if status == 400 else "InternalFailure", status)

    cloud.on_call = once
    assert up(folder, cloud, chain()).ok
    assert len(failed) == 2
    assert sorted(thing["label"] for thing in cloud.things.values()) == ["a", "b"]


def test_things_that_share_an_id_are_each_deleted(folder: Path, cloud: FakeCloud) -> None:
    def main(shape: str) -> Callable[[], None]:
        def body() -> None:
            FakeResource("a", kind="Numbered", shape=shape, opts=pulumi.ResourceOptions(provider=FakeProvider("p")))

        return body

    def refuse_deletes(_index: int, call: str, _when: str) -> None:
        if call.startswith("delete"):
            raise aws_error("Sorry")

    up(folder, cloud, main("round"))
    cloud.on_call = refuse_deletes
    assert not up(folder, cloud, main("square")).ok
    assert not up(folder, cloud, main("oval")).ok
    assert sorted(cloud.things) == ["thing-0", "thing-1", "thing-2"]
    cloud.on_call = lambda _index, _call, _when: None
    assert make_engine(folder, cloud).destroy().ok
    assert cloud.things == {}


ACTS: tuple[Callable[[], None] | None, ...] = (chain(), chain(shape="square", label="c"), None)
"""A life: made, changed with a replacement, destroyed (None)."""
LABELS: tuple[list[str], ...] = (["a", "b"], ["a", "c"], [])


def live(folder: Path, cloud: FakeCloud, act: Callable[[], None] | None) -> bool:
    engine = make_engine(folder, cloud)
    return (engine.destroy() if act is None else engine.up(Program(main=act, project="byoc"))).ok


def in_a_process(act: Callable[[], bool]) -> int:
    """Run ``act`` in a forked process: its exit code, 9 if it was killed."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if act() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_life_killed_at_every_call_converges(tmp_path: Path, cloud: FakeCloud, when: str) -> None:
    starts = []
    for act in ACTS:
        starts.append(len(cloud.calls))
        assert live(tmp_path, cloud, act)
    total = len(cloud.calls)
    assert total > 10
    for k in range(total):
        folder = tmp_path / f"killed-{k}"
        folder.mkdir()
        cloud.path = folder / "cloud.json"
        kills = 0
        for act, labels, begins in zip(ACTS, LABELS, starts, strict=True):

            def kill(index: int, _call: str, moment: str, doomed: int = k - begins) -> None:
                if index == doomed and moment == when:
                    os._exit(9)

            cloud.calls.clear()
            cloud.reload()
            cloud.on_call = kill if not kills else lambda _index, _call, _when: None
            code = in_a_process(partial(live, folder, cloud, act))
            assert code in (0, 9)
            if code == 9:
                kills += 1
                cloud.on_call = lambda _index, _call, _when: None
                cloud.reload()
                assert in_a_process(partial(live, folder, cloud, act)) == 0
            cloud.reload()
            assert cloud_labels(cloud) == labels, f"killed {when} call {k}"
        assert kills == 1, f"call {k} was never reached"


def cloud_labels(cloud: FakeCloud) -> list[str]:
    return sorted(thing["label"] for thing in cloud.things.values())


def test_secrets_are_encrypted_in_state_and_hidden_in_results(folder: Path, cloud: FakeCloud) -> None:
    def main() -> None:
        thing = FakeResource(
            "a", password=pulumi.Output.secret("hunter2"), opts=pulumi.ResourceOptions(provider=FakeProvider("p"))
        )
        pulumi.export("password", pulumi.Output.secret("hunter2"))
        pulumi.export("label", thing.label)

    result = up(folder, cloud, main)
    assert result.document()["outputs"] == {"password": "[secret]", "label": "a"}
    assert "hunter2" not in json.dumps(result.document())
    for path in folder.iterdir():
        assert b"hunter2" not in path.read_bytes(), path
    assert next(iter(cloud.things.values()))["password"] == "hunter2"
    assert up(folder, cloud, main).counts["unchanged"] == 2


def test_a_resource_without_explicit_provider_is_refused(folder: Path, cloud: FakeCloud) -> None:
    result = up(folder, cloud, lambda: (FakeResource("a"), None)[1])
    assert "default provider for 'fake' is disabled: 'a' must use an explicit provider" in result.failures[0].error
    assert cloud.calls == []


def test_a_type_without_handler_is_an_error(folder: Path, cloud: FakeCloud) -> None:
    result = up(
        folder,
        cloud,
        lambda: (FakeResource("a", kind="Nothing", opts=pulumi.ResourceOptions(provider=FakeProvider("p"))), None)[1],
    )
    assert "the sandbox has no handler for fake:index:Nothing" in result.failures[0].error


def test_a_stack_never_moves_to_another_region(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, lambda: (FakeProvider("p"), None)[1])
    result = up(folder, cloud, lambda: (FakeProvider("p", region="eu-west-1"), None)[1])
    assert "this stack lives in region us-west-2; the config now says eu-west-1" in result.failures[0].error


def test_default_tags_reach_the_resource_and_an_own_tag_wins(folder: Path, cloud: FakeCloud) -> None:
    def main() -> None:
        options = pulumi.ResourceOptions(provider=FakeProvider("p"))
        FakeResource("a", opts=options)
        FakeResource("b", tags={"team": "b"}, opts=options)

    up(folder, cloud, main)
    assert [thing["tagsAll"] for thing in sorted(cloud.things.values(), key=lambda t: str(t["label"]))] == [
        {"team": "a"},
        {"team": "b"},
    ]


def test_retain_on_delete_leaves_the_thing_and_says_so(folder: Path, cloud: FakeCloud) -> None:
    def main() -> None:
        FakeResource("a", opts=pulumi.ResourceOptions(provider=FakeProvider("p"), retain_on_delete=True))

    up(folder, cloud, main)
    result = make_engine(folder, cloud).destroy()
    assert result.counts["retained"] == 1
    assert result.kept == ("Thing thing-0",)
    assert list(cloud.things) == ["thing-0"]


def test_ignored_changes_keep_what_is_recorded(folder: Path, cloud: FakeCloud) -> None:
    def main(label: str) -> Callable[[], None]:
        options = {"ignore_changes": ["label"]}
        return lambda: (
            FakeResource("a", label=label, opts=pulumi.ResourceOptions(provider=FakeProvider("p"), **options)),  # type: ignore[arg-type]
            None,
        )[1]

    up(folder, cloud, main("one"))
    assert up(folder, cloud, main("two")).counts["unchanged"] == 2


def test_an_alias_keeps_a_renamed_resource(folder: Path, cloud: FakeCloud) -> None:
    def main(name: str) -> Callable[[], None]:
        def body() -> None:
            FakeResource(
                name,
                label="same",
                opts=pulumi.ResourceOptions(provider=FakeProvider("p"), aliases=[pulumi.Alias(name="old")]),
            )

        return body

    up(folder, cloud, main("old"))
    result = up(folder, cloud, main("new"))
    assert (result.counts["unchanged"], result.counts["created"], list(cloud.things)) == (2, 0, ["thing-0"])


def test_two_runs_of_one_stack_at_a_time_are_refused(folder: Path, cloud: FakeCloud) -> None:
    state = StackState(folder, "dev", StateCrypter.of_folder(folder))
    with state.exclusive(), pytest.raises(ByocError, match="is being changed by another process"):
        up(folder, cloud, chain())


def test_after_a_stop_nothing_new_is_begun_and_the_next_run_goes_on(folder: Path, cloud: FakeCloud) -> None:
    engine = make_engine(folder, cloud)

    def stop(_index: int, call: str, when: str) -> None:
        if (call, when) == ("make thing a", "after"):
            engine.stop.set()

    cloud.on_call = stop
    result = engine.up(Program(main=chain(), project="byoc"))
    assert [urn.rsplit("::", 1)[1] for urn in result.skipped] == ["b"]
    assert cloud_labels(cloud) == ["a"]
    cloud.on_call = lambda _index, _call, _when: None
    assert ops(up(folder, cloud, chain())) == [("create", "b")]


def test_an_exception_of_the_program_is_reported_and_deletes_nothing(folder: Path, cloud: FakeCloud) -> None:
    up(folder, cloud, chain())

    def broken() -> None:
        FakeProvider("p")
        raise KeyError("oops")

    result = up(folder, cloud, broken)
    assert result.failures[0].error.startswith("KeyError: 'oops'")
    assert len(cloud.things) == 2


def test_independent_resources_are_made_at_the_same_time(folder: Path, cloud: FakeCloud) -> None:
    import threading

    together = threading.Barrier(8, timeout=10)

    class Waiting(FakeCloud):
        def call(self, name: str, act: Callable[[], object]) -> object:
            if name.startswith("make"):
                together.wait()
            return super().call(name, act)

    cloud.__class__ = Waiting

    def main() -> None:
        options = pulumi.ResourceOptions(provider=FakeProvider("p"))
        for index in range(8):
            FakeResource(f"thing{index}", opts=options)

    assert up(folder, cloud, main).counts["created"] == 9
