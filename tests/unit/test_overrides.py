"""Config values given on the command line."""

from __future__ import annotations

import json

import pytest

from byoc.errors import InputError
from byoc.sandbox.overrides import with_overrides

CONFIG = {"byoc:image": "a/b:1", "byoc:database": '{"storageGb": 50}'}


def test_a_key_without_namespace_belongs_to_the_project() -> None:
    assert with_overrides(CONFIG, ["image=a/b:2"], "byoc")["byoc:image"] == "a/b:2"


def test_a_value_may_hold_an_equals_sign() -> None:
    assert with_overrides({}, ["byoc:x=a=b"], "byoc") == {"byoc:x": "a=b"}


def test_a_path_changes_one_part_of_an_object_and_keeps_the_rest() -> None:
    found = with_overrides(CONFIG, ["byoc:database.deletionProtection=false"], "byoc")["byoc:database"]
    assert json.loads(found) == {"storageGb": 50, "deletionProtection": False}


def test_a_path_makes_the_objects_on_its_way() -> None:
    found = with_overrides({}, ['byoc:runtime.loadBalancer.allowedCidrs=["10.0.0.0/8"]'], "byoc")["byoc:runtime"]
    assert json.loads(found) == {"loadBalancer": {"allowedCidrs": ["10.0.0.0/8"]}}


@pytest.mark.parametrize("override", ["image", "=x", "byoc:image.tag=2"])
def test_what_is_no_pair_or_no_path_is_refused(override: str) -> None:
    with pytest.raises(InputError, match="mend it"):
        with_overrides(CONFIG, [override], "byoc")
