"""Which stacks a command means, which are in the backend, and which go first."""

from __future__ import annotations

from pathlib import Path

import pytest

from byoc.automation.selection import in_the_backend, layers, waits_for
from byoc.errors import InputError
from byoc.project.project_file import Project, read_project
from byoc.project.stack_selection import Selection, select_stacks

ACME, OTHER = "111111111111", "222222222222"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two accounts, two deployments in the first, one whose account cannot be read."""
    (tmp_path / "Pulumi.yaml").write_text("name: byoc\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n")
    (tmp_path / "stacks").mkdir()
    for stack, kind, account in (
        ("acme", "account", f'"{ACME}"'),
        ("acme-chat", "deployment", f'"{ACME}"'),
        ("acme-support", "deployment", f'"{ACME}"'),
        ("other", "account", f'"{OTHER}"'),
        ("sealed", "deployment", "{secure: v1:a:b}"),
    ):
        text = f"config:\n  byoc:kind: {kind}\n  byoc:accountId: {account}\n"
        (tmp_path / "stacks" / f"Pulumi.{stack}.yaml").write_text(text)
    return read_project(tmp_path)


def picked(*stacks: str, by_pattern: bool = False) -> Selection:
    return Selection(stacks=stacks, by_pattern=by_pattern)


def test_names_patterns_and_all_pick_stacks_in_the_order_in_which_they_are_named_and_each_once(
    project: Project,
) -> None:
    assert select_stacks(project, ["other", "acme"], every=False) == picked("other", "acme")
    assert select_stacks(project, ["acme-*", "acme-chat"], every=False) == picked(
        "acme-chat", "acme-support", by_pattern=True
    )
    assert select_stacks(project, ["acm[e]"], every=False) == picked("acme", by_pattern=True)
    assert len(select_stacks(project, [], every=True).stacks) == 5


@pytest.mark.parametrize(
    ("words", "every", "message"),
    [
        ([], False, "name the stacks to run, or all of them with --all, but not both"),
        (["acme"], True, "name the stacks to run, or all of them with --all, but not both"),
        (["acme", "acmee"], False, "there is no stack 'acmee'"),
        (["b*"], False, "there is no stack like 'b*'"),
    ],
)
def test_what_names_no_stack_is_refused_and_the_known_ones_are_listed(
    project: Project, words: list[str], every: bool, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        select_stacks(project, words, every=every)
    assert message in str(caught.value)
    assert "acme, acme-chat, acme-support, other, sealed" in str(caught.value)


def test_a_stack_that_is_not_in_the_backend_is_refused_or_made_and_nothing_else_is_begun() -> None:
    selection = picked("a", "b")
    with pytest.raises(InputError, match="not in the backend, though there is a file: b; nothing was run") as caught:
        in_the_backend(selection, {"a"}, undoing=False, init=False)
    assert "pulumi stack init b" in str(caught.value)
    assert "--init" in str(caught.value)
    assert in_the_backend(selection, {"a"}, undoing=False, init=True) == (selection, ("b",))
    assert in_the_backend(selection, {"a", "b", "c"}, undoing=False, init=True) == (selection, ())


def test_where_there_is_nothing_to_undo_a_pattern_leaves_a_stack_out_and_a_name_is_refused() -> None:
    matched = picked("a", "b", by_pattern=True)
    assert in_the_backend(matched, {"a"}, undoing=True, init=False) == (picked("a", by_pattern=True), ())
    with pytest.raises(InputError) as caught:
        in_the_backend(picked("a", "b"), {"a"}, undoing=True, init=True)
    assert "--init" not in str(caught.value)


def test_an_account_goes_before_its_deployments_and_is_undone_after_them(project: Project) -> None:
    stacks = ["acme-chat", "acme", "other"]
    assert waits_for(project, stacks, undoing=False) == {
        "acme-chat": frozenset({"acme"}),
        "acme": frozenset(),
        "other": frozenset(),
    }
    assert waits_for(project, stacks, undoing=True) == {
        "acme-chat": frozenset(),
        "acme": frozenset({"acme-chat"}),
        "other": frozenset(),
    }


def test_a_deployment_whose_account_cannot_be_read_waits_for_every_account(project: Project) -> None:
    assert waits_for(project, ["acme", "other", "sealed"], undoing=False)["sealed"] == {"acme", "other"}


def test_a_deployment_waits_only_for_accounts_that_are_run_too(project: Project) -> None:
    assert waits_for(project, ["acme-chat", "other"], undoing=False)["acme-chat"] == frozenset()


def test_layers_hold_what_can_be_done_together() -> None:
    waits = {"d": frozenset({"a"}), "a": frozenset[str](), "b": frozenset[str](), "e": frozenset({"d", "b"})}
    assert layers(waits) == [["a", "b"], ["d"], ["e"]]
