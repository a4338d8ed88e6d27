"""Broken configs: whatever is done to a valid one, it is either still valid or refused with the key that was "
"changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byoc.config import decode, load, secret_keys
from byoc.errors import ConfigError
from tests.unit.example_stacks import NAMES, raw_config

Path = tuple[str | int, ...]
MARK = "hunter2Zx9"
"""Part of every secret that is put into a config; no message may hold it."""

WRONG: tuple[object, ...] = (
    None,
    "",
    0,
    -1,
    1.5,
    True,
    10**6,
    10**400,
    [],
    {},
    [None],
    {"unknown": None},
    "no such thing",
    "x" * 100_000,
    "\0\n\ud800",
    [["deep"]] * 3,
)


def _paths(node: object, path: Path = ()) -> Iterator[Path]:
    """The path of every value in a config, the whole excepted."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from _paths(value, (*path, key))


def _put(raw: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    changed: Any = copy.deepcopy(raw)
    node = changed
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    return changed  # type: ignore[no-any-return]


def _drop(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    changed: Any = copy.deepcopy(raw)
    node = changed
    for part in path[:-1]:
        node = node[part]
    del node[path[-1]]
    return changed  # type: ignore[no-any-return]


def _load(raw: dict[str, Any]) -> ConfigError | None:
    """The error of a config; whatever else is raised fails the test."""
    try:
        load(raw, source="fuzz", encrypted=secret_keys())
    except ConfigError as caught:
        error = caught
    else:
        return None
    assert error.problems
    assert str(error).encode()
    return error


def _names(error: ConfigError, path: Path) -> bool:
    """Whether an error speaks of the key at ``path``: as the one to mend, or as what another does not go with."""
    return any(str(path[0]) in problem.render() for problem in error.problems)


ALWAYS_CHECKED = ("accountId", "region", "kind", "name", "type", "image", "externalId", "namePrefix")
"""Keys of which no wrong value below is a right one."""
CASES = [(name, path) for name in NAMES for path in _paths(raw_config(name))]


@pytest.mark.parametrize(("name", "path"), CASES, ids=[f"{name}:{'.'.join(map(str, path))}" for name, path in CASES])
def test_a_value_of_the_wrong_kind_is_refused_by_its_key(name: str, path: Path) -> None:
    raw = raw_config(name)
    for wrong in WRONG:
        error = _load(_put(raw, path, wrong))
        assert error is not None or path[0] not in ALWAYS_CHECKED
        assert error is None or _names(error, path), str(error)


@pytest.mark.parametrize(("name", "path"), CASES, ids=[f"{name}:{'.'.join(map(str, path))}" for name, path in CASES])
def test_a_key_that_is_left_out_is_optional_or_named(name: str, path: Path) -> None:
    error = _load(_drop(raw_config(name), path))
    assert error is not None or path[0] not in ("accountId", "region", "kind", "name", "type", "image") or len(path) > 1
    assert error is None or _names(error, path), str(error)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_key_is_refused_in_every_section(name: str) -> None:
    raw = raw_config(name)
    sections: list[Path] = [(), *(path for path in _paths(raw) if isinstance(_at(raw, path), dict))]
    for section in sections:
        if section and section[-1] in ("tags", "environment", "secretEnvironment", "deployments", "deploymentSecrets"):
            continue  # there the user chooses the keys
        error = _load(_put(raw, (*section, "unheardOf"), MARK))
        assert error is not None
        assert any(problem.key.endswith("unheardOf") for problem in error.problems), str(error)
        assert MARK not in str(error)


def _at(raw: object, path: Path) -> Any:
    for part in path:
        raw = raw[part]  # type: ignore[index]
    return raw


@pytest.mark.parametrize("name", NAMES)
def test_another_kind_names_the_keys_that_do_not_belong_to_it(name: str) -> None:
    raw = raw_config(name)
    other = "deployment" if raw["kind"] == "account" else "account"
    error = _load({**raw, "kind": other})
    assert error is not None
    assert any(problem.remedy == f"remove it: it is a key of kind {raw['kind']}" for problem in error.problems)


broken = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["development", "internet-facing", "10.0.0.0/16", "us-west-2", "db.t4g.micro", "custom", "none"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(data=st.data())
def test_several_broken_values_at_once_are_refused_with_nothing_but_a_config_error(data: st.DataObject) -> None:
    name, path = data.draw(st.sampled_from(CASES))
    raw = _put(raw_config(name), path, data.draw(broken))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.sampled_from(list(_paths(raw)) or [("kind",)]))
        raw = _put(raw, place, data.draw(broken))
    _load(raw)


@settings(max_examples=100)
@given(data=st.data())
def test_no_secret_is_in_a_message_whatever_it_looks_like(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    raw = raw_config(name)
    key = data.draw(st.sampled_from(sorted(secret_keys())))
    text = f"{MARK}{data.draw(st.text(max_size=10))}"
    secret = data.draw(
        st.sampled_from(
            [text, [text], {"TOKEN": text}, {"TOKEN": [text]}, {"chat": {"licenseKey": [text]}}, {"PATH": text}]
        )
    )
    for wrong in ({**raw, key: secret}, {**raw, key: secret, "kind": "other"}, {**raw, f"{key}s": secret}):
        error = _load(wrong)
        assert error is None or MARK not in str(error)


@settings(max_examples=100)
@given(values=st.dictionaries(st.sampled_from(["kind", "size", "tags", "network", "name", "x"]), st.text(max_size=12)))
def test_whatever_pulumi_hands_over_is_decoded(values: dict[str, str]) -> None:
    _load(decode(values))


@pytest.mark.parametrize("name", NAMES)
def test_a_config_survives_the_way_through_pulumis_texts(name: str) -> None:
    raw = raw_config(name)
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in raw.items()}
    assert decode(texts) == raw
