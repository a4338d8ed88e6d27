"""The pack as a whole: started as the engine starts it, over the example stacks and over a violation of each policy."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from byoc.policy.facts import Resource
from byoc.policy.pack import policies
from byoc.policy.tagging import TAGGABLE, tagged
from tests.golden.examples import ROOT, STACKS, recorded
from tests.unit.policy_analyzer import PACK, UNKNOWN, Analyzer, Planned, finished, planned, previewed, running_pack

RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EVERYONE = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]})
EVERYTHING = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

VIOLATIONS = {
    "no-public-database": Planned("aws:rds/clusterInstance:ClusterInstance", {"publiclyAccessible": True}),
    "encryption-at-rest": Planned("aws:efs/fileSystem:FileSystem", {"encrypted": False}),
    "encryption-in-flight": Planned("aws:lb/listener:Listener", {"protocol": "HTTPS"}),
    "no-open-ingress": Planned(
        RULE, {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0", "securityGroupId": UNKNOWN}
    ),
    "required-tags": Planned("aws:sns/topic:Topic", {}, provider_props={}),
    "no-default-provider": Planned("aws:ec2/route:Route", {}, provider_name="default_7_51_0"),
    "no-wildcard-trust": Planned("aws:iam/role:Role", {"assumeRolePolicy": EVERYONE, "path": UNKNOWN}),
    "no-wildcard-permissions": Planned("aws:iam/policy:Policy", {"policy": EVERYTHING, "name": UNKNOWN}),
}
"""For each policy that looks at one resource, one that violates it and no other."""


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    with running_pack() as analyzer:
        yield analyzer


@pytest.mark.parametrize("stack", STACKS)
def test_the_example_stacks_violate_nothing_at_an_update(pack: Analyzer, stack: str) -> None:
    resources = planned(recorded(stack))
    assert len(resources) > 20
    assert [found for resource in resources for found in pack.analyze(resource)] == []
    assert pack.analyze_stack(finished(resources)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_the_example_stacks_violate_nothing_in_a_preview(pack: Analyzer, stack: str) -> None:
    resources = previewed(planned(recorded(stack)))
    assert any(UNKNOWN in resource.props.values() for resource in resources)
    assert [found for resource in resources for found in pack.analyze(resource)] == []
    assert pack.analyze_stack(resources) == []


@pytest.mark.parametrize("policy", sorted(VIOLATIONS))
def test_each_policy_of_resources_refuses_what_violates_it(pack: Analyzer, policy: str) -> None:
    [found] = pack.analyze(VIOLATIONS[policy])
    assert found.policy == policy
    assert found.mandatory
    assert "got: " in found.message
    assert "mend it: " in found.message


def _changed(name: str, **props: Any) -> list[Planned]:
    """The example with everything in one stack, one of its resources changed."""
    resources = planned(recorded("all-in-one"))
    assert [resource.name for resource in resources].count(name) == 1
    return [
        replace(resource, props={**resource.props, **props}) if resource.name == name else resource
        for resource in resources
    ]


CHANGES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "databases-in-private-subnets": (
        "account-runtime-db-subnet-group",
        {"subnetIds": ["account-network-public-us-east-1a-id", "account-network-private-us-east-1c-id"]},
    ),
    "databases-open-to-servers-alone": (
        "account-runtime-postgres",
        {"referencedSecurityGroupId": "account-runtime-lb-sg-id"},
    ),
    "plain-http-inside-alone": (
        "account-deployment-assistant-ingress-listener",
        {"protocol": "HTTP", "port": 80, "sslPolicy": None},
    ),
    "open-at-load-balancers-alone": (
        "account-runtime-lb-https-anywhere",
        {"securityGroupId": "account-runtime-service-sg-id"},
    ),
}
"""For each policy that looks at a whole stack, a resource of the example and what is changed of it."""


@pytest.mark.parametrize("view", [finished, previewed])
@pytest.mark.parametrize("policy", sorted(CHANGES))
def test_each_policy_of_stacks_refuses_what_violates_it(pack: Analyzer, policy: str, view: Any) -> None:
    name, props = CHANGES[policy]
    [found] = pack.analyze_stack(view(_changed(name, **props)))
    assert found.policy == policy
    assert found.mandatory
    assert found.urn.endswith(f"::{name}")
    assert f"\n{name} (aws:" in found.message


def test_every_policy_is_shown_to_catch_a_violation() -> None:
    assert sorted([*VIOLATIONS, *CHANGES]) == sorted(policy.name for policy in policies())


@pytest.mark.parametrize("policy", sorted(VIOLATIONS))
def test_a_resource_of_which_nothing_is_known_yet_neither_breaks_a_policy_nor_violates_one(
    pack: Analyzer, policy: str
) -> None:
    violating = VIOLATIONS[policy]
    unknown = replace(
        violating,
        props=dict.fromkeys([*violating.props, "tags"], UNKNOWN),
        provider_name="aws",
        provider_props={"defaultTags": UNKNOWN, "allowedAccountIds": UNKNOWN},
    )
    undecided = [found for found in pack.analyze(unknown) if found.policy == policy]
    assert undecided == []


def test_what_is_unknown_hides_nothing_that_is_known(pack: Analyzer) -> None:
    props = {"ingress": [UNKNOWN, {"protocol": "-1", "cidrBlocks": [UNKNOWN, "0.0.0.0/0"]}], "vpcId": UNKNOWN}
    [found] = pack.analyze(Planned("aws:ec2/securityGroup:SecurityGroup", props))
    assert found.policy == "no-open-ingress"
    assert "ingress[1].cidrBlocks" in found.message


def test_the_users_config_reaches_the_rules(pack: Analyzer) -> None:
    plain = Planned(RULE, {"ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "0.0.0.0/0"})
    foreign = {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}
    trusting = Planned("aws:iam/role:Role", {"assumeRolePolicy": json.dumps({"Statement": [foreign]})})
    assert len(pack.analyze(plain)) == len(pack.analyze(trusting)) == 1
    try:
        pack.configure(
            no_open_ingress={"openPorts": [443, 80]}, no_wildcard_trust={"trustedAccounts": ["999999999999"]}
        )
        assert pack.analyze(plain) == pack.analyze(trusting) == []
    finally:
        pack.configure()
    assert len(pack.analyze(plain)) == 1


def test_the_engine_is_told_of_every_policy(pack: Analyzer) -> None:
    info = pack.info()
    assert info.name == "byoc"
    assert [policy.name for policy in info.policies] == [policy.name for policy in policies()]
    for policy in info.policies:
        assert policy.enforcementLevel == 1, f"{policy.name} is not mandatory"
        assert policy.description.endswith(".")
        assert policy.url.startswith("https://")
    schemas = {policy.name: sorted(policy.configSchema.properties) for policy in info.policies}
    assert {name: keys for name, keys in schemas.items() if keys} == {
        "encryption-at-rest": ["topicKeys"],
        "encryption-in-flight": ["tlsPolicies"],
        "no-open-ingress": ["openPorts"],
        "no-wildcard-trust": ["trustedAccounts"],
        "required-tags": ["requiredKeys"],
    }


def test_each_policy_and_each_key_of_its_config_is_documented() -> None:
    page = (ROOT / "docs" / "policies.md").read_text()
    for policy in policies():
        assert f"## `{policy.name}`" in page
        for key in policy.config_schema.properties if policy.config_schema else ():
            assert f"`{key}`" in page


@pytest.mark.parametrize("stack", STACKS)
def test_every_type_of_the_examples_that_takes_tags_is_in_the_list(stack: str) -> None:
    with_tags = {resource.type for resource in planned(recorded(stack)) if "tags" in resource.props}
    assert with_tags <= TAGGABLE
    bare = [Resource(resource.type, resource.name) for resource in planned(recorded(stack))]
    assert any(list(tagged(resource, {})) for resource in bare)


def test_the_pack_is_shipped_and_says_how_it_is_run() -> None:
    package_data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert "policy/PulumiPolicy.yaml" in package_data["byoc"]
    description = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())
    assert description["runtime"]["name"] == "python"
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    own = PACK / description["runtime"]["options"]["virtualenv"]
    assert own.resolve() == (ROOT / project["runtime"]["options"]["virtualenv"]).resolve()


def test_no_module_of_the_pack_hides_another_of_that_name() -> None:
    """The pack's folder comes first on the path of the process in which it runs."""
    names = {path.stem for path in PACK.glob("*.py")} - {"__init__", "__main__"}
    script = f"import sys, importlib.util; print([n for n in {sorted(names)} if importlib.util.find_spec(n)])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/")
    assert found.stdout.strip() == "[]"


def test_the_pack_imports_nothing_that_is_slow_to_load() -> None:
    script = "import byoc.policy.pack, sys; print([n for n in ('boto3', 'pulumi_aws', 'pydantic') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
