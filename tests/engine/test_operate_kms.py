"""A rollback that writes secrets into the file of a stack whose secrets are under a key of AWS KMS."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from tests.engine.operated_project import OperatedProject
from tests.engine.real_world import RealWorld
from tests.sandbox.sandbox_world import ACCOUNT, CHAT, World

pytestmark = [pytest.mark.engine, pytest.mark.slow]
REGION = "us-west-2"
FIRST, SECOND = "sk-first-0001", "sk-second-0002"


@pytest.fixture
def key(world: World) -> Iterator[str]:
    """Where KMS is, with a key: one that knows nothing of the account, without a gate before it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()
        kms = boto3.client(
            "kms", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y"
        )
        kms.create_alias(AliasName="alias/byoc-state", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        yield endpoint
    finally:
        server.stop()


@pytest.fixture
def project(world: World, key: str) -> OperatedProject:
    """An account and a deployment whose stack is under the key, rolled out twice with another secret."""
    real = RealWorld(world)
    real.environment = {**real.environment, "AWS_ENDPOINT_URL_KMS": key}
    for stack in (ACCOUNT, CHAT):
        real.init(stack)
    real.pulumi("stack", "change-secrets-provider", f"awskms://alias/byoc-state?region={REGION}", stack=CHAT).done()
    real.up(ACCOUNT).done()
    for secret in (FIRST, SECOND):
        values = json.dumps({"OPENAI_API_KEY": secret})
        real.pulumi("config", "set", "--secret", "byoc:secretEnvironment", values, stack=CHAT).done()
        real.up(CHAT).done()
    return OperatedProject(real)


def test_a_rollback_writes_secrets_that_only_the_key_opens_and_a_later_up_agrees(project: OperatedProject) -> None:
    file = project.world.file(CHAT)
    assert "encryptionsalt" not in yaml.safe_load(file.read_text())
    back = project.done("rollback", CHAT, "--to", "1", "--yes", "--write-config")
    assert back["writtenKeys"] == ["byoc:secretEnvironment"]
    written = yaml.safe_load(file.read_text())
    assert set(written["config"]["byoc:secretEnvironment"]) == {"secure"}
    assert written["secretsprovider"].startswith("awskms://")
    assert not [secret for secret in (FIRST, SECOND) if secret in file.read_text()]
    opened = project.real.pulumi("config", "get", "byoc:secretEnvironment", stack=CHAT).done()
    assert json.loads(opened.out) == {"OPENAI_API_KEY": FIRST}

    assert project.byoc("up", CHAT, "--yes").code == 0
    unchanged = project.done("preview", CHAT, "--refresh", "--expect-no-changes")
    assert (unchanged["created"], unchanged["updated"], unchanged["replaced"]) == (0, 0, 0)
