"""How network types are observed: made, changed behind the program's back, imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.sandbox.handlers.base import Properties
from tests.sandbox.observe_account import RESOURCE_TAGS, call
from tests.sandbox.observe_stage import Act, Case, Made, Stage, policy


def vpc_attribute(**attribute: Any) -> Act:
    return call("ec2", "modify_vpc_attribute", lambda made: {"VpcId": made.id, **attribute})


def move_gateway(made: Made) -> None:
    ec2 = made.stage.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.detach_internet_gateway(InternetGatewayId=made.id, VpcId=made.inputs["vpcId"])
    ec2.attach_internet_gateway(InternetGatewayId=made.id, VpcId=other)


def gateway(stage: Stage, **inputs: Any) -> str:
    return stage.make("aws:ec2/internetGateway:InternetGateway", **inputs).id


def table(stage: Stage) -> str:
    return stage.make("aws:ec2/routeTable:RouteTable", vpcId=stage.network()["vpc"]).id


def replace_route(made: Made) -> None:
    made.stage.client("ec2").replace_route(
        RouteTableId=made.inputs["routeTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway(made.stage, tags={"Name": "other"}),
    )


def nat(stage: Stage) -> Properties:
    address = stage.make("aws:ec2/eip:Eip", domain="vpc").id
    places = stage.network()
    return {"allocationId": address, "subnetId": places["a"], "connectivityType": "public", **RESOURCE_TAGS}


def endpoint(stage: Stage) -> Properties:
    return {
        "vpcId": stage.network()["vpc"],
        "serviceName": "com.amazonaws.eu-west-1.ecr.api",
        "vpcEndpointType": "Interface",
        "privateDnsEnabled": True,
        "subnetIds": [stage.network()["b"], stage.network()["a"]],
        "securityGroupIds": [stage.network()["group"]],
        "policy": policy("ecr:*", Principal="*"),
        **RESOURCE_TAGS,
    }


def change_endpoint(**change: Any) -> Act:
    return call("ec2", "modify_vpc_endpoint", lambda made: {"VpcEndpointId": made.id, **change})


def shrink_endpoint(made: Made) -> None:
    change_endpoint(RemoveSubnetIds=made.inputs["subnetIds"][:1])(made)


def group(stage: Stage) -> Properties:
    return {
        "name": "graphs",
        "description": "what it is for",
        "vpcId": stage.network()["vpc"],
        "ingress": [
            {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8", "192.168.0.0/16"]},
            {"protocol": "tcp", "fromPort": 80, "toPort": 80, "self": True, "description": "ours"},
        ],
        "egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}],
        "revokeRulesOnDelete": False,
        **RESOURCE_TAGS,
    }


def revoke(direction: str, **permission: Any) -> Act:
    return call(
        "ec2",
        f"revoke_security_group_{direction}",
        lambda made: {"GroupId": made.id, "IpPermissions": [permission]},
    )


def rule(stage: Stage) -> Properties:
    return {
        "securityGroupId": stage.network()["group"],
        "ipProtocol": "tcp",
        "fromPort": 8000,
        "toPort": 8080,
        "cidrIpv4": "10.0.0.0/8",
        "description": "ours",
        **RESOURCE_TAGS,
    }


def change_rule(**change: Any) -> Act:
    whole = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8080, "CidrIpv4": "10.0.0.0/8", "Description": "ours"}

    def act(made: Made) -> None:
        request = {"SecurityGroupRuleId": made.id, "SecurityGroupRule": {**whole, **change}}
        made.stage.client("ec2").modify_security_group_rules(
            GroupId=made.inputs["securityGroupId"], SecurityGroupRules=[request]
        )

    return act


RULE = Case(
    inputs=rule,
    behind={
        "cidrIpv4": change_rule(CidrIpv4="0.0.0.0/0"),
        "description": change_rule(Description="theirs"),
        "fromPort": change_rule(FromPort=1),
        "ipProtocol": change_rule(IpProtocol="udp"),
        "toPort": change_rule(ToPort=9000),
    },
)

CASES: Mapping[str, Case] = {
    "aws:ec2/vpc:Vpc": Case(
        inputs=lambda _stage: {
            "cidrBlock": "10.9.0.0/16",
            "enableDnsHostnames": True,
            "enableDnsSupport": True,
            "instanceTenancy": "default",
            **RESOURCE_TAGS,
        },
        behind={
            "enableDnsHostnames": vpc_attribute(EnableDnsHostnames={"Value": False}),
            "enableDnsSupport": vpc_attribute(EnableDnsSupport={"Value": False}),
        },
    ),
    "aws:ec2/subnet:Subnet": Case(
        inputs=lambda stage: {
            "vpcId": stage.network()["vpc"],
            "cidrBlock": "10.0.9.0/24",
            "availabilityZone": "eu-west-1c",
            "mapPublicIpOnLaunch": True,
            **RESOURCE_TAGS,
        },
        behind={
            "mapPublicIpOnLaunch": call(
                "ec2",
                "modify_subnet_attribute",
                lambda made: {"SubnetId": made.id, "MapPublicIpOnLaunch": {"Value": False}},
            )
        },
    ),
    "aws:ec2/internetGateway:InternetGateway": Case(
        inputs=lambda stage: {"vpcId": stage.network()["vpc"], **RESOURCE_TAGS}, behind={"vpcId": move_gateway}
    ),
    "aws:ec2/eip:Eip": Case(inputs=lambda _stage: {"domain": "vpc", **RESOURCE_TAGS}, behind={}),
    "aws:ec2/natGateway:NatGateway": Case(inputs=nat, behind={}),
    "aws:ec2/routeTable:RouteTable": Case(
        inputs=lambda stage: {"vpcId": stage.network()["vpc"], **RESOURCE_TAGS}, behind={}
    ),
    "aws:ec2/route:Route": Case(
        inputs=lambda stage: {
            "routeTableId": table(stage),
            "destinationCidrBlock": "0.0.0.0/0",
            "gatewayId": gateway(stage, vpcId=stage.network()["vpc"]),
        },
        behind={"gatewayId": replace_route},
        import_id=lambda made: f"{made.inputs['routeTableId']}_0.0.0.0/0",
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Case(
        inputs=lambda stage: {"routeTableId": table(stage), "subnetId": stage.network()["a"]},
        behind={},
        import_id=lambda made: f"{made.inputs['subnetId']}/{made.inputs['routeTableId']}",
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Case(
        inputs=endpoint,
        behind={
            "policy": change_endpoint(PolicyDocument=policy("s3:*", Principal="*")),
            "privateDnsEnabled": change_endpoint(PrivateDnsEnabled=False),
            "subnetIds": shrink_endpoint,
        },
    ),
    "aws:ec2/tag:Tag": Case(
        inputs=lambda stage: {"resourceId": stage.network()["a"], "key": "langgraph-cloud-private", "value": "1"},
        behind={
            "value": call(
                "ec2",
                "create_tags",
                lambda made: {
                    "Resources": [made.inputs["resourceId"]],
                    "Tags": [{"Key": made.inputs["key"], "Value": "2"}],
                },
            )
        },
    ),
    "aws:ec2/securityGroup:SecurityGroup": Case(
        inputs=group,
        behind={
            "egress": revoke("egress", IpProtocol="-1", IpRanges=[{"CidrIp": "0.0.0.0/0"}]),
            "ingress": revoke(
                "ingress", IpProtocol="tcp", FromPort=443, ToPort=443, IpRanges=[{"CidrIp": "10.0.0.0/8"}]
            ),
        },
        untold=frozenset({"egress", "ingress"}),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": RULE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": RULE,
}
