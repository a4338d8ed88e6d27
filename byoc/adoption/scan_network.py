"""The documented security groups in a live account, and what they lead to: rules, VPC, subnets, namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from byoc import tags
from byoc.adoption.found import Found, rule_found
from byoc.adoption.scan_calls import Reading, pairs
from byoc.errors import ByocError
from byoc.naming import Names


class NetworkScan:
    """A look at the network of one install."""

    def __init__(self, aws: Reading, names: Names) -> None:
        self._aws = aws
        self._names = names

    def everything(self) -> Iterator[Found]:
        """The groups and their rules; the VPC that they are in, its documented tags, and its namespace."""
        groups = list(self._groups())
        yield from groups
        for group in groups:
            yield from self._rules(group)
        for vpc_id in dict.fromkeys(group.text("vpc_id") for group in groups):
            yield from self._vpc(vpc_id)
            yield from self._namespaces(vpc_id)

    def _groups(self) -> Iterator[Found]:
        names = [self._names.load_balancer_security_group, self._names.service_security_group]
        wanted = [{"Name": "group-name", "Values": names}]
        found = list(self._aws.all("ec2", "describe_security_groups", "SecurityGroups", Filters=wanted))
        vpcs = sorted({group["VpcId"] for group in found})
        if len(vpcs) > 1:
            raise ByocError(
                f"security groups named {names[0]} are in several VPCs: {', '.join(vpcs)}\n"
                "      allowed:  one install of these names in the region\n"
                "      mend it:  delete the groups that nothing uses, or adopt by the Terraform state"
            )
        for group in found:
            yield Found(
                type="aws_security_group",
                address=group["GroupId"],
                attributes={
                    "id": group["GroupId"],
                    "name": group["GroupName"],
                    "description": group["Description"],
                    "vpc_id": group["VpcId"],
                    "tags_all": pairs(group.get("Tags")),
                },
            )

    def _rules(self, group: Found) -> Iterator[Found]:
        wanted = [{"Name": "group-id", "Values": [group.text("id")]}]
        for rule in self._aws.all("ec2", "describe_security_group_rules", "SecurityGroupRules", Filters=wanted):
            everything = str(rule["IpProtocol"]) == "-1"
            yield rule_found(
                place=rule["SecurityGroupRuleId"],
                id=rule["SecurityGroupRuleId"],
                direction="egress" if rule["IsEgress"] else "ingress",
                security_group_id=rule["GroupId"],
                ip_protocol=str(rule["IpProtocol"]),
                from_port=None if everything else rule.get("FromPort"),
                to_port=None if everything else rule.get("ToPort"),
                description=rule.get("Description") or "",
                source={
                    "cidr_ipv4": rule.get("CidrIpv4"),
                    "cidr_ipv6": rule.get("CidrIpv6"),
                    "prefix_list_id": rule.get("PrefixListId"),
                    "referenced_security_group_id": rule.get("ReferencedGroupInfo", {}).get("GroupId"),
                },
                tags=pairs(rule.get("Tags")),
            )

    def _vpc(self, vpc_id: str) -> Iterator[Found]:
        for vpc in self._aws.answer("ec2", "describe_vpcs", VpcIds=[vpc_id])["Vpcs"]:
            dns = {
                key: self._aws.answer("ec2", "describe_vpc_attribute", VpcId=vpc_id, Attribute=name)[upper]["Value"]
                for key, name, upper in (
                    ("enable_dns_support", "enableDnsSupport", "EnableDnsSupport"),
                    ("enable_dns_hostnames", "enableDnsHostnames", "EnableDnsHostnames"),
                )
            }
            yield Found(
                type="aws_vpc",
                address=vpc_id,
                attributes={"id": vpc_id, "cidr_block": vpc["CidrBlock"], **dns},
            )
            yield from _documented_tags(vpc_id, pairs(vpc.get("Tags")))
        wanted = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "tag-key", "Values": [tags.PRIVATE_KEY]}]
        for subnet in self._aws.all("ec2", "describe_subnets", "Subnets", Filters=wanted):
            yield from _documented_tags(subnet["SubnetId"], pairs(subnet.get("Tags")))

    def _namespaces(self, vpc_id: str) -> Iterator[Found]:
        """By name. Cloud Map does not tell the VPC of a namespace; it is that of the security groups, as documented."""
        for namespace in self._aws.all("servicediscovery", "list_namespaces", "Namespaces"):
            if namespace["Name"] != self._names.namespace or namespace.get("Type") != "DNS_PRIVATE":
                continue
            tagged = self._aws.answer("servicediscovery", "list_tags_for_resource", ResourceARN=namespace["Arn"])
            yield Found(
                type="aws_service_discovery_private_dns_namespace",
                address=namespace["Arn"],
                attributes={
                    "id": namespace["Id"],
                    "arn": namespace["Arn"],
                    "name": namespace["Name"],
                    "description": namespace.get("Description", ""),
                    "vpc": vpc_id,
                    "tags_all": pairs(tagged.get("Tags")),
                },
            )


def _documented_tags(resource_id: str, found: Mapping[str, str]) -> Iterator[Found]:
    for key in (tags.ENABLED_KEY, tags.PRIVATE_KEY):
        if key in found:
            attributes = {"id": f"{resource_id},{key}", "resource_id": resource_id, "key": key, "value": found[key]}
            yield Found(type="aws_ec2_tag", address=f"{resource_id},{key}", attributes=attributes)
