"""The providers: which account, as whom, with which tags, and nothing secret in the open."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from byoc.provider import AssumeRole, IgnoreTags, ProviderArgs, aws_provider, random_provider
from byoc.types import AwsAccount
from tests.components.harness import Registration, Secret, run

AWS_TYPE = "pulumi:providers:aws"
ACCOUNT = AwsAccount(account_id="123456789012", region="eu-west-1")
ROLE = "arn:aws:iam::123456789012:role/LangGraphCloudBYOCRole"


def provider(args: ProviderArgs) -> Registration:
    return run(lambda: aws_provider("aws", args)).only(AWS_TYPE)


def test_the_provider_works_in_the_given_account_and_region_only() -> None:
    assert provider(ProviderArgs(account=ACCOUNT)).plain == {
        "region": "eu-west-1",
        "allowedAccountIds": '["123456789012"]',
        # The SDK's own defaults. Neither keeps the provider from asking whose account it is in.
        "skipCredentialsValidation": "false",
        "skipRegionValidation": "true",
    }


def test_default_and_ignored_tags_reach_the_provider() -> None:
    inputs = provider(
        ProviderArgs(
            account=ACCOUNT,
            default_tags={"byoc-install": "langgraph-cloud", "team": "ml"},
            ignore_tags=IgnoreTags(keys=("CostCenter",), key_prefixes=("aws-backup:",)),
        )
    ).plain
    assert json.loads(inputs["defaultTags"]) == {"tags": {"byoc-install": "langgraph-cloud", "team": "ml"}}
    assert json.loads(inputs["ignoreTags"]) == {"keys": ["CostCenter"], "keyPrefixes": ["aws-backup:"]}


def test_ignored_keys_alone_say_nothing_of_prefixes() -> None:
    inputs = provider(ProviderArgs(account=ACCOUNT, ignore_tags=IgnoreTags(keys=("CostCenter",)))).plain
    assert json.loads(inputs["ignoreTags"]) == {"keys": ["CostCenter"]}


@pytest.mark.parametrize("given", [lambda: "org-0123456789", lambda: pulumi.Output.secret("org-0123456789")])
def test_the_external_id_goes_to_the_engine_only_as_a_secret(given: Callable[[], Any]) -> None:
    def program() -> None:
        role = AssumeRole(role_arn=ROLE, external_id=given(), session_name="control-plane", duration="30m")
        aws_provider("aws", ProviderArgs(account=ACCOUNT, assume_role=role))

    registration = run(program).only(AWS_TYPE)
    assumed = registration.inputs["assumeRoles"]
    assert isinstance(assumed, Secret)
    assert json.loads(assumed.value) == [
        {
            "roleArn": ROLE,
            "externalId": "org-0123456789",
            "sessionName": "control-plane",
            "duration": "30m",
        }
    ]
    assert "org-0123456789" not in str({k: v for k, v in registration.inputs.items() if k != "assumeRoles"})


def test_a_session_is_called_byoc_and_lasts_as_long_as_aws_says_unless_told_otherwise() -> None:
    args = ProviderArgs(account=ACCOUNT, assume_role=AssumeRole(role_arn=ROLE, external_id="org-0123456789"))
    (assumed,) = json.loads(provider(args).plain["assumeRoles"])
    assert assumed == {"roleArn": ROLE, "externalId": "org-0123456789", "sessionName": "byoc"}


def test_the_random_provider_has_no_settings() -> None:
    registration = run(lambda: random_provider("random")).only("pulumi:providers:random")
    assert registration.plain == {}
