"""State in an S3 bucket, secrets under a KMS key, with the real Pulumi CLI against moto's S3 and KMS."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from tests.engine.automation_project import SECRET, TinyProject
from tests.golden.examples import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.slow]

REGION = "us-west-2"
ACCOUNT = "123456789012"
BUCKET = "acme-byoc-state"
KEY = f"awskms://alias/byoc-state?region={REGION}"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """An AWS that knows S3 and KMS, without a gate before it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
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
    found = storage.get_object(Bucket=BUCKET, Key=place)
    state = found["Body"].read().decode()
    assert KEY in state
    assert SECRET not in state

    destroyed = remote.byoc("destroy", "one", "--yes", "--skip-preview", "--json")
    assert destroyed.document["deleted"] == 3
    assert remote.resources("one") == {}
    older = {"Bucket": BUCKET, "Key": place, "VersionId": found["VersionId"]}
    storage.copy_object(Bucket=BUCKET, Key=place, CopySource=older)
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
    wrong = wrong.replace("http://", "") + "&disableSSL=true"  # the other way to write an endpoint
    ran = remote.byoc("up", "one", "--yes", env={"PULUMI_BACKEND_URL": wrong})
    assert ran.code == 1
    assert "NoSuchBucket" in ran.err
    assert "check PULUMI_BACKEND_URL" in ran.err


def documented_policy(sid: str) -> dict[str, Any]:
    """The policy of docs/backends.md that has this statement, for the account of the test."""
    page = (ROOT / "docs" / "backends.md").read_text()
    (text,) = [block for block in re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if sid in block]
    text = text.replace("arn:aws:kms:us-west-2:111122223333:key/KEY-ID", "*")  # moto checks KMS without resources
    text = text.replace("444455556666", ACCOUNT)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def runner(remote: TinyProject, endpoint: str) -> Iterator[TinyProject]:
    """The project in a path of the bucket, run by a role with the documented policy; what that lacks is refused."""
    identities = client(endpoint, "iam")
    trust = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'
    role = identities.create_role(RoleName="byoc-runner", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    policy = json.dumps(documented_policy("ListState"))
    identities.put_role_policy(RoleName="byoc-runner", PolicyName="state", PolicyDocument=policy)
    on_bucket = documented_policy("RunnerLists")
    on_bucket["Statement"] = [item for item in on_bucket["Statement"] if "Condition" not in item]  # moto reads none
    client(endpoint, "s3").put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(on_bucket))
    session = client(endpoint, "sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    enforce(endpoint, after=0)
    try:
        yield replace(
            remote,
            env={
                **remote.env,
                "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
                "AWS_SESSION_TOKEN": session["SessionToken"],
                "PULUMI_BACKEND_URL": remote.env["PULUMI_BACKEND_URL"].replace(BUCKET, f"{BUCKET}/acme"),
            },
        )
    finally:
        enforce(endpoint, after=10**9)


def enforce(endpoint: str, *, after: int) -> None:
    """Hold requests against IAM policies, after so many more."""
    reset = urllib.request.Request(
        f"{endpoint}/moto-api/reset-auth", str(after).encode(), {"Content-Type": "text/plain"}, method="POST"
    )
    urllib.request.urlopen(reset).close()


def test_the_documented_policies_are_enough_for_a_stack_s_life_and_versions_are_out_of_reach(
    runner: TinyProject, endpoint: str
) -> None:
    key = f"awskms:///arn:aws:kms:{REGION}:{ACCOUNT}:alias/byoc-state?region={REGION}"
    runner.file("one").write_text(f"secretsprovider: {key}\nconfig:\n  tiny:kind: account\n")
    up = runner.byoc("up", "one", "--init", "--yes", "--skip-preview")
    assert up.code == 0, up.out + up.err
    destroyed = runner.byoc("destroy", "one", "--yes", "--skip-preview")
    assert destroyed.code == 0, destroyed.out + destroyed.err
    names = {"aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY"}
    credentials = {name: runner.env[variable] for name, variable in names.items()}
    storage = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_session_token=runner.env["AWS_SESSION_TOKEN"],
        **credentials,
    )
    found = {item["Key"] for item in storage.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert "acme/.pulumi/stacks/tiny/one.json" in found
    with pytest.raises(ClientError, match="AccessDenied"):
        storage.list_object_versions(Bucket=BUCKET)
