"""``--format deployments``: settings for Pulumi Deployments, and the script that sets them.

Facts: pulumi.com/docs/reference/cloud-rest-api, ``POST /api/stacks/{org}/{project}/{stack}/deployments/settings``,
which merges what it gets into what is there; the fields as in the CLI's own ``apitype.DeploymentSettings``. The CLI
has no file form of them (3.259).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from byoc.errors import Problem
from byoc.fleet import engine_needs
from byoc.fleet.settings import FleetSettings
from byoc.fleet.stacks import KINDS, Fleet, FleetStack

Document = dict[str, Any]
ORDER_FILE = "stacks.txt"
"""The full names of the stacks, account stacks first."""
SCRIPT_FILE = "apply.sh"
"""The script that sends the settings of every stack in :data:`ORDER_FILE` to Pulumi Cloud."""

_PROGRAM = ("Pulumi.yaml", "byoc/**", "constraints.txt", "pyproject.toml")
"""Paths beside a stack's own file and the program's folder that it is made from."""


def problems(stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings) -> list[Problem]:  # noqa: ARG001 - as the other formats
    """What Pulumi Deployments cannot do without, and what it would refuse."""
    lacking = engine_needs.lacking
    found = [*engine_needs.passphrase(stacks, settings), *engine_needs.revision(settings)]
    if settings.organization is None:
        found.append(lacking("organization", "an organization of Pulumi Cloud", "add it"))
    if not settings.in_pulumi_cloud:
        remedy = "leave it out; for a bucket use --format operator or matrix"
        found.append(lacking("backend", "Pulumi Cloud, which runs these", remedy, got=str(settings.backend)))
    if settings.deployments.github is None:
        found += engine_needs.repository(settings)
    found += [
        lacking(f"roles.{kind}", f"the role for stacks of kind {kind}", "add it")
        for kind in KINDS
        if settings.roles.template(kind) is None and any(stack.kind == kind for stack in stacks)
    ]
    return found


def files(stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings) -> Iterator[tuple[str, str]]:
    """Name and text of each file, one at a time."""
    ordered = [stack.name for kind in KINDS for stack in stacks if stack.kind == kind]
    yield ORDER_FILE, "".join(f"{settings.stack_name(fleet.project.name, name)}\n" for name in ordered)
    yield SCRIPT_FILE, _script(settings)
    for stack in stacks:
        yield file_name(stack.name), json.dumps(_settings(stack, fleet, settings), indent=2, ensure_ascii=False) + "\n"


def file_name(stack: str) -> str:
    """The file of a stack."""
    return f"{stack}.json"


def _settings(stack: FleetStack, fleet: Fleet, settings: FleetSettings) -> Document:
    """The body of the request; secret variables are added by the script, and nowhere else."""
    found: Document = {"sourceContext": {"git": _git(settings)}}
    if settings.deployments.github is not None:
        found["gitHub"] = {
            "repository": settings.deployments.github,
            "deployCommits": True,
            "previewPullRequests": True,
            "paths": _paths(stack, fleet, settings),
        }
    found["operationContext"] = {
        "oidc": {
            "aws": {"roleArn": settings.roles.of(stack), "sessionName": "byoc-fleet", "duration": "1h0m0s"},
        },
        "preRunCommands": list(settings.deployments.pre_run_commands),
        "environmentVariables": dict(sorted(settings.environment.items())),
        "options": {"skipIntermediateDeployments": True},
    }
    return found


def _git(settings: FleetSettings) -> Document:
    source = settings.source
    revision = {"commit": source.commit} if source.commit else {"branch": source.branch}
    # With the GitHub app, the repository is known by its name, and an address beside it would be a second one.
    address = {} if settings.deployments.github is not None else {"repoUrl": source.repository}
    return {**address, **revision, "repoDir": source.folder}


def _paths(stack: FleetStack, fleet: Fleet, settings: FleetSettings) -> list[str]:
    """Only pushes that touch one of these concern the stack: its own file, and the program."""
    project = fleet.project
    main = project.main.relative_to(project.root).as_posix()
    program = [f"{main}/{name}" if main != "." else name for name in ("*.py", "requirements.txt")]
    folder = "" if settings.source.folder == "." else f"{settings.source.folder}/"
    return sorted(f"{folder}{path}" for path in (stack.file, *program, *_PROGRAM))


def _script(settings: FleetSettings) -> str:
    secrets = sorted(set(settings.secret_environment) - {engine_needs.ACCESS_TOKEN})  # each run gets a token of its own
    checks = "".join(f': "${{{name}:?set it: every run gets it as a secret}}"\n' for name in secrets)
    added = ", ".join(f"{name}: {{secret: env.{name}}}" for name in secrets)
    return _SCRIPT.format(
        api=settings.backend or "https://api.pulumi.com",
        checks=checks,
        exports=f"export {' '.join(secrets)}\n" if secrets else "",
        filter=f".operationContext.environmentVariables += {{{added}}}" if secrets else ".",
    )


_SCRIPT = """\
#!/usr/bin/env bash
# Written by byoc fleet export. Sends the settings of every stack in stacks.txt to Pulumi Cloud.
# Needs bash, curl, jq, and in the environment PULUMI_ACCESS_TOKEN and the value of each secret variable.
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")"
api="${{PULUMI_BACKEND_URL:-{api}}}"
: "${{PULUMI_ACCESS_TOKEN:?set it to a token that may change the stacks}}"
{checks}{exports}while read -r stack; do
  echo "$stack"
  answer=$(
    jq '{filter}' "${{stack##*/}}.json" |
      curl --fail-with-body --silent --show-error --request POST \\
        --header @<(printf 'Authorization: token %s\\n' "$PULUMI_ACCESS_TOKEN") \\
        --header 'Accept: application/vnd.pulumi+8' --header 'Content-Type: application/json' --data-binary @- \\
        "$api/api/stacks/$stack/deployments/settings"
  ) || {{ echo "error: $stack was refused: $answer" >&2; exit 1; }}
done < stacks.txt
"""
