"""``byoc fleet export --format deployments``: the settings, and the script that sends them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.unit.fleet_projects import FleetProject, fleet

__all__ = ["fleet"]

SETTINGS = {
    "sourceContext": {"git": {"repoUrl": "https://github.com/acme/fleet", "branch": "main", "repoDir": "."}},
    "operationContext": {
        "oidc": {
            "aws": {
                "roleArn": "arn:aws:iam::210987654321:role/control-plane",
                "sessionName": "byoc-fleet",
                "duration": "1h0m0s",
            }
        },
        "preRunCommands": [],
        "environmentVariables": {"AWS_MAX_ATTEMPTS": "10"},
        "options": {"skipIntermediateDeployments": True},
    },
}


def settings(fleet: FleetProject, stack: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fleet.texts("deployments")[f"{stack}.json"])
    return found


def test_a_deployment_becomes_exactly_these_settings(fleet: FleetProject) -> None:
    fleet.exported("deployments")
    assert settings(fleet, "acme-0") == SETTINGS


def test_account_stacks_come_first_in_the_list_of_stacks(fleet: FleetProject) -> None:
    fleet.customer("other", "222222222222", 1)
    fleet.exported("deployments")
    assert fleet.texts("deployments")["stacks.txt"].split() == [
        "acme/byoc/acme",
        "acme/byoc/other",
        "acme/byoc/acme-0",
        "acme/byoc/acme-1",
        "acme/byoc/other-0",
    ]


def test_the_github_app_takes_the_place_of_the_address_and_pushes_concern_a_stack_by_path(fleet: FleetProject) -> None:
    fleet.settings(
        source={"repository": "https://github.com/acme/fleet", "branch": "main", "folder": "infra"},
        deployments={"github": "acme/fleet", "preRunCommands": ["make check"]},
    )
    fleet.exported("deployments")
    found = settings(fleet, "acme-0")
    assert found["sourceContext"]["git"] == {"branch": "main", "repoDir": "infra"}
    assert found["operationContext"]["preRunCommands"] == ["make check"]
    assert found["gitHub"] == {
        "repository": "acme/fleet",
        "deployCommits": True,
        "previewPullRequests": True,
        "paths": [
            "infra/Pulumi.yaml",
            "infra/byoc/**",
            "infra/constraints.txt",
            "infra/pyproject.toml",
            "infra/stacks/*.py",
            "infra/stacks/Pulumi.acme-0.yaml",
            "infra/stacks/requirements.txt",
        ],
    }


def test_what_pulumi_cloud_cannot_do_without_is_asked_for_at_once(fleet: FleetProject) -> None:
    fleet.settings(organization=None, backend="s3://acme-state", source=None, roles=None, secretEnvironment=None)
    outcome = fleet.export("deployments")
    assert outcome.code == 2
    keys = [line.strip() for line in outcome.err.splitlines() if line.startswith("  fleet.yaml")]
    assert keys == [
        "fleet.yaml: secretEnvironment",
        "fleet.yaml: source.branch",
        "fleet.yaml: organization",
        "fleet.yaml: backend",
        "fleet.yaml: source.repository",
        "fleet.yaml: roles.account",
        "fleet.yaml: roles.deployment",
    ]
    assert not fleet.out("deployments").exists()


class Cloud:
    """Something that takes settings as Pulumi Cloud does."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.refuses: str | None = None
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                cloud.requests.append((self.path, dict(self.headers), body))
                refused = cloud.refuses is not None and cloud.refuses in self.path
                answer = b'{"code":404,"message":"Not Found: Stack"}' if refused else b"{}"
                self.send_response(404 if refused else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    found = Cloud()
    yield found
    found.server.shutdown()
    found.server.server_close()


def apply(fleet: FleetProject, cloud: Cloud, **variables: str) -> subprocess.CompletedProcess[str]:
    for tool in ("bash", "curl", "jq"):
        if shutil.which(tool) is None:
            pytest.skip(f"apply.sh needs {tool}, and there is none on this machine: the script was not tried")
    environment = {"PATH": os.environ["PATH"], "PULUMI_BACKEND_URL": cloud.address, **variables}
    script = fleet.out("deployments") / "apply.sh"
    return subprocess.run([script], env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_the_script_sends_the_settings_of_every_stack_with_the_secrets_of_its_environment(
    fleet: FleetProject, cloud: Cloud
) -> None:
    fleet.exported("deployments")
    secret = 'a "quoted" $secret'
    done = apply(fleet, cloud, PULUMI_ACCESS_TOKEN="pul-token", PULUMI_CONFIG_PASSPHRASE=secret)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["acme/byoc/acme", "acme/byoc/acme-0", "acme/byoc/acme-1"]
    assert [path for path, _, _ in cloud.requests] == [
        f"/api/stacks/acme/byoc/{stack}/deployments/settings" for stack in ("acme", "acme-0", "acme-1")
    ]
    _, headers, body = cloud.requests[1]
    assert (headers["Authorization"], headers["Content-Type"]) == ("token pul-token", "application/json")
    assert body["operationContext"].pop("environmentVariables") == {
        "AWS_MAX_ATTEMPTS": "10",
        "PULUMI_CONFIG_PASSPHRASE": {"secret": secret},
    }
    expected = json.loads(json.dumps(SETTINGS))
    del expected["operationContext"]["environmentVariables"]
    assert body == expected
    assert not [name for name, text in fleet.texts("deployments").items() if secret in text or "pul-token" in text]


def test_the_script_sends_nothing_while_a_secret_is_missing(fleet: FleetProject, cloud: Cloud) -> None:
    fleet.exported("deployments")
    done = apply(fleet, cloud, PULUMI_ACCESS_TOKEN="pul-token")
    assert done.returncode != 0
    assert "PULUMI_CONFIG_PASSPHRASE: set it: every run gets it as a secret" in done.stderr
    assert cloud.requests == []


def test_the_script_stops_at_a_stack_that_is_refused_and_says_why(fleet: FleetProject, cloud: Cloud) -> None:
    fleet.exported("deployments")
    cloud.refuses = "acme-0"
    done = apply(fleet, cloud, PULUMI_ACCESS_TOKEN="pul-token", PULUMI_CONFIG_PASSPHRASE="x")
    assert done.returncode == 1
    assert 'error: acme/byoc/acme-0 was refused: {"code":404,"message":"Not Found: Stack"}' in done.stderr
    assert len(cloud.requests) == 2


def test_a_pulumi_cloud_of_ones_own_is_where_the_script_sends_to(fleet: FleetProject) -> None:
    fleet.settings(backend="https://api.pulumi.acme.example")
    fleet.exported("deployments")
    script = fleet.texts("deployments")["apply.sh"]
    assert 'api="${PULUMI_BACKEND_URL:-https://api.pulumi.acme.example}"\n' in script


def test_without_secret_variables_the_script_sends_the_files_as_they_are(fleet: FleetProject, cloud: Cloud) -> None:
    for stack in ("acme", "acme-0", "acme-1"):
        path = fleet.root / "stacks" / f"Pulumi.{stack}.yaml"
        path.write_text(path.read_text().replace("encryptionsalt: v1:salt", "secretsprovider: awskms://alias/fleet"))
    fleet.settings(secretEnvironment=None)
    fleet.exported("deployments")
    assert apply(fleet, cloud, PULUMI_ACCESS_TOKEN="pul-token").returncode == 0
    assert cloud.requests[1][2] == SETTINGS
