"""The names that live in customers' states, and what must hold for every example stack."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.components.harness import Registration
from tests.components.programs import assert_components_register_their_outputs, assert_only_our_providers
from tests.golden.examples import FOLDER, RENEW, ROOT, STACKS, as_text, document_of, golden_file, recorded

PHYSICAL_NAMES = ("name", "identifier")
"""Inputs that name a thing in the account; a task definition's name is its family."""
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"

every_stack = pytest.mark.parametrize("stack", STACKS)


def test_there_are_examples() -> None:
    assert STACKS == ("adopted-vpc", "all-in-one", "demo-account", "demo-chat", "demo-support")


@every_stack
def test_types_names_parents_protection_and_aliases_are_as_recorded(stack: str) -> None:
    path = golden_file(stack)
    assert path.exists(), f"{path.name} is missing: {RENEW}"
    before = {_key(entry): entry for entry in json.loads(path.read_text())["resources"]}
    document = document_of(recorded(stack))
    after = {_key(entry): entry for entry in document["resources"]}
    gone = sorted(before.keys() - after.keys())
    new = sorted(after.keys() - before.keys())
    moved = [f"{before[key]} is now {after[key]}" for key in before.keys() & after.keys() if before[key] != after[key]]
    assert [*gone, *new, *moved] == [], (
        f"{stack}: what customers' states hold has changed.\n"
        f"gone (deleted by the next 'pulumi up'): {gone}\nnew: {new}\nchanged: {moved}\n"
        "A rename or a new parent needs an alias. If all of it is meant, renew the golden files and review the "
        f"difference: {RENEW}"
    )
    assert path.read_text() == as_text(document), f"{path.name} is not as {RENEW} writes it"


def _key(entry: dict[str, Any]) -> str:
    return f"{entry['type']} {entry['name']}"


def test_no_golden_file_is_left_of_a_stack_that_is_gone() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == list(STACKS), f"run {RENEW}"


@every_stack
def test_every_resource_and_look_up_goes_through_a_provider_of_ours(stack: str) -> None:
    recording = recorded(stack)
    assert recording.custom
    assert recording.calls
    assert_only_our_providers(recording)
    assert_components_register_their_outputs(recording)
    providers = [r for r in recording.registrations if r.type.startswith("pulumi:providers:")]
    assert sorted(r.type for r in providers) == ["pulumi:providers:aws", "pulumi:providers:random"]


@every_stack
def test_no_two_things_of_a_kind_have_one_physical_name(stack: str) -> None:
    named = [
        (registration.type, registration.plain.get("vpcId"), registration.plain.get("role"), str(name))
        for registration in recorded(stack).custom
        for name in _physical_names(registration)
    ]
    assert named
    assert [found for found, count in Counter(named).items() if count > 1] == []


def test_no_physical_name_is_shared_by_the_stacks_of_one_account() -> None:
    """The account stack and both deployments live in one account and region."""
    named = Counter(
        (registration.type, str(name))
        for stack in ("demo-account", "demo-chat", "demo-support")
        for registration in recorded(stack).custom
        for name in _physical_names(registration)
    )
    assert [found for found, count in named.items() if count > 1] == []


def _physical_names(registration: Registration) -> Iterator[str]:
    keys = (*PHYSICAL_NAMES, "family") if registration.type == TASK_DEFINITION else PHYSICAL_NAMES
    for key in keys:
        if registration.plain.get(key):
            yield str(registration.plain[key])


@every_stack
def test_no_child_is_named_by_place_in_a_list(stack: str) -> None:
    """A logical name that ends in a list index would move to another thing when the list changes."""
    offenders = [r.name for r in recorded(stack).registrations if re.search(r"-\d{1,2}$", r.name)]
    assert offenders == []


def test_component_type_tokens_are_literals_of_one_form() -> None:
    tokens: list[str] = []
    for path in sorted((ROOT / "byoc" / "components").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and any("ComponentResource" in ast.unparse(base) for base in node.bases):
                token = _token_of(node)
                assert token == f"byoc:index:{node.name}", f"{path.name}: {node.name} has the token {token}"
                tokens.append(token)
    assert len(tokens) == len(set(tokens))
    seen = {r.type for stack in STACKS for r in recorded(stack).registrations if r.type.startswith("byoc:")}
    assert seen <= set(tokens)


def _token_of(component: ast.ClassDef) -> str | None:
    """The literal that the constructor gives to ``super().__init__``."""
    for node in ast.walk(component):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
            first = node.args[0]
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return None
