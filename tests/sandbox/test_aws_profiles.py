"""Profiles of the AWS CLI and SDKs that lead into the embedded AWS."""

from __future__ import annotations

import stat
from pathlib import Path

import boto3
import pytest

from byoc.sandbox.aws_profiles import account_profiles, profiles_environment
from tests.sandbox.sandbox_world import World

KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "100%secret", "aws_session_token": None}


@pytest.fixture
def environment(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = world.workspace.cli_environment()
    for name, value in found.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return found


def who(profile: str | None = None) -> str:
    return str(boto3.Session(profile_name=profile, region_name="us-west-2").client("sts").get_caller_identity()["Arn"])


def test_the_control_plane_s_is_the_one_by_default(environment: dict[str, str]) -> None:
    assert environment["AWS_PROFILE"] == "control-plane"
    assert ":assumed-role/HostBackendRoleProd/" in who()


def test_the_customer_s_is_that_of_the_stacks_account(environment: dict[str, str], world: World) -> None:
    assert environment["AWS_ENDPOINT_URL"] == world.client.endpoint
    assert who("account").split(":")[4] == world.account_id
    assert who("account") == who(f"account-{world.account_id}")


def test_nobody_else_reads_the_file(environment: dict[str, str]) -> None:
    assert stat.S_IMODE(Path(environment["AWS_SHARED_CREDENTIALS_FILE"]).stat().st_mode) == 0o600


def test_settings_of_real_accounts_stay_out(environment: dict[str, str]) -> None:
    assert not Path(environment["AWS_CONFIG_FILE"]).exists()


def test_of_several_accounts_none_is_the_account() -> None:
    assert set(account_profiles({"111122223333": KEYS, "444455556666": KEYS})) == {
        "account-111122223333",
        "account-444455556666",
    }


def test_keys_are_written_as_they_are(tmp_path: Path) -> None:
    found = profiles_environment(tmp_path / "aws", "http://127.0.0.1:1", {"one": KEYS})
    text = Path(found["AWS_SHARED_CREDENTIALS_FILE"]).read_text()
    assert "aws_secret_access_key = 100%secret" in text
    assert "token" not in text
