"""What is taken over, changed, added, left alone and in the way, by this project's own program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byoc.adoption.adoption import Adoption, adopt
from byoc.adoption.comparing import Change
from byoc.adoption.files import import_file_text
from byoc.adoption.terraform import read_terraform_state
from byoc.naming import Names
from byoc.project.project_file import read_project
from tests.unit.adoption_states import EXTERNAL_ID, SAMPLE, STACK, State, adopted, attributes
from tests.unit.example_stacks import ROOT

NAMES = (
    "control_plane_role",
    "supplement_policy",
    "execution_role",
    "cluster",
    "log_group",
    "db_subnet_group",
    "load_balancer_security_group",
    "service_security_group",
    "namespace",
)
"""What the documented module names."""


@pytest.fixture(scope="module")
def sample_adoption(tmp_path_factory: pytest.TempPathFactory) -> Adoption:
    return adopted(tmp_path_factory.mktemp("sample"))


def specs(adoption: Adoption) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(import_file_text(adoption))["resources"]
    return found


def changed(adoption: Adoption) -> dict[str, list[str]]:
    return {item.wanted.name: [one.property for one in item.changes] for item in adoption.taken if item.changes}


def test_what_the_first_up_changes_in_place_is_listed(sample_adoption: Adoption) -> None:
    assert changed(sample_adoption) == {
        "account-access-role": ["assumeRolePolicy", "description", "tags"],
        "account-access-supplement": ["policy", "tags"],
        "account-runtime-cluster": ["tags"],
        "account-runtime-db-subnet-group": ["description", "tags"],
        "account-runtime-execution-role": ["description", "tags"],
        "account-runtime-lb-sg": ["tags"],
        "account-runtime-log-group": ["tags"],
        "account-runtime-namespace": ["tags"],
        "account-runtime-service-sg": ["tags"],
    }
    assert sample_adoption.conflicts == ()


def test_a_change_says_from_what_to_what_and_shows_no_external_id(sample_adoption: Adoption) -> None:
    (group,) = (item for item in sample_adoption.taken if item.wanted.name == "account-runtime-db-subnet-group")
    assert group.changes == (
        Change(
            property="description",
            before="Managed by Terraform",
            after="Private subnets of LangGraph Cloud databases",
        ),
        Change(property="tags", before={}, after={"byoc-install": "langgraph-cloud"}),
    )
    (role,) = (item for item in sample_adoption.taken if item.wanted.name == "account-access-role")
    shown = json.dumps([(change.before, change.after) for change in role.changes])
    assert EXTERNAL_ID not in shown
    assert shown.count("[secret]") == 2
    assert EXTERNAL_ID not in repr(sample_adoption)


def test_every_import_id_is_of_the_form_that_the_provider_takes(sample_adoption: Adoption) -> None:
    ids = {item.wanted.name: item.import_id for item in sample_adoption.taken}
    custom = "arn:aws:iam::123456789012:policy/LangGraphCloudCustomPermissions"
    assert len(ids) == 25
    assert ids["account-access-role"] == "LangGraphCloudBYOCRole"
    assert ids["account-access-supplement"] == custom
    assert ids["account-access-supplement-attachment"] == f"LangGraphCloudBYOCRole/{custom}"
    assert ids["account-runtime-cluster"] == "langgraph-cloud-cluster"
    assert ids["account-runtime-db-subnet-group"] == "langgraph-cloud-db-subnet-group"
    assert ids["account-runtime-lb-sg"] == "sg-4b3dff235cee571b0"
    assert ids["account-runtime-log-group"] == "/aws/ecs/langgraph-cloud"
    assert ids["account-runtime-namespace"] == "ns-bmfq78ifpa6dfpql6dmi:vpc-0aa2a53f5a8ad42a8"
    tag = "account-network-tag-subnet-4f7f4f33b9dd4d756-langgraph-cloud-private"
    assert ids[tag] == "subnet-4f7f4f33b9dd4d756,langgraph-cloud-private"


def test_what_is_not_mapped_is_listed_with_why_and_what_to_do(sample_adoption: Adoption) -> None:
    addresses = [item.address.removeprefix("module.setup.") for item in sample_adoption.left]
    assert addresses == [
        "aws_iam_policy.secrets_read",
        "aws_iam_role_policy_attachment.secrets_read",
        "aws_iam_service_linked_role.elastic_load_balancing[0]",
        "aws_security_group.langgraph_cloud_lb_sg ingress tcp 443-443 0.0.0.0/0",
        "aws_security_group.langgraph_cloud_lb_sg ingress tcp 80-80 0.0.0.0/0",
        "aws_security_group.langgraph_cloud_lb_sg egress all 0.0.0.0/0",
        "aws_security_group.langgraph_cloud_service_sg ingress all sg-4b3dff235cee571b0",
        "aws_security_group.langgraph_cloud_service_sg ingress all sg-de3704d4b54a8f029",
        "aws_security_group.langgraph_cloud_service_sg egress all 0.0.0.0/0",
    ]
    assert all(item.why and item.to_do for item in sample_adoption.left)
    kept = [address for item, address in zip(sample_adoption.left, addresses, strict=True) if "alone" in item.why]
    assert kept == [addresses[3], addresses[8]]


def test_everything_found_is_taken_over_or_listed_once(sample_adoption: Adoption) -> None:
    named = [item.found.address for item in sample_adoption.taken] + [item.address for item in sample_adoption.left]
    assert sorted(named) == sorted(item.address for item in sample_adoption.findings.resources)


def test_a_thing_of_a_type_that_no_stack_makes_is_listed(tmp_path: Path) -> None:
    def change(state: State) -> None:
        bucket = {"id": "b", "arn": "arn:aws:s3:::b"}
        state["resources"].append(
            {"mode": "managed", "type": "aws_s3_bucket", "name": "b", "instances": [{"attributes": bucket}]}
        )

    last = adopted(tmp_path, change).left[-1]
    assert (last.address, last.why) == ("aws_s3_bucket.b", "no account stack makes anything of this type and name")


def test_the_documented_setup_needs_no_note(sample_adoption: Adoption) -> None:
    assert sample_adoption.notes == ()


def test_a_cross_account_role_of_another_name_stays_outside_and_that_is_said(tmp_path: Path) -> None:
    def change(state: State) -> None:
        attributes(state, "aws_iam_role", "langgraph_cloud_role").update(id="AcmeAgents", name="AcmeAgents")

    adoption = adopted(tmp_path, change)
    address = "module.setup.aws_iam_role.langgraph_cloud_role"
    assert adoption.config["access"] == {"enabled": False}
    assert adoption.notes == (
        f"{address} (AcmeAgents) lets somebody in, and its name is not the documented one: "
        "it stays as it is, outside the stack",
        "there is no role LangGraphCloudBYOCRole, so the config says access.enabled: false; AWS cannot rename a role. "
        "To have the stack make the documented one, set access and externalId, and give the control plane its ARN",
    )
    assert address in [item.address for item in adoption.left]
    assert not [item for item in adoption.added if item.name.startswith("account-access")]


def test_an_earlier_version_of_the_module_is_taken_over_in_the_same_way(
    tmp_path: Path, sample_adoption: Adoption
) -> None:
    """It attached each policy to all of its roles at once."""

    def change(state: State) -> None:
        for resource in state["resources"]:
            if resource["type"] == "aws_iam_role_policy_attachment":
                resource["type"] = "aws_iam_policy_attachment"
                for instance in resource["instances"]:
                    instance["attributes"]["roles"] = [instance["attributes"].pop("role")]

    adoption = adopted(tmp_path, change)
    assert [(t.wanted.name, t.import_id) for t in adoption.taken] == [
        (t.wanted.name, t.import_id) for t in sample_adoption.taken
    ]
    assert changed(adoption) == changed(sample_adoption)
    assert len(adoption.left) == len(sample_adoption.left)


@pytest.mark.parametrize(
    ("type_", "name", "attribute", "value"),
    [
        ("aws_security_group", "lb_sg", "description", "Made by hand"),
        ("aws_security_group", "service_sg", "description", "Made by hand"),
        ("aws_iam_policy", "custom_permissions", "description", "Made by hand"),
    ],
)
def test_a_description_that_only_a_replacement_could_change_is_kept(
    tmp_path: Path, type_: str, name: str, attribute: str, value: str
) -> None:
    adoption = adopted(tmp_path, lambda s: attributes(s, type_, name).update({attribute: value}))
    assert adoption.conflicts == ()
    (item,) = (item for item in adoption.taken if item.found.attributes.get(attribute) == value)
    assert attribute not in [change.property for change in item.changes]


@pytest.mark.parametrize(
    ("type_", "name", "attribute", "value", "property_", "replaces"),
    [
        ("aws_iam_role", "ecs_role", "path", "/other/", "path", True),
        ("aws_iam_policy", "custom_permissions", "path", "/other/", "path", True),
        ("aws_cloudwatch_log_group", "", "kms_key_id", "arn:aws:kms:us-west-2:123456789012:key/k", "kmsKeyId", False),
        ("aws_ecs_cluster", "", "configuration", [{"execute_command_configuration": []}], "configuration", False),
    ],
)
def test_a_replacement_or_a_loss_that_no_config_prevents_is_in_the_way(
    tmp_path: Path, type_: str, name: str, attribute: str, value: object, property_: str, replaces: bool
) -> None:
    (conflict,) = adopted(tmp_path, lambda s: attributes(s, type_, name).update({attribute: value})).conflicts
    assert (conflict.property, conflict.before, conflict.replaces) == (property_, value, replaces)


def test_a_setup_under_another_prefix_is_taken_over_under_it(tmp_path: Path, sample_adoption: Adoption) -> None:
    documented, other = Names(), Names("acme")
    text = SAMPLE.read_text()
    for name in NAMES:
        text = text.replace(getattr(documented, name), getattr(other, name))
    path = tmp_path / "terraform.tfstate"
    path.write_text(text)
    adoption = adopt(read_project(ROOT), STACK, read_terraform_state(path))
    assert adoption.config["namePrefix"] == "acme"
    assert (adoption.conflicts, adoption.notes) == ((), ())
    assert [item.wanted.name for item in adoption.taken] == [item.wanted.name for item in sample_adoption.taken]
    assert changed(adoption) == changed(sample_adoption)


# The import file


def test_parents_and_the_provider_come_first_and_are_named_once(sample_adoption: Adoption) -> None:
    seen: list[str] = []
    for spec in specs(sample_adoption):
        for key in ("parent", "provider"):
            assert key not in spec or seen.count(spec[key]) == 1
        seen.append(spec["name"])
    assert len(seen) == len(set(seen))


def test_the_file_is_the_same_each_time(sample_adoption: Adoption, tmp_path: Path) -> None:
    assert import_file_text(adopted(tmp_path)) == import_file_text(sample_adoption)


def test_each_entry_is_a_provider_a_component_or_a_resource_with_an_id(sample_adoption: Adoption) -> None:
    for spec in specs(sample_adoption):
        if spec["type"].startswith("pulumi:providers:"):
            assert spec.keys() == {"type", "name", "version", "inputs"}
        elif spec["type"].startswith("byoc:"):
            assert spec.keys() - {"parent"} == {"type", "name", "component"}
        else:
            assert spec.keys() - {"inputs"} == {"type", "name", "id", "parent", "provider", "version"}
            assert spec["provider"] == "aws"


def test_the_provider_is_the_one_that_the_program_makes(sample_adoption: Adoption) -> None:
    (provider,) = (spec for spec in specs(sample_adoption) if spec["type"] == "pulumi:providers:aws")
    (wanted,) = (item for item in sample_adoption.registered if item.type == "pulumi:providers:aws")
    assert provider["inputs"] == dict(wanted.inputs)
    assert json.loads(provider["inputs"]["allowedAccountIds"]) == ["123456789012"]


def test_a_trust_policy_is_read_as_a_secret_and_is_not_in_the_file(sample_adoption: Adoption) -> None:
    marked = {spec["name"]: spec["inputs"] for spec in specs(sample_adoption) if "inputs" in spec and "id" in spec}
    assert marked == {
        "account-access-role": {
            "assumeRolePolicy": {
                "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
                "plaintext": '""',
            }
        }
    }
    assert EXTERNAL_ID not in import_file_text(sample_adoption)


# What the program makes of the derived config


def test_rules_that_are_there_already_are_not_made_a_second_time(sample_adoption: Adoption) -> None:
    rules = {item.name for item in sample_adoption.registered if "securityGroup" in item.type and "Rule" in item.type}
    assert sample_adoption.config["adopted"]["rules"] == ["lb-https-anywhere", "service-out"]
    assert rules == {
        "account-runtime-data-out",
        "account-runtime-lb-http-vpc",
        "account-runtime-lb-to-service-in",
        "account-runtime-lb-to-service-out",
        "account-runtime-postgres",
        "account-runtime-redis",
    }


def test_a_policy_without_a_description_is_asked_for_without_one(sample_adoption: Adoption) -> None:
    (policy_,) = (item for item in sample_adoption.registered if item.name == "account-access-supplement")
    assert "description" not in policy_.inputs


def test_a_log_group_that_keeps_everything_is_asked_for_without_a_retention(sample_adoption: Adoption) -> None:
    (group,) = (item for item in sample_adoption.registered if item.type == "aws:cloudwatch/logGroup:LogGroup")
    assert "retentionInDays" not in group.inputs
