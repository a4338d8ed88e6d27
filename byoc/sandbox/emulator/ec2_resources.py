"""Which EC2 resources a call is authorised on.

EC2 checks an action on every resource that its request names at the top level, and a create action also on the
resource to be made, whose id is ``*`` (AWS docs: Service Authorization Reference, Amazon EC2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byoc.sandbox.emulator.requests import ApiRequest

_KIND_OF_PREFIX = {
    "acl": "network-acl",
    "dopt": "dhcp-options",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "i": "instance",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
CREATED_KIND = {
    "AllocateAddress": "elastic-ip",
    "CreateInternetGateway": "internet-gateway",
    "CreateNatGateway": "natgateway",
    "CreateNetworkAcl": "network-acl",
    "CreateNetworkInterface": "network-interface",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
    "CreateVolume": "volume",
    "CreateVpc": "vpc",
    "CreateVpcEndpoint": "vpc-endpoint",
    "RunInstances": "instance",
}
"""The kind of resource that an action makes, as it stands in ARNs."""
_READS_OF_ONE = frozenset({"DescribeVpcAttribute"})
"""Reads that AWS limits by resource."""


def ec2_arn(request: ApiRequest, account: str, resource_id: str) -> str | None:
    """The ARN of a resource by its id, such as ``vpc-0abc``; None when its kind is not known."""
    kind = _KIND_OF_PREFIX.get(resource_id.rpartition("-")[0])
    if kind is None:
        return None
    return f"arn:{request.partition}:ec2:{request.region}:{account}:{kind}/{resource_id}"


def ec2_resources(request: ApiRequest, account: str) -> list[str]:
    """The ARNs that an EC2 call is authorised on."""
    if request.operation.startswith(("Describe", "Get")) and request.operation not in _READS_OF_ONE:
        return []
    found: list[str] = []
    kind = CREATED_KIND.get(request.operation)
    if kind is not None:
        found.append(f"arn:{request.partition}:ec2:{request.region}:{account}:{kind}/*")
    if request.operation.startswith("AuthorizeSecurityGroup") and request.get("TagSpecifications"):
        found.append(f"arn:{request.partition}:ec2:{request.region}:{account}:security-group-rule/*")
    named = (item for value in request.parameters.values() for item in (value if isinstance(value, list) else [value]))
    found += [arn for item in named if isinstance(item, str) and (arn := ec2_arn(request, account, item))]
    return found
