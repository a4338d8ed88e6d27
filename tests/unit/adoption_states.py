"""The sample state of the documented module, and states that differ from it in one thing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from byoc.adoption.adoption import Adoption, adopt
from byoc.adoption.found import Findings
from byoc.adoption.terraform import read_terraform_state
from byoc.project.project_file import read_project
from tests.unit.example_stacks import ROOT

SAMPLE = ROOT / "tests" / "data" / "terraform-state-sample.json"
EXTERNAL_ID = "11111111-2222-3333-4444-555555555555"
STACK = "taken"

State = dict[str, Any]


def sample() -> State:
    """The sample, parsed anew."""
    state: State = json.loads(SAMPLE.read_text())
    return state


def attributes(state: State, type_: str, name: str = "") -> dict[str, Any]:
    """The attributes of the one instance of a type (and Terraform name), to be changed in place."""
    (found,) = (
        instance["attributes"]
        for resource in state["resources"]
        if resource["mode"] == "managed" and resource["type"] == type_ and name in resource["name"]
        for instance in resource["instances"]
    )
    return dict_of(found)


def dict_of(value: Any) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


def findings(folder: Path, change: Callable[[State], object] = lambda _: None) -> Findings:
    """What is read from the sample after ``change``."""
    state = sample()
    change(state)
    path = folder / "terraform.tfstate"
    path.write_text(json.dumps(state))
    return read_terraform_state(path)


def adopted(folder: Path, change: Callable[[State], object] = lambda _: None) -> Adoption:
    """The adoption of the sample after ``change``, by this project's own program."""
    return adopt(read_project(ROOT), STACK, findings(folder, change))


def set_trust(state: State, *statements: dict[str, Any]) -> None:
    """Give the cross-account role a trust policy of these statements."""
    role = attributes(state, "aws_iam_role", "langgraph_cloud_role")
    role["assume_role_policy"] = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusts(principal: Any, external_id: Any, **more: Any) -> dict[str, Any]:
    """A statement of the documented form."""
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": principal},
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        **more,
    }
