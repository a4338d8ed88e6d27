"""Staging labels of secrets go where AWS lets them go: to one version each, and no more than twenty of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from byoc.sandbox.emulator.server import Emulator
from tests.sandbox.emulator_stage import Stage, code


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as emulator:
        yield emulator


@pytest.fixture
def secrets(emulator: Emulator) -> Any:
    return Stage(emulator).aws("secretsmanager")


def versions(secrets: Any, count: int) -> list[str]:
    secrets.create_secret(Name="s", SecretString="0")
    return [secrets.put_secret_value(SecretId="s", SecretString=str(number))["VersionId"] for number in range(count)]


def label(secrets: Any, version: str, stage: str, **more: str) -> str | None:
    """The error code, if AWS refuses it."""
    try:
        secrets.update_secret_version_stage(SecretId="s", VersionStage=stage, MoveToVersionId=version, **more)
    except secrets.exceptions.ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def test_a_label_that_another_version_has_is_moved_only_by_who_says_where_it_is(secrets: Any) -> None:
    first, second = versions(secrets, 2)
    assert label(secrets, first, "kept") is None
    assert label(secrets, second, "kept") == "InvalidParameterException"
    assert label(secrets, second, "kept", RemoveFromVersionId=first) is None
    assert secrets.get_secret_value(SecretId="s", VersionStage="kept")["VersionId"] == second


def test_a_secret_has_twenty_labels_with_those_of_aws(secrets: Any) -> None:
    first, _ = versions(secrets, 2)
    assert [label(secrets, first, f"kept-{number}") for number in range(18)] == [None] * 18
    assert label(secrets, first, "one-more") == "LimitExceededException"
    secrets.update_secret_version_stage(SecretId="s", VersionStage="kept-0", RemoveFromVersionId=first)
    assert label(secrets, first, "one-more") is None


def test_a_secret_that_is_not_there_has_no_labels(secrets: Any) -> None:
    gone = "0" * 32
    missing = code(lambda: secrets.update_secret_version_stage(SecretId="no", VersionStage="x", MoveToVersionId=gone))
    assert missing == "ResourceNotFoundException"
