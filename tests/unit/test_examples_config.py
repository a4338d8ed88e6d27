from __future__ import annotations

import re

import pytest

from byoc.config import AccountConfig, CreateNetwork, DeploymentConfig, ExistingNetwork, secret_keys
from byoc.types import DeploymentType
from tests.unit.example_stacks import NAMES, PASSPHRASE, ROOT, config, raw_config, stack_file


def test_the_examples_are_those_that_the_readme_speaks_of() -> None:
    assert set(NAMES) >= {"demo-account", "demo-chat", "demo-support", "adopted-vpc", "all-in-one"}


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_valid_and_its_secrets_are_encrypted(name: str) -> None:
    assert config(name).kind == raw_config(name)["kind"]
    assert stack_file(name).secrets_of_namespace("byoc") == secret_keys() & raw_config(name).keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_commented_and_names_its_passphrase(name: str) -> None:
    text = stack_file(name).path.read_text()
    assert f"export PULUMI_CONFIG_PASSPHRASE={PASSPHRASE}" in text
    assert len(re.findall(r"^ *#", text, re.MULTILINE)) >= 10


def _account(name: str) -> AccountConfig:
    found = config(name)
    assert isinstance(found, AccountConfig)
    return found


def _deployment(name: str) -> DeploymentConfig:
    found = config(name)
    assert isinstance(found, DeploymentConfig)
    return found


def test_the_demo_stacks_fit_together() -> None:
    account = _account("demo-account")
    assert isinstance(account.network, CreateNetwork)
    assert account.names.is_documented
    for name, kind in (("demo-chat", DeploymentType.DEVELOPMENT), ("demo-support", DeploymentType.PRODUCTION)):
        deployment = _deployment(name)
        assert deployment.type is kind
        assert deployment.account == account.account
        assert deployment.names == account.names
        assert deployment.external_id == account.external_id
        assert deployment.name == name.removeprefix("demo-")
        repository = deployment.image.partition("/")[2].partition(":")[0].partition("@")[0]
        assert repository in account.runtime.repositories


def test_the_adopted_vpc_is_an_existing_one_under_a_prefix_of_its_own() -> None:
    account = _account("adopted-vpc")
    assert isinstance(account.network, ExistingNetwork)
    assert not account.names.is_documented
    assert account.access.role_path == "/agents/"


def test_the_all_in_one_account_holds_a_deployment_of_each_type() -> None:
    account = _account("all-in-one")
    assert {deployment.type for deployment in account.deployments.values()} == set(DeploymentType)
    assert account.deployment_secrets.keys() == account.deployments.keys()
    assert account.external_ids == ()


def test_no_example_holds_a_secret_in_plain_text() -> None:
    for name in NAMES:
        text = (ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text()
        for key in secret_keys() & raw_config(name).keys():
            assert re.search(rf"^  byoc:{key}:\n    secure: v1:", text, re.MULTILINE), (name, key)
