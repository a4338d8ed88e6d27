"""``--format matrix``: a workflow for GitHub Actions, with one job for each stack.

Account stacks are one matrix, deployments the next, which ``needs`` the first. A matrix that failed for one customer
does not hold back the others: the next one starts as soon as the first has ended, and a deployment whose account stack
was never provisioned says so and makes nothing.

Facts: docs.github.com, "Workflow syntax" and "Actions limits" (256 jobs in a matrix, 500 KB in a file).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from byoc.errors import Problem
from byoc.fleet import engine_needs
from byoc.fleet.settings import MOST_MATRIX_JOBS, FleetSettings
from byoc.fleet.stacks import KINDS, Fleet, FleetStack, Kind
from byoc.fleet.yaml_text import yaml_text

Document = dict[str, Any]
WORKFLOW_FILE = "fleet.yml"
"""The only file; it belongs into ``.github/workflows`` at the repository's root."""
LARGEST_FILE = 500_000
"""Bytes of a workflow file that GitHub still runs."""

_PYTHON = "3.12"


def problems(stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings) -> list[Problem]:
    """What GitHub Actions cannot do without, and a workflow that it would not run."""
    found = [*engine_needs.state(settings), *engine_needs.passphrase(stacks, settings)]
    if settings.source.branch is None:
        got = "nothing" if settings.source.commit is None else "a commit instead"
        found.append(engine_needs.lacking("source.branch", "the branch whose pushes run the stacks", "add it", got=got))
    size = sum(len(text.encode()) for _, text in files(stacks, fleet, settings))
    if size > LARGEST_FILE:
        found.append(
            Problem(
                key="--format matrix",
                value=f"a workflow of {size:,} bytes for {len(stacks):,} stacks",
                allowed=f"at most {LARGEST_FILE:,} bytes, or GitHub does not run it",
                remedy="split the project's stacks over several repositories, or use another format",
            )
        )
    return found


def files(stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings) -> Iterator[tuple[str, str]]:
    """Name and text of the only file."""
    yield WORKFLOW_FILE, yaml_text([_workflow(stacks, fleet, settings)])


def _workflow(stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings) -> Document:
    command = {
        "description": "preview shows the changes of each stack; up makes them",
        "type": "choice",
        "options": ["preview", "up"],
        "default": "preview",
    }
    return {
        "name": "fleet",
        "on": {"push": {"branches": [settings.source.branch]}, "workflow_dispatch": {"inputs": {"command": command}}},
        "permissions": {"contents": "read", "id-token": "write"},
        "concurrency": {"group": "fleet", "cancel-in-progress": False},
        "jobs": _jobs(stacks, fleet, settings),
    }


def _jobs(stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings) -> Document:
    """A matrix for each kind, in as many pieces as GitHub's limit asks for; each waits for the one before."""
    jobs: Document = {}
    for kind in KINDS:
        chosen = [stack for stack in stacks if stack.kind == kind]
        for number, start in enumerate(range(0, len(chosen), MOST_MATRIX_JOBS), start=1):
            piece = chosen[start : start + MOST_MATRIX_JOBS]
            jobs[f"{kind}s-{number}"] = _job(kind, piece, fleet, settings, after=list(jobs)[-1:])
    return jobs


def _job(
    kind: Kind, stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings, *, after: list[str]
) -> Document:
    waiting = {"needs": after, "if": "${{ !cancelled() }}"} if after else {}
    return {
        "name": "${{ matrix.stack }}",
        **waiting,
        "runs-on": settings.matrix.runner,
        "strategy": {
            "fail-fast": False,
            "max-parallel": settings.matrix.max_parallel,
            "matrix": {"include": [_entry(stack, fleet, settings) for stack in stacks]},
        },
        "steps": _steps(settings, with_role=settings.roles.template(kind) is not None),
    }


def _entry(stack: FleetStack, fleet: Fleet, settings: FleetSettings) -> Document:
    role = settings.roles.of(stack)
    return {
        "stack": settings.stack_name(fleet.project.name, stack.name),
        "region": stack.region,
        **({"role": role} if role else {}),
    }


def _steps(settings: FleetSettings, *, with_role: bool) -> list[Document]:
    folder = {} if settings.source.folder == "." else {"working-directory": settings.source.folder}
    credentials = {
        "uses": "aws-actions/configure-aws-credentials@v6",
        "with": {"role-to-assume": "${{ matrix.role }}", "aws-region": "${{ matrix.region }}"},
    }
    return [
        {"uses": "actions/checkout@v6"},
        {"uses": "actions/setup-python@v6", "with": {"python-version": _PYTHON}},
        {"uses": "pulumi/actions@v7", "with": {"pulumi-version": settings.pulumi_version}},
        {"run": "pulumi install", **folder},
        *([credentials] if with_role else []),
        # The names of stack and command come as variables: text of others has no place in a script.
        {
            "run": 'pulumi "$FLEET_COMMAND" --stack "$FLEET_STACK" --non-interactive',
            **folder,
            "env": _environment(settings),
        },
    ]


def _environment(settings: FleetSettings) -> dict[str, str]:
    return {
        "FLEET_COMMAND": "${{ inputs.command || 'up' }}",
        "FLEET_STACK": "${{ matrix.stack }}",
        "PULUMI_SKIP_CONFIRMATIONS": "true",
        **({"PULUMI_BACKEND_URL": settings.backend} if settings.backend else {}),
        **dict(sorted(settings.environment.items())),
        **{name: f"${{{{ secrets.{name} }}}}" for name in sorted(settings.secret_environment)},
    }
