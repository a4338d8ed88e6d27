"""Reading a Terraform state: what is found, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byoc.adoption.found import RULE
from byoc.adoption.terraform import read_terraform_state
from byoc.errors import InputError
from tests.unit.adoption_states import EXTERNAL_ID, SAMPLE, attributes, findings, sample


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_terraform_state(path)
    assert EXTERNAL_ID not in str(caught.value)
    return str(caught.value)


def test_the_account_and_region_are_those_of_the_arns() -> None:
    found = read_terraform_state(SAMPLE)
    assert (found.account_id, found.region, found.live) == ("123456789012", "us-west-2", False)


def test_everything_managed_is_found_and_no_data_source() -> None:
    found = read_terraform_state(SAMPLE)
    managed = [r for r in sample()["resources"] if r["mode"] == "managed"]
    assert sum(item.type != RULE for item in found.resources) == sum(len(r["instances"]) for r in managed) == 28
    assert not any("data." in item.address for item in found.resources)


def test_addresses_are_as_terraform_writes_them() -> None:
    addresses = {item.address for item in read_terraform_state(SAMPLE).resources}
    assert "module.setup.aws_iam_service_linked_role.elastic_load_balancing[0]" in addresses
    assert 'module.setup.aws_ec2_tag.langgraph_cloud_enabled_tags["vpc-0aa2a53f5a8ad42a8"]' in addresses
    assert "module.setup.aws_ecs_cluster.langgraph_cloud_cluster" in addresses


def test_rules_inside_a_group_are_taken_apart_by_source(tmp_path: Path) -> None:
    def change(state: dict[str, Any]) -> None:
        group = attributes(state, "aws_security_group", "lb_sg")
        group["ingress"] = [
            {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.0.0/8", "192.168.0.0/16"]},
            {"protocol": "-1", "from_port": 0, "to_port": 0, "ipv6_cidr_blocks": ["::/0"], "self": True},
        ]
        group["egress"] = []

    rules = [item for item in findings(tmp_path, change).of_type(RULE) if "lb_sg" in item.address]
    assert [item.address.removeprefix("module.setup.aws_security_group.langgraph_cloud_lb_sg ") for item in rules] == [
        "ingress tcp 443-443 10.0.0.0/8",
        "ingress tcp 443-443 192.168.0.0/16",
        "ingress all ::/0",
        "ingress all sg-4b3dff235cee571b0",
    ]


def test_nothing_shows_a_trust_policy_when_it_is_printed() -> None:
    assert EXTERNAL_ID not in repr(read_terraform_state(SAMPLE))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nothing.tfstate: there is no such file; give a file that `terraform state pull` wrote" in refusal(
        tmp_path / "nothing.tfstate"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "this is not JSON"),
        ("[]", "no Terraform state of format version 4: version none"),
        ('{"version": 3, "modules": []}', "no Terraform state of format version 4: version 3"),
        ('{"version": 5, "resources": []}', "a state of format version 5, newer than the one known here, 4"),
        ('{"encrypted_data": "x", "encryption_version": "v0"}', "the state is encrypted"),
        ('{"version": 4, "resources": {}}', "no Terraform state of format version 4: version 4"),
        ('{"version": 4, "resources": []}', "the state manages nothing"),
        ('{"version": 4, "resources": [{"mode": "managed"}]}', "resources[0] is not as Terraform writes it"),
        ('{"version": 4, "resources": [7]}', "resources[0] is not as Terraform writes it"),
    ],
)
def test_what_is_no_state_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "terraform.tfstate"
    path.write_text(text)
    assert message in refusal(path)


def test_a_state_of_two_accounts_or_regions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "terraform.tfstate"
    state = sample()
    attributes(state, "aws_ecs_cluster")["arn"] = "arn:aws:ecs:eu-west-1:123456789012:cluster/langgraph-cloud-cluster"
    path.write_text(json.dumps(state))
    assert "more or less than one region: eu-west-1, us-west-2" in refusal(path)
    attributes(state, "aws_ecs_cluster")["arn"] = "arn:aws:ecs:us-west-2:210987654321:cluster/langgraph-cloud-cluster"
    path.write_text(json.dumps(state))
    assert "more or less than one account: 123456789012, 210987654321" in refusal(path)


@pytest.mark.parametrize(
    ("type_", "attribute", "value"),
    [
        ("aws_ecs_cluster", "setting", [{"name": "containerInsights"}]),
        ("aws_ecs_cluster", "tags_all", ["team"]),
        ("aws_db_subnet_group", "subnet_ids", "subnet-1"),
        ("aws_cloudwatch_log_group", "retention_in_days", "90"),
        ("aws_ecs_cluster", "id", None),
    ],
)
def test_an_attribute_that_the_provider_does_not_write_like_this_is_refused(
    tmp_path: Path, type_: str, attribute: str, value: object
) -> None:
    path = tmp_path / "terraform.tfstate"
    state = sample()
    attributes(state, type_)[attribute] = value
    path.write_text(json.dumps(state))
    place = next(n for n, r in enumerate(state["resources"]) if r["mode"] == "managed" and r["type"] == type_)
    assert f"resources[{place}] is not as Terraform writes it" in refusal(path)


def test_an_attribute_that_is_null_means_nothing(tmp_path: Path) -> None:
    found = findings(tmp_path, lambda state: attributes(state, "aws_ecs_cluster").update(tags_all=None, setting=None))
    assert found.one("aws_ecs_cluster", name="langgraph-cloud-cluster") is not None


def test_a_policy_that_is_attached_to_all_its_roles_at_once_is_taken_apart_by_role(tmp_path: Path) -> None:
    def change(state: dict[str, Any]) -> None:
        together = {
            "id": "LangGraphCloudRoleAttachment",
            "policy_arn": "arn:aws:iam::aws:policy/P",
            "roles": ["A", "B"],
        }
        state["resources"].append(
            {
                "mode": "managed",
                "type": "aws_iam_policy_attachment",
                "name": "role_attachments",
                "instances": [{"index_key": "P", "attributes": together}],
            }
        )

    taken = [item for item in findings(tmp_path, change).resources if item.text("policy_arn").endswith(":policy/P")]
    assert {item.type for item in taken} == {"aws_iam_role_policy_attachment"}
    assert {item.address for item in taken} == {'aws_iam_policy_attachment.role_attachments["P"]'}
    assert [item.text("role") for item in taken] == ["A", "B"]
