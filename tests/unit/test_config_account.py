from __future__ import annotations

from typing import Any

import pytest

from byoc.config import AccountConfig, CreateNetwork, ExistingNetwork, load
from tests.unit.config_samples import (
    ACCOUNT,
    CERTIFICATE,
    EXISTING_NETWORK,
    EXTERNAL_ID,
    INLINE,
    SOURCE,
    account,
    changed,
    problems,
    refused,
)


def test_the_least_config_gives_the_documented_setup() -> None:
    config = account()
    assert config.names.is_documented
    assert config.network == CreateNetwork(kind="create")
    assert isinstance(config.network, CreateNetwork)
    assert (config.network.cidr, config.network.zone_count, config.network.nat) == ("10.0.0.0/16", 3, "single")
    assert config.access.principal_arns == ("arn:aws:iam::640174622193:role/HostBackendRoleProd",)
    assert config.external_ids == (EXTERNAL_ID,)
    assert config.runtime.log_retention_days == 30
    assert not config.runtime.load_balancer.public
    assert config.service_linked_roles
    assert config.deployments == {}
    assert config.account.partition == "aws"


def test_the_eu_control_plane_is_its_documented_role() -> None:
    config = account(access={"controlPlane": "eu"})
    assert config.access.principal_arns == ("arn:aws:iam::640174622193:role/HostBackendRoleProdEu",)


def test_during_a_rotation_both_external_ids_are_accepted() -> None:
    assert account(previousExternalId="the-one-before").external_ids == (EXTERNAL_ID, "the-one-before")


def test_no_external_id_is_needed_where_no_role_is_made() -> None:
    raw = {key: value for key, value in ACCOUNT.items() if key != "externalId"}
    config = load({**raw, "access": {"enabled": False}}, source=SOURCE)
    assert isinstance(config, AccountConfig)
    assert config.external_ids == ()
    assert list(problems(raw)) == ["byoc:externalId"]


def test_an_existing_network_is_adopted() -> None:
    network = account(network=EXISTING_NETWORK).network
    assert isinstance(network, ExistingNetwork)
    assert network.tag
    assert network.public_subnet_ids == ()


def test_a_network_without_kind_is_one_to_make() -> None:
    network = account(network={"zones": ["us-west-2b", "us-west-2d"]}).network
    assert isinstance(network, CreateNetwork)
    assert network.zones == ("us-west-2b", "us-west-2d")
    assert network.zone_count == 2


def test_a_network_without_nat_has_the_endpoints_that_tasks_start_with() -> None:
    endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
    assert account(network={"nat": "none", "interfaceEndpoints": endpoints})
    found = problems(changed(ACCOUNT, "network.nat", "none"))
    assert found.keys() == {"byoc:network.interfaceEndpoints"}
    assert "tasks could not pull images" in found["byoc:network.interfaceEndpoints"].remedy
    closed = {"nat": "none", "interfaceEndpoints": endpoints, "s3Endpoint": False}
    assert "s3Endpoint: true" in problems({**ACCOUNT, "network": closed})["byoc:network.interfaceEndpoints"].remedy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("accountId", 123456789012),
        ("accountId", "12345678901"),
        ("accountId", "1234-5678-9012"),
        ("accountId", "\uff11" * 12),
        ("accountId", None),
        ("region", "us-west-2a"),
        ("region", "uswest2"),
        ("region", ""),
        ("namePrefix", "Agents"),
        ("namePrefix", "1agents"),
        ("namePrefix", "agents-"),
        ("namePrefix", "a--b"),
        ("namePrefix", "a" * 25),
        ("namePrefix", "internal-tools"),
        ("namePrefix", "sg"),
        ("namePrefix", "aws-agents"),
        ("namePrefix", "agents\n"),
        ("tags", []),
        ("tags.byoc-install", "x"),
        ("tags.langgraph-cloud", "x"),
        ("tags.aws:owner", "x"),
        ("tags.AWS:owner", "x"),
        ("tags.owner", "a" * 257),
        ("tags.owner", "a\nb"),
        ("tags.owner", 3),
        ("tags." + "a" * 79, "a{b}"),
        ("ignoreTags.keys", "owner"),
        ("access.mode", "minimal"),
        ("access.mode", "Scoped"),
        ("access.allowDelete", "no"),
        ("access.suspend", 1),
        ("access.observeOnly", "yes"),
        ("access.controlPlane", "asia"),
        ("access.enabled", "yes"),
        ("access.principals", ["arn:aws:iam::111122223333:role/x"]),
        ("access.permissionsBoundary", "Boundary"),
        ("access.permissionsBoundary", "Own"),
        ("access.permissionsBoundary", "arn:aws:iam::123456789012:role/Boundary"),
        ("access.permissionsBoundary", "arn:aws:iam::999999999999:policy/Boundary"),
        ("access.rolePath", "agents/"),
        ("access.rolePath", "/agents"),
        ("access.rolePath", "/agents//x/ "),
        ("access.maxSessionHours", 13),
        ("access.maxSessionHours", 0),
        ("access.maxSessionHours", True),
        ("externalId", "x"),
        ("externalId", "with space"),
        ("externalId", "a" * 1225),
        ("externalId", "123456789012"),
        ("externalId", "999999999999"),
        ("previousExternalId", EXTERNAL_ID),
        ("network", "create"),
        ("network.kind", "creat"),
        ("network.cidr", "10.0.0.0/15"),
        ("network.cidr", "10.0.0.0/29"),
        ("network.cidr", "10.0.0.5/16"),
        ("network.cidr", "127.0.0.0/16"),
        ("network.cidr", "10.0.0.0"),
        ("network.cidr", "10.0.0.0/26"),
        ("network.zones", 1),
        ("network.zones", 7),
        ("network.zones", True),
        ("network.zones", "3"),
        ("network.zones", ["us-west-2a"]),
        ("network.zones", ["us-west-2a", "us-west-2a"]),
        ("network.nat", "two"),
        ("network.s3Endpoint", 1),
        ("network.subnetPrefixLength", 16),
        ("network.subnetPrefixLength", 29),
        ("network.subnetPrefixLength", 18),
        ("runtime.logRetentionDays", 31),
        ("runtime.logRetentionDays", 0),
        ("runtime.logRetentionDays", "30"),
        ("runtime.loadBalancer.public", "true"),
        ("runtime.containerInsights", None),
        ("serviceLinkedRoles", "no"),
        ("deployments", ["chat"]),
        ("deploymentSecrets", "{"),
    ],
)
def test_what_aws_would_refuse_later_is_refused(path: str, value: object) -> None:
    refused(ACCOUNT, path, value)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("network.zones", ["us-west-2a", "us-east-1b"], "network.zones[1]"),
        ("network.zones", ["us-west-2a", "us-west-2-lax-1a"], "network.zones[1]"),
        ("network.interfaceEndpoints", ["logs", "com.amazonaws.us-west-2.sts"], "network.interfaceEndpoints[1]"),
        ("network.interfaceEndpoints", ["s3"], "network.interfaceEndpoints[0]"),
        ("network.interfaceEndpoints", ["logs", "logs"], "network.interfaceEndpoints"),
        ("runtime.loadBalancer.allowedCidrs", ["10.0.0.0/8", "0.0.0.0/0"], "runtime.loadBalancer.allowedCidrs[1]"),
        ("runtime.loadBalancer.allowedCidrs", ["10.0.0.1/8"], "runtime.loadBalancer.allowedCidrs[0]"),
        ("runtime.loadBalancer.allowedCidrs", ["::/0"], "runtime.loadBalancer.allowedCidrs[0]"),
        ("runtime.alarmEmails", ["Ann <ann@example.com>"], "runtime.alarmEmails[0]"),
        ("runtime.repositories", ["agents/chat", "Agents"], "runtime.repositories[1]"),
        ("runtime.repositories", ["a"], "runtime.repositories[0]"),
        ("ignoreTags.keys", ["byoc-install"], "ignoreTags.keys[0]"),
        ("ignoreTags.keyPrefixes", ["byoc-"], "ignoreTags.keyPrefixes[0]"),
        ("ignoreTags.keyPrefixes", [""], "ignoreTags.keyPrefixes[0]"),
        (
            "access",
            {"controlPlane": "custom", "principals": ["arn:aws:iam::111122223333:root"]},
            "access.principals[0]",
        ),
        (
            "access",
            {"controlPlane": "custom", "principals": ["arn:aws-cn:iam::111122223333:role/x"]},
            "access.principals[0]",
        ),
        ("access", {"controlPlane": "custom"}, "access.principals"),
        ("network", {**EXISTING_NETWORK, "vpcId": "vpc-1"}, "network.vpcId"),
        ("network", {**EXISTING_NETWORK, "privateSubnetIds": ["subnet-0a1b2c3d"]}, "network.privateSubnetIds"),
        ("network", {**EXISTING_NETWORK, "privateSubnetIds": ["subnet-0a1b2c3d"] * 2}, "network.privateSubnetIds"),
        ("network", {**EXISTING_NETWORK, "publicSubnetIds": ["subnet-0a1b2c3d"]}, "network.publicSubnetIds"),
        ("network", {**EXISTING_NETWORK, "cidr": "10.0.0.0/16"}, "network.cidr"),
        ("network", {"kind": "existing", "vpcId": "vpc-0a1b2c3d"}, "network.privateSubnetIds"),
        ("network", {"vpcId": "vpc-0a1b2c3d"}, "network.vpcId"),
    ],
)
def test_the_place_of_a_problem_is_named(path: str, value: object, place: str) -> None:
    assert list(problems(changed(ACCOUNT, path, value))) == [f"byoc:{place}"]


def test_a_tag_cannot_be_set_and_ignored() -> None:
    raw = {
        **ACCOUNT,
        "tags": {"team": "a", "cost/center": "b"},
        "ignoreTags": {"keys": ["team"], "keyPrefixes": ["cost/"]},
    }
    assert list(problems(raw)) == ["byoc:ignoreTags.keys[0]", "byoc:ignoreTags.keyPrefixes[0]"]


def test_documented_principals_are_of_the_commercial_partition() -> None:
    problem = problems({**ACCOUNT, "region": "cn-north-1"})["byoc:access.controlPlane"]
    assert problem.value == '"us" (the default)'
    assert "aws-cn" in problem.allowed
    principals = ["arn:aws-cn:iam::111122223333:role/x"]
    assert account(region="cn-north-1", access={"controlPlane": "custom", "principals": principals})


def test_everywhere_may_be_named_where_load_balancers_are_public() -> None:
    runtime = {"loadBalancer": {"public": True, "allowedCidrs": ["0.0.0.0/0"]}}
    assert account(runtime=runtime).runtime.load_balancer.allowed_cidrs == ("0.0.0.0/0",)


def test_a_public_inline_deployment_needs_public_subnets_and_someone_who_may_come_in() -> None:
    chat = {**INLINE, "ingress": {"scheme": "internet-facing", "certificateArn": CERTIFICATE}}
    raw = {**ACCOUNT, "network": EXISTING_NETWORK, "deployments": {"chat": chat}}
    found = problems(raw)
    assert list(found) == ["byoc:deployments.chat.ingress.scheme"]
    assert account(
        network={**EXISTING_NETWORK, "publicSubnetIds": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]},
        runtime={"loadBalancer": {"allowedCidrs": ["198.51.100.0/24"]}},
        deployments={"chat": chat},
    )


def test_inline_deployments_are_validated_like_deployment_stacks() -> None:
    chat = {**INLINE, "size": {"cpu": 256, "memory": 4096}, "image": "registry.example.com/chat"}
    found = problems({**ACCOUNT, "deployments": {"chat": chat, "Bot": INLINE}})
    assert list(found) == [
        "byoc:deployments.chat.image",
        "byoc:deployments.chat.size.memory",
        "byoc:deployments.Bot",
    ]
    assert found["byoc:deployments.Bot"].value == 'the name "Bot"'


def test_secrets_belong_to_inline_deployments() -> None:
    found = problems({**ACCOUNT, "deployments": {"chat": INLINE}, "deploymentSecrets": {"chta": {"licenseKey": "k"}}})
    assert list(found) == ["byoc:deploymentSecrets.chta"]
    assert "chat" in found["byoc:deploymentSecrets.chta"].allowed
    config = account(deployments={"chat": INLINE}, deploymentSecrets={"chat": {"licenseKey": "k"}})
    key = config.secrets_of("chat").license_key
    assert key is not None
    assert key.get_secret_value() == "k"
    assert config.secrets_of("other").license_key is None


def test_an_inline_deployment_is_checked_as_a_whole_with_its_secrets() -> None:
    small = {**INLINE, "database": {"instanceClass": "db.t4g.micro"}, "environment": {"TOKEN": "x"}}
    raw = {
        **ACCOUNT,
        "deployments": {"chat": small},
        "deploymentSecrets": {"chat": {"secretEnvironment": {"TOKEN": "y"}}},
    }
    raw = changed(raw, "deployments.chat.size.maxContainers", 11)
    assert list(problems(raw)) == [
        "byoc:deployments.chat.database.instanceClass",
        "byoc:deploymentSecrets.chat.secretEnvironment.TOKEN",
    ]


def test_keys_of_a_deployment_stack_are_refused_with_the_kind_they_belong_to() -> None:
    problem = refused(ACCOUNT, "image", "a/b:1")
    assert problem.value == "an unknown key"
    assert problem.remedy == "remove it: it is a key of kind deployment"


def test_by_default_the_role_is_documented_and_no_switch_is_on() -> None:
    access = account().access
    assert (access.mode, access.allow_delete, access.suspend, access.observe_only) == ("documented", True, False, False)


@pytest.mark.parametrize(
    ("access", "guarded"),
    [
        ({"controlPlane": "custom"}, True),
        ({"controlPlane": "custom", "mode": "scoped"}, False),
        ({"controlPlane": "custom", "mode": "scoped", "guardrails": True}, True),
        ({"controlPlane": "us", "mode": "scoped"}, False),
        ({"controlPlane": "us"}, False),
    ],
)
def test_scoped_mode_has_no_guardrails_unless_asked_for(access: dict[str, object], guarded: bool) -> None:
    principals = ["arn:aws:iam::111122223333:role/control"] if access["controlPlane"] == "custom" else []
    assert account(access={**access, "principals": principals}).access.with_guardrails is guarded


@pytest.mark.parametrize(("key", "value"), [("suspend", True), ("observeOnly", True), ("allowDelete", False)])
def test_a_switch_without_a_role_to_work_on_is_refused(key: str, value: bool) -> None:
    raw = {name: setting for name, setting in ACCOUNT.items() if name != "externalId"}
    found = problems({**raw, "access": {"enabled": False, key: value}})
    assert list(found) == [f"byoc:access.{key}"]
    problem = found[f"byoc:access.{key}"]
    assert problem.allowed == f"{str(not value).lower()}, since access.enabled is false and no role is made"
    assert problem.remedy == "remove the switch, or set access.enabled to true"


@pytest.mark.parametrize(
    "external_id", ["acme-production-2026", "o-a1b2c3d4e5", "x7Kq2", "1234567890123456789", "prod-123456789012"]
)
def test_an_external_id_that_can_be_guessed_is_refused_unless_it_is_asked_for(external_id: str) -> None:
    problem = problems({**ACCOUNT, "externalId": external_id})["byoc:externalId"]
    assert problem.value == "[secret]"
    assert external_id not in problem.render()
    assert "byoc external-id new" in problem.remedy
    assert "access.allowGuessableExternalId" in problem.remedy
    allowed = account(externalId=external_id, access={"allowGuessableExternalId": True})
    assert allowed.external_ids == (external_id,)


def test_the_id_that_a_rotation_leaves_behind_may_be_what_it_is() -> None:
    assert account(previousExternalId="acme-production-2026").external_ids[1] == "acme-production-2026"


def test_a_whole_account_is_trusted_only_if_it_is_asked_for() -> None:
    access = {"controlPlane": "custom", "principals": ["arn:aws:iam::111122223333:root"]}
    problem = problems({**ACCOUNT, "access": access})["byoc:access.principals[0]"]
    assert "access.allowAccountRoot" in problem.remedy
    settings = account(access={**access, "allowAccountRoot": True}).access_settings
    assert settings.account_roots
    assert settings.principals == ("arn:aws:iam::111122223333:root",)
    assert not account(access={}).access_settings.account_roots


def test_a_wildcard_is_no_account_even_if_one_is_asked_for() -> None:
    access = {"controlPlane": "custom", "allowAccountRoot": True, "principals": ["arn:aws:iam::*:root"]}
    assert list(problems({**ACCOUNT, "access": access})) == ["byoc:access.principals[0]"]


@pytest.mark.parametrize(
    ("changes", "arn"),
    [
        ({}, None),
        ({"access": {"permissionsBoundary": "own"}}, "arn:aws:iam::123456789012:policy/LangGraphCloudBoundary"),
        (
            {"namePrefix": "acme", "access": {"permissionsBoundary": "own", "rolePath": "/teams/ai/"}},
            "arn:aws:iam::123456789012:policy/teams/ai/acme-Boundary",
        ),
        (
            {"access": {"permissionsBoundary": "arn:aws:iam::123456789012:policy/Company"}},
            "arn:aws:iam::123456789012:policy/Company",
        ),
    ],
)
def test_the_documents_know_the_boundary_by_its_arn_whoever_makes_it(changes: dict[str, Any], arn: str | None) -> None:
    assert account(**changes).access_settings.permissions_boundary == arn


def test_what_may_stand_for_a_boundary_is_said() -> None:
    problem = refused(ACCOUNT, "access.permissionsBoundary", "ours")
    assert problem.allowed == "the ARN of a managed IAM policy, or own"
    assert "write own for the boundary of this library" in problem.remedy
