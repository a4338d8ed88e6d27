"""Passwords, strings and ids of the random provider."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest

from byoc.sandbox.handlers.base import Handler, Properties
from byoc.sandbox.handlers.random import RandomId, RandomPassword, RandomString, random_text


class Nowhere:
    """A session of no account: any use of it fails the test."""

    account_id, region, partition = "", "", ""

    def client(self, service: str) -> Any:
        raise AssertionError(service)

    def wait(self, what: str, ready: Callable[[], bool], *, timeout: float = 0.0) -> None:
        raise AssertionError(what)


NOWHERE = Nowhere()


def born(handler: Handler, **inputs: object) -> tuple[str, Properties]:
    checked = handler.check("thing", dict(inputs), None)
    made = handler.create(NOWHERE, checked)
    handler.configure(NOWHERE, made, checked)
    outputs = handler.read(NOWHERE, made, checked)
    assert outputs is not None
    handler.delete(NOWHERE, made, {**checked, **outputs})
    return made, {**checked, **outputs}


def test_a_password_has_its_length_and_only_the_wanted_characters() -> None:
    _, outputs = born(RandomPassword(), length=40, special=False)
    assert len(outputs["result"]) == 40
    assert set(outputs["result"]) <= set(string.ascii_letters + string.digits)


def test_a_password_is_not_in_its_id_and_is_marked_secret() -> None:
    made, outputs = born(RandomPassword(), length=40)
    assert made == "none"
    assert "result" in RandomPassword.secret_outputs
    assert outputs["result"] != born(RandomPassword(), length=40)[1]["result"]


def test_a_password_that_is_known_is_read_as_it_is() -> None:
    _, outputs = born(RandomPassword(), length=40)
    assert RandomPassword().read(NOWHERE, "none", outputs) == {"result": outputs["result"]}


def test_at_least_so_many_characters_of_each_kind_are_in_a_text() -> None:
    wanted = {"minLower": 3, "minUpper": 4, "minNumeric": 5, "minSpecial": 2, "overrideSpecial": "-"}
    for _ in range(50):
        text = born(RandomString(), length=14, **wanted)[1]["result"]
        assert sum(character.islower() for character in text) == 3
        assert sum(character.isupper() for character in text) == 4
        assert sum(character.isdigit() for character in text) == 5
        assert text.count("-") == 2


def test_a_string_is_its_own_id() -> None:
    made, outputs = born(RandomString(), length=8, special=False, upper=False)
    assert made == outputs["result"]
    assert set(made) <= set(string.ascii_lowercase + string.digits)


def test_a_random_id_has_all_its_forms_behind_the_prefix() -> None:
    made, outputs = born(RandomId(), byteLength=4, prefix="p-")
    number = int(outputs["hex"].removeprefix("p-"), 16)
    assert len(outputs["hex"]) == len("p-") + 8
    assert outputs["dec"] == f"p-{number}"
    assert outputs["b64Url"] == f"p-{made}"
    assert outputs["b64Std"].endswith("=")
    assert "=" not in made


def test_every_input_replaces_what_is_random() -> None:
    old = RandomPassword().check("thing", {"length": 40}, None)
    new = RandomPassword().check("thing", {"length": 40, "keepers": {"since": "2"}}, None)
    assert RandomPassword().diff(old, new).replaces == {"keepers"}
    assert not RandomPassword().diff(old, dict(old)).changed


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"length": 3, "minLower": 4}, "length 3 is less than the 4 characters that must be in it"),
        ({"length": 3, "lower": False, "upper": False, "number": False, "special": False}, "at least one of lower"),
        ({"length": 3, "colour": "red"}, "does not act on colour"),
    ],
)
def test_a_text_that_cannot_be_is_refused(inputs: Properties, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandomPassword().check("thing", inputs, None)


def test_every_place_of_a_text_can_hold_every_character() -> None:
    inputs = {
        "length": 2,
        "lower": True,
        "minLower": 1,
        "numeric": True,
        "minNumeric": 1,
        "minSpecial": 0,
        "minUpper": 0,
    }
    texts = {random_text({**inputs, "upper": False, "special": False}) for _ in range(200)}
    assert {text[0].isdigit() for text in texts} == {True, False}, "the required characters always come first"
