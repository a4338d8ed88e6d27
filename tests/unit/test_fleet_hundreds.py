"""Two hundred stacks and more: the export is whole, and held in memory one file at a time."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import yaml

from byoc.fleet import deployment_settings, operator_stacks
from byoc.fleet.export import prepare
from tests.unit.fleet_projects import FleetProject, fleet

__all__ = ["fleet"]

CUSTOMERS, EACH = 40, 4
COUNT = CUSTOMERS * (EACH + 1)


@pytest.fixture
def many(fleet: FleetProject) -> FleetProject:
    """Two hundred stacks: forty customers with four deployments each."""
    for path in (fleet.root / "stacks").glob("Pulumi.*"):
        path.unlink()
    for number in range(CUSTOMERS):
        fleet.customer(f"customer-{number:02}", f"{100000000000 + number}", EACH)
    return fleet


def test_every_stack_is_in_every_format_once_after_its_account_stack(many: FleetProject) -> None:
    names = many.exported("operator")["stacks"]
    assert len(names) == len(set(names)) == COUNT == 200

    objects = [yaml.safe_load(text) for name, text in many.texts("operator").items() if name != "00-shared.yaml"]
    waits = {item["metadata"]["name"]: item["spec"].get("prerequisites") for item in objects}
    assert sorted(waits) == names
    for name, prerequisites in waits.items():
        customer = name[: len("customer-00")]
        assert prerequisites == (None if name == customer else [{"name": customer}])

    many.exported("matrix")
    jobs = yaml.safe_load(many.texts("matrix")["fleet.yml"])["jobs"]
    listed = {name: [entry["stack"] for entry in job["strategy"]["matrix"]["include"]] for name, job in jobs.items()}
    assert (len(listed["accounts-1"]), len(listed["deployments-1"])) == (CUSTOMERS, CUSTOMERS * EACH)
    assert sorted(itertools.chain(*listed.values())) == [f"acme/byoc/{name}" for name in names]

    many.exported("deployments")
    order = many.texts("deployments")["stacks.txt"].split()
    assert sorted(order) == [f"acme/byoc/{name}" for name in names]
    assert all(name.count("-") == 1 for name in order[:CUSTOMERS])
    for name in names:
        found = json.loads(many.texts("deployments")[f"{name}.json"])
        role = found["operationContext"]["oidc"]["aws"]["roleArn"]
        account = f"arn:aws:iam::{100000000000 + int(name.split('-')[1])}:role/provisioner"
        assert role == (account if name.count("-") == 1 else "arn:aws:iam::210987654321:role/control-plane")


@pytest.mark.parametrize("module", [operator_stacks, deployment_settings])
def test_a_file_is_made_when_it_is_asked_for_and_not_before(
    many: FleetProject, monkeypatch: pytest.MonkeyPatch, module: object
) -> None:
    place = "_stack_object" if module is operator_stacks else "_settings"
    made: list[str] = []
    original = getattr(module, place)

    def counted(stack, *rest):  # type: ignore[no-untyped-def]
        made.append(stack.name)
        return original(stack, *rest)

    monkeypatch.setattr(module, place, counted)
    form = "operator" if module is operator_stacks else "deployments"
    files = prepare(many.root, form).files()  # type: ignore[arg-type]
    assert made == []
    for name, text in files:
        if name.startswith("customer-"):
            assert name.startswith(made[-1])
            assert made[-1] in text or form == "deployments"
            if len(made) == 10:
                break
    assert made == [f"customer-{number // 5:02}" + (f"-{number % 5 - 1}" if number % 5 else "") for number in range(10)]


def test_an_export_of_hundreds_reads_each_stack_file_once(many: FleetProject, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = Path.read_text

    def counted(path: Path, *words: str | None, **named: str | None) -> str:
        read.append(path.name)
        return original(path, *words, **named)

    monkeypatch.setattr(Path, "read_text", counted)
    prepare(many.root, "operator").write(many.out("operator"))
    stack_files = [name for name in read if name.startswith("Pulumi.customer")]
    assert len(stack_files) == len(set(stack_files)) == COUNT
