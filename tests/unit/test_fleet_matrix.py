"""``byoc fleet export --format matrix``: the workflow for GitHub Actions."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from byoc.fleet import github_workflow
from byoc.fleet.yaml_text import WRITTEN_BY
from tests.unit.fleet_projects import FleetProject, fleet

__all__ = ["fleet"]

STEPS = """\
    steps:
      - uses: actions/checkout@v6
      - uses: actions/setup-python@v6
        with:
          python-version: "3.12"
      - uses: pulumi/actions@v7
        with:
          pulumi-version: "3.259.0"
      - run: pulumi install
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: "${{ matrix.role }}"
          aws-region: "${{ matrix.region }}"
      - run: "pulumi \\"$FLEET_COMMAND\\" --stack \\"$FLEET_STACK\\" --non-interactive"
        env:
          FLEET_COMMAND: "${{ inputs.command || 'up' }}"
          FLEET_STACK: "${{ matrix.stack }}"
          PULUMI_SKIP_CONFIRMATIONS: "true"
          AWS_MAX_ATTEMPTS: "10"
          PULUMI_ACCESS_TOKEN: "${{ secrets.PULUMI_ACCESS_TOKEN }}"
          PULUMI_CONFIG_PASSPHRASE: "${{ secrets.PULUMI_CONFIG_PASSPHRASE }}"
"""
WORKFLOW = f"""\
name: fleet
"on":
  push:
    branches:
      - main
  workflow_dispatch:
    inputs:
      command:
        description: "preview shows the changes of each stack; up makes them"
        type: choice
        options:
          - preview
          - up
        default: preview
permissions:
  contents: read
  id-token: write
concurrency:
  group: fleet
  cancel-in-progress: false
jobs:
  accounts-1:
    name: "${{{{ matrix.stack }}}}"
    runs-on: ubuntu-24.04
    strategy:
      fail-fast: false
      max-parallel: 20
      matrix:
        include:
          - stack: acme/byoc/acme
            region: us-west-2
            role: arn:aws:iam::111111111111:role/provisioner
{STEPS}\
  deployments-1:
    name: "${{{{ matrix.stack }}}}"
    needs:
      - accounts-1
    if: "${{{{ !cancelled() }}}}"
    runs-on: ubuntu-24.04
    strategy:
      fail-fast: false
      max-parallel: 20
      matrix:
        include:
          - stack: acme/byoc/acme-0
            region: us-west-2
            role: arn:aws:iam::210987654321:role/control-plane
          - stack: acme/byoc/acme-1
            region: us-west-2
            role: arn:aws:iam::210987654321:role/control-plane
{STEPS}"""


def jobs(fleet: FleetProject) -> dict[str, Any]:
    [document] = fleet.documents("matrix", "fleet.yml")
    found: dict[str, Any] = document["jobs"]
    return found


def test_one_customer_becomes_exactly_this_workflow(fleet: FleetProject) -> None:
    fleet.exported("matrix")
    assert fleet.texts("matrix") == {"fleet.yml": WRITTEN_BY + WORKFLOW}


def test_every_key_that_github_reads_as_text_is_text_in_yaml_1_1_too(fleet: FleetProject) -> None:
    fleet.exported("matrix")
    [document] = fleet.documents("matrix", "fleet.yml")
    assert "on" in document
    assert yaml.safe_load(yaml.safe_dump(document)) == document


def test_deployments_alone_need_no_job(fleet: FleetProject) -> None:
    fleet.exported("matrix", "acme-*")
    found = jobs(fleet)
    assert list(found) == ["deployments-1"]
    assert "needs" not in found["deployments-1"]
    assert "if" not in found["deployments-1"]


def test_more_stacks_than_a_matrix_may_have_become_matrices_that_follow_each_other(fleet: FleetProject) -> None:
    fleet.customer("big", "222222222222", 600)
    fleet.exported("matrix", "big*")
    found = jobs(fleet)
    assert {name: job.get("needs") for name, job in found.items()} == {
        "accounts-1": None,
        "deployments-1": ["accounts-1"],
        "deployments-2": ["deployments-1"],
        "deployments-3": ["deployments-2"],
    }
    sizes = [len(job["strategy"]["matrix"]["include"]) for job in found.values()]
    assert sizes == [1, 256, 256, 88]


def test_without_a_role_the_runners_own_credentials_are_used(fleet: FleetProject) -> None:
    fleet.settings(roles={"account": "arn:aws:iam::{accountId}:role/provisioner"})
    fleet.exported("matrix")
    uses = {name: [step.get("uses") for step in job["steps"]] for name, job in jobs(fleet).items()}
    assert "aws-actions/configure-aws-credentials@v6" in uses["accounts-1"]
    assert "aws-actions/configure-aws-credentials@v6" not in uses["deployments-1"]
    assert "role" not in jobs(fleet)["deployments-1"]["strategy"]["matrix"]["include"][0]


def test_folder_bucket_runner_and_width_are_as_the_settings_say(fleet: FleetProject) -> None:
    fleet.settings(
        organization=None,
        backend="s3://acme-state",
        source={"branch": "prod", "folder": "infra"},
        matrix={"maxParallel": 5, "runner": "self-hosted"},
    )
    fleet.exported("matrix")
    job = jobs(fleet)["accounts-1"]
    assert (job["runs-on"], job["strategy"]["max-parallel"]) == ("self-hosted", 5)
    assert job["strategy"]["matrix"]["include"][0]["stack"] == "acme"
    scripts = [step for step in job["steps"] if "run" in step]
    assert [step["working-directory"] for step in scripts] == ["infra", "infra"]
    assert scripts[-1]["env"]["PULUMI_BACKEND_URL"] == "s3://acme-state"


def test_no_text_of_a_stack_or_an_input_stands_in_a_script(fleet: FleetProject) -> None:
    fleet.exported("matrix")
    for job in jobs(fleet).values():
        assert [step["run"] for step in job["steps"] if "run" in step] == [
            "pulumi install",
            'pulumi "$FLEET_COMMAND" --stack "$FLEET_STACK" --non-interactive',
        ]


def test_a_commit_is_refused_because_pushes_come_to_a_branch(fleet: FleetProject) -> None:
    fleet.settings(source={"commit": "0123456789abcdef0123456789abcdef01234567"})
    outcome = fleet.export("matrix")
    assert outcome.code == 2
    assert "fleet.yaml: source.branch\n      got:      a commit instead\n" in outcome.err


def test_a_workflow_that_github_would_not_run_is_refused(fleet: FleetProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_workflow, "LARGEST_FILE", 1_000)
    outcome = fleet.export("matrix")
    size = len((WRITTEN_BY + WORKFLOW).encode())
    assert outcome.code == 2
    assert f"got:      a workflow of {size:,} bytes for 3 stacks\n" in outcome.err
    assert "allowed:  at most 1,000 bytes, or GitHub does not run it\n" in outcome.err
    assert not fleet.out("matrix").exists()
