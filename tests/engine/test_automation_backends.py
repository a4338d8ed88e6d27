"""State in an S3 bucket, secrets under a KMS key, with the real Pulumi CLI against moto's S3 and KMS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.engine.automation_project import SECRET, TinyProject

pytestmark = [pytest.mark.engine, pytest.mark.slow]

REGION = "us-west-2"
BUCKET = "acme-byoc-state"
KEY = f"awskms://alias/byoc-state?region={REGION}"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """An AWS that knows S3 and KMS, without a gate before it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(endpoint: str, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y"
    )


@pytest.fixture
def remote(tmp_path: Path, endpoint: str) -> TinyProject:
    """A project whose state lies in a bucket with versions, and no passphrase in its environment."""
    storage = client(endpoint, "s3")
    storage.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    storage.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    keys = client(endpoint, "kms")
    key = keys.create_key()["KeyMetadata"]["KeyId"]
    keys.create_alias(AliasName="alias/byoc-state", TargetKeyId=key)
    project = TinyProject.make(tmp_path)
    env: Mapping[str, str] = {
        **{name: value for name, value in project.env.items() if name != "PULUMI_CONFIG_PASSPHRASE"},
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_ENDPOINT_URL_KMS": endpoint,
        "PULUMI_BACKEND_URL": f"s3://{BUCKET}?endpoint={endpoint}&s3ForcePathStyle=true&region={REGION}",
    }
    return replace(project, env=env)


def test_a_stack_lives_in_a_bucket_under_a_kms_key_and_an_older_state_can_be_had_again(
    remote: TinyProject, endpoint: str
) -> None:
    remote.file("one").write_text(f"secretsprovider: {KEY}\nconfig:\n  tiny:kind: account\n")
    up = remote.byoc("up", "one", "--init", "--yes", "--json")
    assert up.code == 0, up.err
    assert up.document["created"] == 3
    assert "encryptedkey: " in remote.file("one").read_text()
    storage = client(endpoint, "s3")
    place = ".pulumi/stacks/tiny/one.json"
    state = storage.get_object(Bucket=BUCKET, Key=place)["Body"].read().decode()
    assert KEY in state
    assert SECRET not in state

    destroyed = remote.byoc("destroy", "one", "--yes", "--skip-preview", "--json")
    assert destroyed.document["deleted"] == 3
    versions = storage.list_object_versions(Bucket=BUCKET, Prefix=place)["Versions"]
    texts = {
        item["VersionId"]: storage.get_object(Bucket=BUCKET, Key=place, VersionId=item["VersionId"])["Body"].read()
        for item in versions
    }
    older = next(name for name, text in texts.items() if text.decode() == state)
    storage.copy_object(Bucket=BUCKET, Key=place, CopySource={"Bucket": BUCKET, "Key": place, "VersionId": older})
    assert {"first", "second"} <= set(remote.resources("one"))
    assert remote.byoc("preview", "one", "--expect-no-changes").code == 0


def test_a_stack_moves_to_another_backend_and_to_a_kms_key(remote: TinyProject, tmp_path: Path) -> None:
    passphrase = {"PULUMI_CONFIG_PASSPHRASE": "old"}
    local = replace(remote, env={**remote.env, **passphrase, "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}"})
    local.add("one")
    assert local.byoc("up", "one", "--yes", "--skip-preview").code == 0
    saved = tmp_path / "state.json"
    local.pulumi("stack", "export", "--stack", "one", "--file", str(saved))
    assert SECRET not in saved.read_text()

    moving = replace(remote, env={**remote.env, **passphrase})
    moving.pulumi("stack", "init", "one", "--no-select")
    moving.pulumi("stack", "import", "--stack", "one", "--file", str(saved))
    moving.pulumi("stack", "change-secrets-provider", "--stack", "one", KEY)
    assert remote.byoc("preview", "one", "--expect-no-changes").code == 0
    assert remote.pulumi("stack", "output", "--stack", "one", "--show-secrets", "password").strip() == SECRET


def test_a_bucket_that_is_not_there_is_told_with_a_way_out(remote: TinyProject) -> None:
    remote.file("one").write_text("config:\n  tiny:kind: account\n")
    wrong = remote.env["PULUMI_BACKEND_URL"].replace(BUCKET, "no-such-bucket")
    ran = remote.byoc("up", "one", "--yes", env={"PULUMI_BACKEND_URL": wrong})
    assert ran.code == 1
    assert "NoSuchBucket" in ran.err
    assert "check PULUMI_BACKEND_URL" in ran.err
