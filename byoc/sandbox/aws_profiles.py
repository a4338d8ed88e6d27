"""Profiles of the AWS CLI and SDKs that lead into the embedded AWS: the control plane's, and each account's own."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

CONTROL_PLANE = "control-plane"
"""The profile of the documented control plane, which may assume the cross-account role; the one by default."""
ACCOUNT = "account"
"""The profile of the customer's own administrator."""

Credentials = Mapping[str, str | None]
"""As boto3 takes them: ``aws_access_key_id``, ``aws_secret_access_key``, ``aws_session_token``."""


def profiles_environment(folder: Path, endpoint: str, profiles: Mapping[str, Credentials]) -> dict[str, str]:
    """Write the profiles below ``folder``, readable by their owner alone; what to set so that they are found."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "credentials"
    content = configparser.ConfigParser(interpolation=None)
    for name, credentials in profiles.items():
        content[name] = {key: value for key, value in credentials.items() if value}
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)
    with unfinished.open("w", encoding="utf-8") as stream:
        content.write(stream)
    unfinished.replace(file)
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": str(file),
        # Settings of real accounts stay out: there is no such file.
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_PROFILE": CONTROL_PLANE,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def account_profiles(account_ids: Mapping[str, Credentials]) -> dict[str, Credentials]:
    """A profile ``account-<id>`` for each account; where there is one alone, ``account`` is its name as well."""
    named = {f"{ACCOUNT}-{account_id}": credentials for account_id, credentials in account_ids.items()}
    return {**named, **({ACCOUNT: next(iter(named.values()))} if len(named) == 1 else {})}
