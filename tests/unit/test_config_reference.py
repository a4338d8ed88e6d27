from __future__ import annotations

from typing import Any

import pytest
import yaml

from byoc.config import secret_keys
from byoc.config.common import CommonConfig
from byoc.config.keys import KINDS, every_field, fields_of, is_secret, is_text
from byoc.config.reference import render
from tests.unit.example_stacks import ROOT

PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
DECLARED: dict[str, Any] = {key: value for key, value in PROJECT["config"].items() if ":" not in key}


def test_the_committed_reference_is_what_the_models_say() -> None:
    committed = (ROOT / "docs" / "configuration.md").read_text()
    assert committed == render(), "python -m byoc.config.reference > docs/configuration.md"


def test_every_key_of_every_section_is_in_the_reference_with_its_meaning() -> None:
    text = render()
    for section, key, name in every_field():
        description = section.model_fields[name].description
        assert description, f"{section.__name__}.{name}"
        assert description.endswith("."), f"{section.__name__}.{name}"
        assert f"| `{key}` |" in text


def test_secret_keys_are_marked_as_such() -> None:
    for line in render().splitlines():
        key = line.removeprefix("| `").partition("`")[0]
        if line.startswith("| `") and key in secret_keys():
            assert "**secret**" in line


def test_pulumi_yaml_declares_the_keys_of_every_stack_and_no_others() -> None:
    """Pulumi requires a declared key of every stack, unless it has a default."""
    assert list(DECLARED) == list(fields_of(CommonConfig))
    for kind in KINDS.values():
        assert DECLARED.keys() <= fields_of(kind).keys()


@pytest.mark.parametrize("key", DECLARED)
def test_a_declared_key_agrees_with_the_models(key: str) -> None:
    declared = DECLARED[key]
    for kind in KINDS.values():
        field = fields_of(kind)[key]
        assert declared["type"] == ("string" if is_text(field) else "object")
        assert declared.get("secret", False) == is_secret(field)
        assert ("default" not in declared) == field.is_required()
        if is_text(field) and "default" in declared:
            assert declared["default"] == field.default
        if not is_text(field):
            assert declared["default"] == {}
    assert declared["description"]


def test_no_key_that_only_some_stacks_have_is_declared_as_secret() -> None:
    """Pulumi would require it of every stack; the program refuses unencrypted secrets by itself."""
    assert not secret_keys() & DECLARED.keys()


def test_the_project_is_laid_out_as_pulumi_expects_it() -> None:
    assert PROJECT["name"] == "byoc"
    assert PROJECT["main"] == PROJECT["stackConfigDir"] == "stacks"
    assert PROJECT["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    disabled = PROJECT["config"]["pulumi:disable-default-providers"]
    assert disabled == {"value": ["aws", "kubernetes", "random"]}
