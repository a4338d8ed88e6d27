"""An account on the embedded AWS as the documented Terraform module leaves it, and the state that goes with it.

The sample state is made up; EC2 and Cloud Map choose their own ids, so the state is rewritten to those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from byoc.sandbox.lifecycle import outputs_of
from byoc.sandbox.registry import handler_for
from byoc.sandbox.session import SandboxAws
from byoc.sandbox.state import ResourceState, StackState
from byoc.sandbox.state_crypto import StateCrypter
from tests.sandbox.sandbox_world import EXAMPLE_ACCOUNT, World

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "terraform-state-sample.json"
EXTERNAL_ID = "11111111-2222-3333-4444-555555555555"
"""That of the sample."""


class DocumentedAccount:
    """Makes in a world's account what the sample state says is there; :attr:`state` is the state with the real ids."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ids: dict[str, str] = {EXAMPLE_ACCOUNT: world.account_id}
        """The account's ids by the sample's."""
        self._sample: dict[str, Any] = json.loads(SAMPLE.read_text())
        self._network()
        for resource in self._sample["resources"]:
            if resource["mode"] == "managed" and resource["type"] != "aws_security_group":
                self._each(resource)
        for name in ("lb", "service"):
            self._group(name)
        text = SAMPLE.read_text()
        for old, new in self.ids.items():
            text = text.replace(old, new)
        self.state = world.root / "terraform.tfstate"
        self.state.write_text(text)

    def managed(self, type_: str) -> list[dict[str, Any]]:
        """The attributes of every instance of a type in the sample."""
        return [
            instance["attributes"]
            for resource in self._sample["resources"]
            if resource["mode"] == "managed" and resource["type"] == type_
            for instance in resource["instances"]
        ]

    def _each(self, resource: Mapping[str, Any]) -> None:
        make = getattr(self, f"_{resource['type']}")
        for instance in resource["instances"]:
            make(json.loads(self._renamed(json.dumps(instance["attributes"]))))

    def _renamed(self, text: str) -> str:
        for old, new in self.ids.items():
            text = text.replace(old, new)
        return text

    def _network(self) -> None:
        ec2 = self._world.aws("ec2")
        vpc_id = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
        self.ids["vpc-0aa2a53f5a8ad42a8"] = vpc_id
        for number, old in enumerate(sorted(set(re.findall(r"subnet-[0-9a-f]{17}", SAMPLE.read_text())))):
            zone = f"us-west-2{'ab'[number % 2]}"
            made = ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=zone)
            self.ids[old] = made["Subnet"]["SubnetId"]
        (private,) = (item["subnet_ids"] for item in self.managed("aws_db_subnet_group"))
        # RDS wants two zones.
        zones = {
            ec2.describe_subnets(SubnetIds=[self.ids[old]])["Subnets"][0]["AvailabilityZone"]: old for old in private
        }
        if len(zones) == 1:
            old = private[0]
            spare = next(item for item in self.ids if item.startswith("subnet-") and item not in private)
            self.ids[old], self.ids[spare] = self.ids[spare], self.ids[old]

    def _aws_cloudwatch_log_group(self, attributes: dict[str, Any]) -> None:
        self._world.aws("logs").create_log_group(logGroupName=attributes["name"])

    def _aws_db_subnet_group(self, attributes: dict[str, Any]) -> None:
        self._world.aws("rds").create_db_subnet_group(
            DBSubnetGroupName=attributes["name"],
            DBSubnetGroupDescription=attributes["description"],
            SubnetIds=attributes["subnet_ids"],
        )

    def _aws_ec2_tag(self, attributes: dict[str, Any]) -> None:
        tag = {"Key": attributes["key"], "Value": attributes["value"]}
        self._world.aws("ec2").create_tags(Resources=[attributes["resource_id"]], Tags=[tag])

    def _aws_ecs_cluster(self, attributes: dict[str, Any]) -> None:
        self._world.aws("ecs").create_cluster(
            clusterName=attributes["name"],
            settings=attributes["setting"],
            tags=[{"key": key, "value": value} for key, value in attributes["tags"].items()],
        )

    def _aws_iam_policy(self, attributes: dict[str, Any]) -> None:
        self._world.aws("iam").create_policy(
            PolicyName=attributes["name"],
            PolicyDocument=attributes["policy"],
            **({"Description": attributes["description"]} if attributes["description"] else {}),
        )

    def _aws_iam_role(self, attributes: dict[str, Any]) -> None:
        self._world.aws("iam").create_role(
            RoleName=attributes["name"], AssumeRolePolicyDocument=attributes["assume_role_policy"]
        )

    def _aws_iam_role_policy_attachment(self, attributes: dict[str, Any]) -> None:
        self._world.aws("iam").attach_role_policy(RoleName=attributes["role"], PolicyArn=attributes["policy_arn"])

    def _aws_iam_service_linked_role(self, attributes: dict[str, Any]) -> None:
        self._world.aws("iam").create_service_linked_role(AWSServiceName=attributes["aws_service_name"])

    def _aws_service_discovery_private_dns_namespace(self, attributes: dict[str, Any]) -> None:
        cloud_map = self._world.aws("servicediscovery")
        operation = cloud_map.create_private_dns_namespace(
            Name=attributes["name"],
            Vpc=attributes["vpc"],
            Description=attributes["description"],
            Tags=[{"Key": key, "Value": value} for key, value in attributes["tags"].items()],
        )["OperationId"]
        self.ids[attributes["id"]] = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]

    def _group(self, name: str) -> None:
        """A group with the rules that stand inside it; AWS's own egress rule is the one of the sample."""
        (attributes,) = (
            item for item in self.managed("aws_security_group") if item["name"] == f"langgraph-cloud-{name}-sg"
        )
        ec2 = self._world.aws("ec2")
        tags = [{"Key": key, "Value": value} for key, value in attributes["tags"].items()]
        group_id = ec2.create_security_group(
            GroupName=attributes["name"],
            Description=attributes["description"],
            VpcId=self.ids[attributes["vpc_id"]],
            TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
        )["GroupId"]
        self.ids[attributes["id"]] = group_id
        for rule in attributes["ingress"]:
            ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[self._permission(rule, group_id)])

    def _permission(self, rule: Mapping[str, Any], group_id: str) -> dict[str, Any]:
        groups = [self.ids[item] for item in rule["security_groups"]] + ([group_id] if rule["self"] else [])
        ports = {} if rule["protocol"] == "-1" else {"FromPort": rule["from_port"], "ToPort": rule["to_port"]}
        return {
            "IpProtocol": rule["protocol"],
            "IpRanges": [{"CidrIp": cidr} for cidr in rule["cidr_blocks"]],
            "UserIdGroupPairs": [{"GroupId": item} for item in groups],
            **ports,
        }


def import_into(world: World, stack: str, import_file: Path) -> None:
    """Put into the embedded engine's state what ``pulumi import --file`` would: each resource as AWS holds it."""
    aws = SandboxAws(
        endpoint=world.client.endpoint,
        region=world.region,
        credentials=world.client.administrator(world.account_id).boto3,
        run_id="import",
    )
    state = StackState(world.home / "state" / world.workspace.start().id, stack, StateCrypter.of_folder(world.home))
    urns: dict[str, str] = {}
    with state.exclusive():
        for spec in json.loads(import_file.read_text())["resources"]:
            parent = urns.get(spec.get("parent", ""), "")
            chain = f"{parent.split('::')[2]}$" if parent else ""
            urns[spec["name"]] = f"urn:pulumi:{stack}::byoc::{chain}{spec['type']}::{spec['name']}"
            state.put(_imported(spec, urns, parent, aws))
        state.fold()


def _imported(spec: Mapping[str, Any], urns: Mapping[str, str], parent: str, aws: SandboxAws) -> ResourceState:
    placed = {"urn": urns[spec["name"]], "type": spec["type"], "parent": parent}
    if spec.get("component"):
        return ResourceState(custom=False, **placed)
    if "id" not in spec:  # the provider
        return ResourceState(custom=True, id="imported", inputs=spec["inputs"], outputs=spec["inputs"], **placed)
    handler = handler_for(spec["type"])
    inputs = handler.observe(aws, spec["id"], {})
    assert inputs is not None, f"{spec['name']}: there is no {spec['id']}"
    id_ = handler.imported_id(aws, spec["id"])
    outputs = outputs_of(handler, aws, id_, inputs)
    assert outputs is not None
    return ResourceState(custom=True, id=id_, inputs=inputs, outputs=outputs, provider=urns[spec["provider"]], **placed)
