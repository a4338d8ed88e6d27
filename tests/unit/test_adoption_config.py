"""The config that is derived: it leaves what is there as it is, or says why it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from byoc.adoption.derive import derive
from byoc.config import AccountConfig
from byoc.errors import ByocError, InputError
from tests.unit.adoption_states import EXTERNAL_ID, State, attributes, findings, set_trust, trusts
from tests.unit.config_samples import account

US = "arn:aws:iam::640174622193:role/HostBackendRoleProd"
EU = "arn:aws:iam::640174622193:role/HostBackendRoleProdEu"
OWN = "arn:aws:iam::111122223333:role/OurControlPlane"


def config_of(folder: Path, change: Callable[[State], object] = lambda _: None) -> Mapping[str, Any]:
    return derive(findings(folder, change)).config


RANDOM_ID = "5a2c8f6e-3b1d-4e7a-9c04-d2f1b6a8e935"


def refusal(folder: Path, change: Callable[[State], object]) -> str:
    with pytest.raises(InputError) as caught:
        derive(findings(folder, change))
    assert EXTERNAL_ID not in str(caught.value)
    return str(caught.value)


def test_the_sample_gives_the_documented_setup_over_its_own_network(tmp_path: Path) -> None:
    derived = derive(findings(tmp_path))
    assert derived.config == {
        "kind": "account",
        "accountId": "123456789012",
        "region": "us-west-2",
        "access": {"controlPlane": "us"},
        "network": {
            "kind": "existing",
            "vpcId": "vpc-0aa2a53f5a8ad42a8",
            "privateSubnetIds": ["subnet-7e851d8a37373105f", "subnet-c89a0719ef070d92e"],
            "publicSubnetIds": ["subnet-4f7f4f33b9dd4d756", "subnet-eec1f4390845354ff"],
        },
        "runtime": {"loadBalancer": {"public": True}, "logRetentionDays": None},
        "adopted": {
            "descriptions": {
                "supplementPolicy": "",
                "loadBalancerSecurityGroup": "Security group for LangGraph Cloud Load Balancer",
                "serviceSecurityGroup": "Security group for LangGraph Cloud ECS services/RDS instances",
            }
        },
    }
    assert derived.secrets == {"externalId": EXTERNAL_ID}
    assert EXTERNAL_ID not in repr(derived)


def test_the_eu_control_plane_is_known(tmp_path: Path) -> None:
    assert config_of(tmp_path, lambda s: set_trust(s, trusts(EU, RANDOM_ID)))["access"] == {"controlPlane": "eu"}


def test_another_control_plane_is_named_and_no_guardrails_cut_off_what_runs(tmp_path: Path) -> None:
    access = config_of(tmp_path, lambda s: set_trust(s, trusts([US, OWN], RANDOM_ID)))["access"]
    assert access == {"controlPlane": "custom", "principals": [US, OWN], "guardrails": False}


def test_what_a_config_refuses_by_default_is_kept_as_the_role_has_it(tmp_path: Path) -> None:
    root = "arn:aws:iam::111122223333:root"
    access = config_of(tmp_path, lambda s: set_trust(s, trusts(root, "acme-production-2026")))["access"]
    assert access == {
        "controlPlane": "custom",
        "principals": [root],
        "guardrails": False,
        "allowAccountRoot": True,
        "allowGuessableExternalId": True,
    }
    rotated = config_of(tmp_path, lambda s: set_trust(s, trusts(US, [RANDOM_ID, "acme-production-2026"])))["access"]
    assert rotated == {"controlPlane": "us"}, "the id that is being replaced may be what it is"


def test_a_second_external_id_is_the_previous_one(tmp_path: Path) -> None:
    found = findings(tmp_path, lambda s: set_trust(s, trusts(US, ["one-id", "other-id"])))
    assert derive(found).secrets == {"externalId": "one-id", "previousExternalId": "other-id"}


@pytest.mark.parametrize(
    ("statement", "got"),
    [
        (trusts(US, ["id-1", "id-2", "id-3"]), "3 external ids"),
        (trusts(US, "an-id", Effect="Deny"), "another effect or action"),
        (trusts(US, "an-id", Action=["sts:AssumeRole", "sts:TagSession"]), "another effect or action"),
        (trusts(US, "an-id", Principal={"Service": "ec2.amazonaws.com"}), "another principal"),
        (trusts(US, "an-id", Principal="*"), "another principal"),
        (trusts(US, "an-id", Condition={}), "another condition"),
        (trusts(US, "an-id", Condition={"StringLike": {"sts:ExternalId": "an-*"}}), "another condition"),
        (trusts(US, "an-id", NotAction="sts:GetCallerIdentity"), "NotAction"),
    ],
)
def test_a_trust_policy_that_says_more_than_a_stack_can_is_refused(
    tmp_path: Path, statement: dict[str, Any], got: str
) -> None:
    message = refusal(tmp_path, lambda s: set_trust(s, statement))
    assert "the trust policy of the cross-account role says more than a stack can say; nothing was written" in message
    assert got in message
    assert "an-id" not in message


def test_role_path_boundary_and_session_are_kept(tmp_path: Path) -> None:
    def change(state: State) -> None:
        role = attributes(state, "aws_iam_role", "langgraph_cloud_role")
        role.update(
            path="/agents/", permissions_boundary="arn:aws:iam::123456789012:policy/B", max_session_duration=5400
        )

    assert config_of(tmp_path, change)["access"] == {
        "controlPlane": "us",
        "rolePath": "/agents/",
        "permissionsBoundary": "arn:aws:iam::123456789012:policy/B",
        "maxSessionHours": 2,
    }


def test_a_setup_without_the_role_is_run_from_inside(tmp_path: Path) -> None:
    def change(state: State) -> None:
        state["resources"] = [r for r in state["resources"] if r["name"] != "langgraph_cloud_role"]

    derived = derive(findings(tmp_path, change))
    assert derived.config["access"] == {"enabled": False}
    assert derived.secrets == {}


def test_a_retention_that_is_set_is_kept(tmp_path: Path) -> None:
    def change(state: State) -> None:
        attributes(state, "aws_cloudwatch_log_group")["retention_in_days"] = 90

    assert config_of(tmp_path, change)["runtime"]["logRetentionDays"] == 90


def test_load_balancers_stay_open_to_those_they_were_open_to(tmp_path: Path) -> None:
    def change(state: State) -> None:
        attributes(state, "aws_security_group", "lb_sg")["ingress"][0]["cidr_blocks"] = ["10.9.0.0/16", "10.8.0.0/16"]

    assert config_of(tmp_path, change)["runtime"]["loadBalancer"] == {"allowedCidrs": ["10.8.0.0/16", "10.9.0.0/16"]}


def test_container_insights_stay_off(tmp_path: Path) -> None:
    def change(state: State) -> None:
        attributes(state, "aws_ecs_cluster")["setting"] = []

    assert config_of(tmp_path, change)["runtime"]["containerInsights"] is False


def test_tags_on_everything_become_the_stacks_and_others_are_left_alone(tmp_path: Path) -> None:
    def change(state: State) -> None:
        for resource in state["resources"]:
            for instance in resource["instances"]:
                if "tags_all" in instance["attributes"]:
                    instance["attributes"]["tags_all"] |= {"team": "agents", "aws:cloudformation:stack-name": "x"}
        attributes(state, "aws_ecs_cluster")["tags_all"]["billing"] = "7"

    config = config_of(tmp_path, change)
    assert config["tags"] == {"team": "agents"}
    assert config["ignoreTags"] == {"keys": ["billing"]}


def test_without_subnet_tags_the_private_ones_are_those_of_the_database_group(tmp_path: Path) -> None:
    def change(state: State) -> None:
        state["resources"] = [r for r in state["resources"] if r["type"] != "aws_ec2_tag"]

    network = config_of(tmp_path, change)["network"]
    assert network["privateSubnetIds"] == ["subnet-7e851d8a37373105f", "subnet-c89a0719ef070d92e"]
    assert "publicSubnetIds" not in network


@pytest.mark.parametrize(
    ("type_", "message"),
    [
        ("aws_ecs_cluster", "0 clusters with a documented name: none"),
        ("aws_security_group", "there is no langgraph-cloud-lb-sg"),
        ("aws_db_subnet_group", "there is no langgraph-cloud-db-subnet-group"),
    ],
)
def test_what_is_no_documented_setup_is_refused(tmp_path: Path, type_: str, message: str) -> None:
    def change(state: State) -> None:
        state["resources"] = [r for r in state["resources"] if r["type"] != type_]

    assert message in refusal(tmp_path, change)


def test_what_a_stack_has_already_is_not_taken_over_by_another(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, lambda s: attributes(s, "aws_ecs_cluster").update(tags_all={"byoc-install": "langgraph-cloud"})
    )
    assert "langgraph-cloud-cluster carries the tag byoc-install; nothing was written" in message
    assert "work with the stack that has it" in message


# The settings that an adopted account needs


def test_logs_can_be_kept_for_ever() -> None:
    config = account(runtime={"logRetentionDays": None})
    assert isinstance(config, AccountConfig)
    assert config.runtime.log_retention_days is None


def test_the_names_of_rules_that_stay_are_checked() -> None:
    kept = ["lb-https-anywhere", "lb-http-10.0.0.0/8", "lb-to-service-in", "service-out"]
    assert account(adopted={"rules": kept}).adopted.rules == tuple(kept)


@pytest.mark.parametrize("name", ["data-out", "postgres", "lb-https", "account-runtime-service-out", ""])
def test_a_rule_that_no_adopted_group_has_is_refused(name: str) -> None:
    with pytest.raises(ByocError, match="the name of a rule of the load-balancer or service group"):
        account(adopted={"rules": [name]})


def test_the_config_survives_its_way_through_pulumi(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    raw = {key: json.loads(json.dumps(value)) for key, value in config.items() if key != "kind"}
    assert account(**raw).adopted.descriptions.supplement_policy == ""
