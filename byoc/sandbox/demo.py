"""The main job from end to end on an embedded AWS of its own: what ``byoc demo`` and ``make demo`` run.

Everything is done by the same programs, config files and engine as ``byoc sandbox``; nothing here knows the answer.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import ClientError

from byoc.errors import ByocError
from byoc.runs import RunResult
from byoc.sandbox.emulator_cloud import EmulatorCloud
from byoc.sandbox.session import SandboxAws
from byoc.sandbox.workspace import Workspace

ACCOUNT, DEVELOPMENT, PRODUCTION = "demo-account", "demo-chat", "demo-support"
PASSPHRASE = "byoc-demo"  # noqa: S105 - the examples' secrets are made up, and their passphrase stands in the examples
_MUTATING = ("Create", "Delete", "Modify", "Put", "Register", "Deregister", "Update", "Add", "Remove", "Run", "Start")


@dataclass(frozen=True, kw_only=True)
class Denial:
    """One thing that was tried and must be refused."""

    attempt: str
    call: str
    answer: str
    """AWS's error code, or ``allowed``."""
    denied: bool


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the demo did, for the closing table."""

    runs: tuple[tuple[str, RunResult], ...]
    denials: tuple[Denial, ...]
    revision_calls: tuple[str, ...]
    """The mutating AWS calls of the revision."""
    left: tuple[str, ...]
    """What is left in the account at the end."""
    requests: int
    """AWS requests in total."""
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every run succeeded, every forbidden thing was refused, and only final snapshots are left."""
        expected_left = all(item.startswith("rds snapshot ") for item in self.left)
        return all(result.ok for _, result in self.runs) and all(d.denied for d in self.denials) and expected_left


class View(Protocol):
    """Who shows the demo."""

    def act(self, title: str, detail: str) -> None:
        """A new act begins."""

    def following(self, title: str) -> Any:  # noqa: ANN401 - a context manager that gives a Listener
        """A context in which a run is shown."""

    def ran(self, result: RunResult) -> None:
        """A run has ended."""

    def refused(self, denial: Denial) -> None:
        """Something forbidden was tried."""

    def note(self, text: str) -> None:
        """One plain sentence."""


class Demo:
    """One performance over the project in ``root``."""

    def __init__(self, root: Path, view: View, calls: Path | None = None) -> None:
        """``calls``: where to write every AWS request of the demo."""
        self._root = root
        self._view = view
        self._calls = calls
        self._runs: list[tuple[str, RunResult]] = []

    def perform(self) -> Summary:
        """All acts in order; the embedded AWS and its files are gone afterwards."""
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="byoc-demo-") as home, _passphrase():
            workspace = Workspace(self._root, Path(home))
            client = workspace.start().client
            try:
                return self._acts(workspace, started)
            finally:
                if self._calls is not None:
                    lines = [json.dumps(record) for record in client.calls()]
                    self._calls.write_text("\n".join(lines) + "\n")
                workspace.stop()

    def _acts(self, workspace: Workspace, started: float) -> Summary:
        client = workspace.start().client
        self._view.act("1. The customer's account", "by the account's own administrator: role, network, runtime")
        self._run(f"up {ACCOUNT}", partial(workspace.up, ACCOUNT))
        self._view.act(
            "2. Two deployments", "by the control plane, through the cross-account role, its policies enforced"
        )
        for stack in (DEVELOPMENT, PRODUCTION):
            self._run(f"up {stack}", partial(workspace.up, stack))
        self._view.act("3. A new revision", "another image for the development deployment")
        image = _next_image(workspace)
        revision = self._run(
            f"revision of {DEVELOPMENT}",
            partial(workspace.up, DEVELOPMENT, overrides=[f"byoc:image={image}"]),
        )
        revision_calls = tuple(
            str(record["action"])
            for record in client.calls(run=revision.run_id)
            if str(record["action"]).partition(":")[2].startswith(_MUTATING)
        )
        self._view.note(f"AWS calls that changed something: {', '.join(revision_calls)}")
        self._view.act("4. What the role may not do", "tried for real, as the control plane")
        denials = tuple(self._try_forbidden(workspace))
        self._view.act("5. Everything is destroyed", "dependants first; production data leaves a final snapshot")
        self._destroy(workspace)
        left = tuple(sorted(f"{item['service']} {item['kind']} {item['id']}" for item in self._inventory(workspace)))
        return Summary(
            runs=tuple(self._runs),
            denials=denials,
            revision_calls=revision_calls,
            left=left,
            requests=len(client.calls()),
            seconds=time.monotonic() - started,
        )

    def _run(self, title: str, act: Callable[..., RunResult]) -> RunResult:
        with self._view.following(title) as listener:
            result = act(listener=listener)
        self._runs.append((title, result))
        self._view.ran(result)
        if not result.ok:
            raise ByocError(f"the demo stopped: {title} failed")
        return result

    def _destroy(self, workspace: Workspace) -> None:
        try:
            workspace.destroy(PRODUCTION)
        except ByocError as refusal:
            self._view.note(f"first refused, as it should be: {str(refusal).splitlines()[0]}")
        else:
            raise ByocError("the demo stopped: a protected database was destroyed without a word")
        lifted = "byoc:database.deletionProtection=false"
        self._run("lift protection", partial(workspace.up, PRODUCTION, overrides=[lifted]))
        for stack in (DEVELOPMENT, PRODUCTION, ACCOUNT):
            self._run(f"destroy {stack}", partial(workspace.destroy, stack))

    def _try_forbidden(self, workspace: Workspace) -> Iterator[Denial]:
        config = workspace.deployment_config(DEVELOPMENT)
        cloud = EmulatorCloud(workspace.start().client)
        administrator = boto3.Session(region_name=config.region, **cloud.administrator(config.account_id))
        secret = administrator.client("secretsmanager", endpoint_url=cloud.endpoint).create_secret(
            Name="payroll/database-password", SecretString="another team's"
        )["ARN"]
        vpc_id = workspace.outputs(ACCOUNT)["vpcId"]
        role_arn = workspace.outputs(ACCOUNT)["roleArn"]
        outside = SandboxAws(
            endpoint=cloud.endpoint, region=config.region, credentials=cloud.control_plane(role_arn), run_id="forbidden"
        )
        role = outside.assume(
            role_arn=role_arn,
            external_id=config.external_id.get_secret_value() if config.external_id else None,
            session_name="byoc-demo",
        )
        sts = outside.client("sts")
        ec2, secrets, iam = role.client("ec2"), role.client("secretsmanager"), role.client("iam")
        attempts: list[tuple[str, str, Callable[[], object]]] = [
            (
                "assume the role with a wrong external id",
                "sts:AssumeRole",
                lambda: sts.assume_role(RoleArn=role_arn, RoleSessionName="byoc-demo", ExternalId="not-the-right-one"),
            ),
            (
                "assume the role without an external id",
                "sts:AssumeRole",
                lambda: sts.assume_role(RoleArn=role_arn, RoleSessionName="byoc-demo"),
            ),
            ("delete the customer's VPC", "ec2:DeleteVpc", lambda: ec2.delete_vpc(VpcId=vpc_id)),
            (
                "read another team's secret",
                "secretsmanager:GetSecretValue",
                lambda: secrets.get_secret_value(SecretId=secret),
            ),
            (
                "make itself another role",
                "iam:CreateRole",
                lambda: iam.create_role(RoleName="backdoor", AssumeRolePolicyDocument="{}"),
            ),
        ]
        for attempt, call, act in attempts:
            denial = _attempt(attempt, call, act)
            self._view.refused(denial)
            yield denial
        administrator.client("secretsmanager", endpoint_url=cloud.endpoint).delete_secret(
            SecretId=secret, ForceDeleteWithoutRecovery=True
        )

    @staticmethod
    def _inventory(workspace: Workspace) -> list[dict[str, str]]:
        config = workspace.config(ACCOUNT)
        found: list[dict[str, str]] = workspace.start().client.inventory(config.account_id, config.region)
        return found


def _attempt(attempt: str, call: str, act: Callable[[], object]) -> Denial:
    try:
        act()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        denied = "AccessDenied" in code or code == "UnauthorizedOperation"
        return Denial(attempt=attempt, call=call, answer=code, denied=denied)
    return Denial(attempt=attempt, call=call, answer="allowed", denied=False)


def _next_image(workspace: Workspace) -> str:
    return f"{workspace.deployment_config(DEVELOPMENT).image}-next"


@contextmanager
def _passphrase() -> Iterator[None]:
    """The examples' passphrase, unless the user set one."""
    before = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
    os.environ.setdefault("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PULUMI_CONFIG_PASSPHRASE"]
