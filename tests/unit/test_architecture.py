"""The arrows between the rooms: who may import whom, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = ("assembly", "components", "config", "exports", "lookups", "provider", "stack_config")


def modules(*rooms: str) -> list[Path]:
    found = [path for room in rooms for path in [ROOT / "byoc" / f"{room}.py", *(ROOT / "byoc" / room).rglob("*.py")]]
    return [path for path in found if path.is_file()]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    ("rooms", "forbidden"),
    [
        (
            ("components",),
            ("boto3", "botocore", "moto", "byoc.sandbox", "byoc.cli", "byoc.assembly", "byoc.stack_config"),
        ),
        (("config",), ("boto3", "botocore", "pulumi_aws", "byoc.components", "byoc.sandbox", "byoc.cli")),
        (
            ("permissions",),
            ("pulumi", "boto3", "byoc.components", "byoc.config", "byoc.sandbox", "byoc.naming", "byoc.errors"),
        ),
        (PRODUCTION, ("boto3", "moto", "byoc.sandbox", "byoc.cli")),
        (
            ("policy",),
            ("boto3", "pulumi_aws", "byoc.adoption", "byoc.automation", "byoc.cli", "byoc.components", "byoc.sandbox"),
        ),
        (
            ("adoption", "program_recording", "program_run"),
            ("byoc.automation", "byoc.cli", "byoc.fleet", "byoc.sandbox", "moto", "rich", "typer"),
        ),
        (
            ("automation",),
            ("boto3", "moto", "pulumi_aws", "rich", "typer", "byoc.adoption", "byoc.cli", "byoc.fleet", "byoc.sandbox"),
        ),
        (
            ("access",),
            ("boto3", "moto", "pulumi_aws", "rich", "typer", "byoc.adoption", "byoc.cli", "byoc.sandbox"),
        ),
        (
            ("fleet",),
            ("boto3", "moto", "pulumi_aws", "rich", "byoc.adoption", "byoc.automation", "byoc.cli", "byoc.sandbox"),
        ),
        (
            ("project", "runs", "values"),
            ("boto3", "byoc.automation", "byoc.cli", "byoc.components", "byoc.fleet", "byoc.sandbox", "pulumi_aws"),
        ),
        (
            ("operations",),
            (
                "moto",
                "pulumi",
                "pulumi_aws",
                "rich",
                "typer",
                "byoc.adoption",
                "byoc.cli",
                "byoc.components",
                "byoc.fleet",
                "byoc.sandbox",
            ),
        ),
        (("sandbox",), ("byoc.adoption", "byoc.automation", "byoc.cli", "byoc.fleet", "typer", "rich")),
    ],
)
def test_no_arrow_runs_backwards(rooms: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    found = modules(*rooms)
    assert len(found) > 5
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in found
        for name in imports(path)
        if any(name == word or name.startswith(f"{word}.") for word in forbidden)
    ]
    assert wrong == []


def test_the_program_of_the_stacks_is_seen_in_one_look() -> None:
    assert len((ROOT / "stacks" / "__main__.py").read_text().splitlines()) <= 40


def test_only_one_module_makes_providers() -> None:
    makers = [
        path.relative_to(ROOT).as_posix()
        for path in modules(*PRODUCTION)
        if any(word in path.read_text() for word in ("aws.Provider(", "random.Provider("))
    ]
    assert makers == ["byoc/provider.py"]


def test_the_rooms_of_operations_make_no_circle() -> None:
    rooms = {path.name for path in (ROOT / "byoc" / "operations").iterdir() if (path / "__init__.py").is_file()}
    assert len(rooms) > 5
    wanted = {
        room: {
            name.split(".")[2]
            for path in modules(f"operations/{room}")
            for name in imports(path)
            if name.startswith("byoc.operations.")
        }
        & (rooms - {room})
        for room in rooms
    }
    assert len(list(TopologicalSorter(wanted).static_order())) == len(rooms)
