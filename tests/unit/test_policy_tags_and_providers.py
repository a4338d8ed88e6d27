"""The rules about tags and about providers."""

from __future__ import annotations

import importlib
import inspect
import json
from typing import Any

import pytest

from byoc.policy.facts import UNKNOWN, Provider, Resource
from byoc.policy.providers import explicit_provider
from byoc.policy.tagging import TAGGABLE, tagged

LOGS = "aws:cloudwatch/logGroup:LogGroup"
SECRET = "aws:secretsmanager/secret:Secret"
PROVIDER = "pulumi:providers:aws"
DEFAULTS = {"defaultTags": json.dumps({"tags": {"byoc-install": "acme"}})}


def resource(type_: str = LOGS, *, provider: dict[str, Any] | None = None, parents: str = "", **props: Any) -> Resource:
    made_by = Provider(PROVIDER, "aws", DEFAULTS if provider is None else provider)
    return Resource(type_, "it", props, f"urn:pulumi:dev::byoc::{parents}{type_}::it", made_by)


@pytest.mark.parametrize(
    "provider",
    [DEFAULTS, {"defaultTags": {"tags": {"byoc-install": "acme"}}}, {"defaultTags": UNKNOWN}],
    ids=["text", "object", "unknown"],
)
def test_default_tags_of_the_provider_are_enough(provider: dict[str, Any]) -> None:
    assert list(tagged(resource(provider=provider), {})) == []


@pytest.mark.parametrize("props", [{"tags": {"byoc-install": "acme"}}, {"tagsAll": {"byoc-install": "acme"}}])
def test_tags_of_its_own_are_enough(props: dict[str, Any]) -> None:
    assert list(tagged(resource(provider={}, **props), {})) == []


@pytest.mark.parametrize("props", [{}, {"tags": {"owner": "me"}}, {"tags": {"byoc-install": ""}}])
def test_a_resource_without_the_install_tag_is_named(props: dict[str, Any]) -> None:
    [found] = tagged(resource(provider={}, **props), {})
    assert found.problem.key == "tags: byoc-install"
    assert found.problem.remedy.endswith("put the tag among the provider's default tags")


@pytest.mark.parametrize("tags", [UNKNOWN, {"byoc-install": UNKNOWN}])
def test_tags_that_a_preview_does_not_know_are_left(tags: object) -> None:
    assert list(tagged(resource(provider={}, tags=tags), {})) == []


def test_a_type_is_judged_if_it_is_known_to_take_tags_or_has_some() -> None:
    assert list(tagged(resource("aws:ec2/route:Route", provider={}), {})) == []
    assert len(list(tagged(resource("aws:new/thing:Thing", provider={}, tags={"a": "b"}), {}))) == 1


def test_a_resource_cannot_claim_another_install_than_its_providers() -> None:
    [found] = tagged(resource(tags={"byoc-install": "other"}), {})
    assert found.problem.value == "other"
    assert found.problem.allowed == "acme, the install of this stack's provider"


def test_what_belongs_to_a_deployment_says_so_and_its_secrets_carry_the_documented_tag() -> None:
    parents = "byoc:index:Deployment$byoc:index:Secrets$"
    assert [found.problem.key for found in tagged(resource(SECRET, parents=parents), {})] == [
        "tags: byoc-deployment",
        "tags: langgraph-cloud",
    ]
    complete = {"byoc-deployment": "chat", "langgraph-cloud": "acme"}
    assert list(tagged(resource(SECRET, parents=parents, tags=complete), {})) == []
    assert list(tagged(resource(SECRET), {})) == []


def test_the_config_can_require_other_keys() -> None:
    settings = {"requiredKeys": ["byoc-install", "cost-center"]}
    assert [found.problem.key for found in tagged(resource(), settings)] == ["tags: cost-center"]
    assert list(tagged(resource(tags={"cost-center": "42"}), settings)) == []


@pytest.mark.parametrize(
    "ignored", [{"keys": ["byoc-install"]}, {"keyPrefixes": ["byoc-"]}, {"keys": ["a"], "keyPrefixes": ["b", "byoc"]}]
)
def test_a_provider_may_not_ignore_a_required_tag(ignored: dict[str, Any]) -> None:
    [found] = tagged(Resource(PROVIDER, "aws", {"ignoreTags": json.dumps(ignored)}), {})
    assert (found.problem.key, found.problem.remedy) == ("ignoreTags", "take it out of byoc:ignoreTags")


@pytest.mark.parametrize("ignored", [None, UNKNOWN, json.dumps({"keyPrefixes": ["kubernetes.io/"]})])
def test_a_provider_may_ignore_other_tags(ignored: object) -> None:
    assert list(tagged(Resource(PROVIDER, "aws", {"ignoreTags": ignored}), {})) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK warns of its own older names
@pytest.mark.parametrize("type_", sorted(TAGGABLE))
def test_each_type_that_is_said_to_take_tags_takes_them(type_: str) -> None:
    module, _, name = type_.removeprefix("aws:").partition("/")
    made = getattr(importlib.import_module(f"pulumi_aws.{module}"), name.partition(":")[2])
    assert "tags" in inspect.signature(made._internal_init).parameters


@pytest.mark.parametrize("name", ["default", "default_7_51_0"])
def test_a_default_provider_is_named_for_each_resource_that_goes_through_it(name: str) -> None:
    [found] = explicit_provider(Resource(LOGS, "logs", provider=Provider(PROVIDER, name)), {})
    assert found.message == (
        "logs (aws:cloudwatch/logGroup:LogGroup)\n"
        "  provider\n"
        f"      got:      {name} (pulumi:providers:aws), which Pulumi has made by itself\n"
        "      allowed:  a provider made in the program, bound to one account, role and region\n"
        "      mend it:  pass one as the option provider or providers (byoc.provider.aws_provider makes it), and list "
        "the package under pulumi:disable-default-providers"
    )


def test_a_provider_of_the_program_passes_and_so_does_what_has_none() -> None:
    assert list(explicit_provider(Resource(LOGS, "logs", provider=Provider(PROVIDER, "defaults-eu")), {})) == []
    assert list(explicit_provider(Resource("byoc:index:Deployment", "chat"), {})) == []
