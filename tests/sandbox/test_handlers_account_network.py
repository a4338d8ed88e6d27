"""The handlers of EC2 networking, each through a whole life on the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from byoc.sandbox.emulator.server import Emulator
from byoc.sandbox.session import SandboxAws
from tests.sandbox.handler_life import BY_NAME, Stage, administrator


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[SandboxAws, list[str]]]:
    with Emulator.in_process() as emulator:
        yield administrator(emulator)


@pytest.fixture
def stage(account: tuple[SandboxAws, list[str]]) -> Iterator[Stage]:
    stage = Stage(*account)
    yield stage
    stage.strike()


def test_a_vpc_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    vpc = stage.live(
        "vpc:Vpc",
        "aws_vpc",
        {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True},
        changes=[{"enableDnsHostnames": False}, {"enableDnsSupport": False}],
    )
    assert vpc.id.startswith("vpc-")
    assert vpc.outputs["arn"] == f"arn:aws:ec2:eu-west-1:{stage.aws.account_id}:vpc/{vpc.id}"
    assert vpc.outputs["enableDnsHostnames"] is True
    assert vpc.outputs["mainRouteTableId"].startswith("rtb-")
    assert vpc.outputs["defaultSecurityGroupId"].startswith("sg-")
    assert vpc.outputs["defaultNetworkAclId"].startswith("acl-")


def test_a_subnet_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    subnet = stage.live(
        "subnet:Subnet",
        "aws_subnet",
        {"vpcId": vpc, "cidrBlock": "10.0.1.0/24", "availabilityZone": "eu-west-1b", "mapPublicIpOnLaunch": True},
        changes=[{"mapPublicIpOnLaunch": False}],
    )
    assert subnet.id.startswith("subnet-")
    assert subnet.outputs["availabilityZone"] == "eu-west-1b"
    assert subnet.outputs["mapPublicIpOnLaunch"] is True


def test_an_internet_gateway_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    first = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    second = stage.make("vpc:Vpc", cidrBlock="10.1.0.0/16").id
    gateway = stage.live(
        "internetGateway:InternetGateway",
        "aws_internet_gateway",
        {"vpcId": first},
        changes=[{"vpcId": second}, {"vpcId": first}],
    )
    assert gateway.outputs["vpcId"] == first


def test_an_elastic_ip_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    address = stage.live("eip:Eip", "aws_eip", {"domain": "vpc"}, not_ours=frozenset({"ec2:DisassociateAddress"}))
    assert address.id == address.outputs["allocationId"]
    assert address.outputs["publicIp"]
    assert address.outputs["publicDns"].endswith(".eu-west-1.compute.amazonaws.com")


def test_an_elastic_ip_that_something_holds_is_taken_off_before_its_release(stage: Stage) -> None:
    client = stage.aws.client("ec2")
    subnet = stage.network()["a"]
    interface = client.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = stage.make("eip:Eip", domain="vpc")
    client.associate_address(AllocationId=address.id, NetworkInterfaceId=interface)
    with stage.noted() as called:
        address.handler.delete(stage.aws, address.id, address.state)
    assert called[-2:] == ["ec2:DisassociateAddress", "ec2:ReleaseAddress"]
    assert address.handler.read(stage.aws, address.id, address.inputs) is None
    client.delete_network_interface(NetworkInterfaceId=interface)


def test_a_nat_gateway_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    subnet = stage.network()["a"]
    address = stage.make("eip:Eip", domain="vpc")
    gateway = stage.live("natGateway:NatGateway", "aws_nat_gateway", {"allocationId": address.id, "subnetId": subnet})
    assert gateway.id.startswith("nat-")
    assert gateway.outputs["allocationId"] == address.id
    assert gateway.outputs["publicIp"]


def test_a_route_table_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    network = stage.network()
    table = stage.live("routeTable:RouteTable", "aws_route_table", {"vpcId": network["vpc"]})
    assert table.id.startswith("rtb-")


def test_a_route_table_is_deleted_although_a_subnet_still_uses_it(stage: Stage) -> None:
    network = stage.network()
    table = stage.make("routeTable:RouteTable", vpcId=network["vpc"])
    stage.aws.client("ec2").associate_route_table(RouteTableId=table.id, SubnetId=network["a"])
    table.handler.delete(stage.aws, table.id, table.state)
    assert table.handler.read(stage.aws, table.id, table.inputs) is None


def test_a_route_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    network = stage.network()
    table = stage.make("routeTable:RouteTable", vpcId=network["vpc"]).id
    gateway = stage.make("internetGateway:InternetGateway", vpcId=network["vpc"]).id
    other = stage.make("internetGateway:InternetGateway", tags={"Name": "other"}).id
    route = stage.live(
        "route:Route",
        "aws_route",
        {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway},
        changes=[{"gatewayId": other}],
    )
    assert route.id == f"r-{table}1080289494"
    assert route.outputs["state"] == "active"


def test_a_route_to_another_target_is_not_taken_for_ours(stage: Stage) -> None:
    network = stage.network()
    table = stage.make("routeTable:RouteTable", vpcId=network["vpc"]).id
    gateway = stage.make("internetGateway:InternetGateway", vpcId=network["vpc"]).id
    destination = {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0"}
    stage.make("route:Route", **destination, gatewayId=gateway)
    assert BY_NAME["route:Route"].find(stage.aws, {**destination, "gatewayId": "igw-other"}) is None


def test_a_route_table_association_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    network = stage.network()
    table = stage.make("routeTable:RouteTable", vpcId=network["vpc"]).id
    association = stage.live(
        "routeTableAssociation:RouteTableAssociation",
        "aws_route_table_association",
        {"routeTableId": table, "subnetId": network["a"]},
    )
    assert association.id.startswith("rtbassoc-")


def test_a_new_table_for_a_subnet_replaces_the_association_deleted_first() -> None:
    handler = BY_NAME["routeTableAssociation:RouteTableAssociation"]
    diff = handler.diff({"routeTableId": "rtb-1", "subnetId": "s"}, {"routeTableId": "rtb-2", "subnetId": "s"})
    assert diff.replaces == {"routeTableId"}
    assert diff.delete_before_replace


def test_a_gateway_endpoint_follows_its_route_tables(stage: Stage) -> None:
    network = stage.network()
    one = stage.make("routeTable:RouteTable", vpcId=network["vpc"], tags={"Name": "one"}).id
    two = stage.make("routeTable:RouteTable", vpcId=network["vpc"], tags={"Name": "two"}).id
    endpoint = stage.live(
        "vpcEndpoint:VpcEndpoint",
        "aws_vpc_endpoint",
        {
            "vpcId": network["vpc"],
            "serviceName": "com.amazonaws.eu-west-1.s3",
            "vpcEndpointType": "Gateway",
            "routeTableIds": [one, two],
        },
        changes=[{"routeTableIds": [two]}],  # moto cannot delete an endpoint to which a table was added later
        not_ours=frozenset({"ec2:DescribeNetworkInterfaces"}),  # an Interface endpoint's
    )
    assert endpoint.outputs["prefixListId"].startswith("pl-")


def test_an_interface_endpoint_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    network = stage.network()
    group = stage.make("securityGroup:SecurityGroup", vpcId=network["vpc"], name="endpoints").id
    endpoint = stage.live(
        "vpcEndpoint:VpcEndpoint",
        "aws_vpc_endpoint",
        {
            "vpcId": network["vpc"],
            "serviceName": "com.amazonaws.eu-west-1.logs",
            "vpcEndpointType": "Interface",
            "privateDnsEnabled": True,
            "subnetIds": [network["a"]],
            "securityGroupIds": [group],
        },
        changes=[{"subnetIds": [network["a"], network["b"]]}],
    )
    assert endpoint.outputs["networkInterfaceIds"]
    assert [item["subnetId"] for item in endpoint.outputs["subnetConfigurations"]] == [network["a"]]
    assert endpoint.outputs["securityGroupIds"] == [group]


def test_a_gateway_endpoint_takes_another_route_table(stage: Stage) -> None:
    network = stage.network()
    table = stage.make("routeTable:RouteTable", vpcId=network["vpc"]).id
    service = "com.amazonaws.eu-west-1.s3"
    endpoint = stage.make("vpcEndpoint:VpcEndpoint", vpcId=network["vpc"], serviceName=service)
    changed = {**endpoint.inputs, "routeTableIds": [table]}
    endpoint.handler.update(stage.aws, endpoint.id, endpoint.inputs, changed)
    outputs = endpoint.handler.read(stage.aws, endpoint.id, changed)
    endpoint.handler.update(stage.aws, endpoint.id, changed, endpoint.inputs)  # else moto could not delete it
    assert outputs is not None
    assert outputs["routeTableIds"] == [table]


def test_the_order_of_an_endpoint_s_subnets_is_no_change() -> None:
    handler = BY_NAME["vpcEndpoint:VpcEndpoint"]
    assert not handler.diff({"subnetIds": ["a", "b"]}, {"subnetIds": ["b", "a"]}).changed


def test_private_dns_replaces_only_what_is_no_interface_endpoint() -> None:
    handler = BY_NAME["vpcEndpoint:VpcEndpoint"]
    for kind, replaces in (("Interface", set()), ("Gateway", {"privateDnsEnabled"})):
        diff = handler.diff({"vpcEndpointType": kind}, {"vpcEndpointType": kind, "privateDnsEnabled": True})
        assert diff.replaces == replaces


def test_a_single_tag_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    subnet = stage.network()["a"]
    tag = stage.live(
        "tag:Tag",
        "aws_ec2_tag",
        {"resourceId": subnet, "key": "langgraph-cloud-enabled", "value": "1"},
        changes=[{"value": "2"}, {"value": "1"}],
    )
    assert tag.id == f"{subnet},langgraph-cloud-enabled"


def test_deleting_a_single_tag_leaves_one_that_somebody_has_overwritten(stage: Stage) -> None:
    subnet = stage.network()["a"]
    tag = stage.make("tag:Tag", resourceId=subnet, key="owner", value="us")
    stage.aws.client("ec2").create_tags(Resources=[subnet], Tags=[{"Key": "owner", "Value": "them"}])
    tag.handler.delete(stage.aws, tag.id, tag.state)
    tags = stage.aws.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0]["Tags"]
    assert {"Key": "owner", "Value": "them"} in tags


def test_a_security_group_makes_the_provider_s_calls_all_its_life(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    web = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/16"]}
    everything = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}
    group = stage.live(
        "securityGroup:SecurityGroup",
        "aws_security_group",
        {"vpcId": vpc, "name": "lb", "description": "what it is for", "ingress": [web], "egress": [everything]},
        changes=[{"ingress": [{**web, "fromPort": 80, "toPort": 80}]}, {"egress": []}],
    )
    assert group.id.startswith("sg-")
    assert group.outputs["name"] == "lb"


def test_a_new_security_group_lets_nothing_out(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    group = stage.make("securityGroup:SecurityGroup", vpcId=vpc, name="closed")
    described = stage.aws.client("ec2").describe_security_groups(GroupIds=[group.id])["SecurityGroups"][0]
    assert (described["IpPermissions"], described["IpPermissionsEgress"]) == ([], [])
    assert described["Description"] == "Managed by Pulumi"


@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_a_security_group_rule_makes_the_provider_s_calls_all_its_life(stage: Stage, direction: str) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    group = stage.make("securityGroup:SecurityGroup", vpcId=vpc, name="one").id
    rule = stage.live(
        f"securityGroup{direction}Rule:SecurityGroup{direction}Rule",
        f"aws_vpc_security_group_{direction.lower()}_rule",
        {
            "securityGroupId": group,
            "cidrIpv4": "10.0.0.0/16",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "description": "web",
        },
        changes=[{"cidrIpv4": "10.0.0.0/8", "fromPort": 80, "toPort": 80}],
    )
    assert rule.id.startswith("sgr-")
    assert rule.outputs["securityGroupRuleId"] == rule.id
    assert rule.outputs["arn"].endswith(f":security-group-rule/{rule.id}")


def test_a_rule_for_everything_out_is_found_again(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    group = stage.make("securityGroup:SecurityGroup", vpcId=vpc, name="one").id
    kind = "securityGroupEgressRule:SecurityGroupEgressRule"
    rule = stage.make(kind, securityGroupId=group, cidrIpv4="0.0.0.0/0", ipProtocol="-1")
    assert rule.handler.find(stage.aws, rule.inputs) == rule.id


def test_a_rule_for_another_group_is_found_again_and_takes_a_new_port(stage: Stage) -> None:
    vpc = stage.make("vpc:Vpc", cidrBlock="10.0.0.0/16").id
    one = stage.make("securityGroup:SecurityGroup", vpcId=vpc, name="one").id
    two = stage.make("securityGroup:SecurityGroup", vpcId=vpc, name="two").id
    kind = "securityGroupIngressRule:SecurityGroupIngressRule"
    ports = {"ipProtocol": "tcp", "fromPort": 8000, "toPort": 8000}
    rule = stage.make(kind, securityGroupId=one, referencedSecurityGroupId=two, **ports)
    assert rule.handler.find(stage.aws, rule.inputs) == rule.id
    changed = {**rule.inputs, "fromPort": 9000, "toPort": 9000}
    assert not rule.handler.diff(rule.inputs, changed).replaces
    rule.handler.update(stage.aws, rule.id, rule.inputs, changed)
    assert rule.handler.find(stage.aws, changed) == rule.id
    assert rule.handler.find(stage.aws, rule.inputs) is None


def test_another_kind_of_source_replaces_a_rule() -> None:
    handler = BY_NAME["securityGroupIngressRule:SecurityGroupIngressRule"]
    diff = handler.diff({"cidrIpv4": "10.0.0.0/8"}, {"referencedSecurityGroupId": "sg-1"})
    assert diff.replaces == {"cidrIpv4", "referencedSecurityGroupId"}


def test_a_rule_with_no_source_or_two_is_refused() -> None:
    handler = BY_NAME["securityGroupIngressRule:SecurityGroupIngressRule"]
    with pytest.raises(ValueError, match="exactly one of cidrIpv4"):
        handler.check("r", {"ipProtocol": "tcp"}, None)
    with pytest.raises(ValueError, match="exactly one of cidrIpv4"):
        handler.check("r", {"cidrIpv4": "10.0.0.0/8", "prefixListId": "pl-1"}, None)
