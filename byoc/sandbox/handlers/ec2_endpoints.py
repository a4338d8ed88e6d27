"""VPC endpoint, of the kinds Gateway and Interface."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import as_written, first, present
from byoc.sandbox.handlers.calls_ec2 import (
    Described,
    describe,
    ec2_arn,
    filters,
    known_by_tags,
    specified_tags,
    tag_filters,
)
from byoc.sandbox.handlers.meaning import Unordered, json_text, same_json
from byoc.sandbox.handlers.tagging import EC2, TaggedHandler, TagShape

_GONE = ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")


class VpcEndpoint(TaggedHandler):
    """A VPC endpoint: routes for a Gateway one, network interfaces for an Interface one."""

    token = "aws:ec2/vpcEndpoint:VpcEndpoint"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"privateDnsEnabled": False, "vpcEndpointType": "Gateway"}
    kept = frozenset({"ipAddressType", "securityGroupIds"})
    replace_on = frozenset(
        {
            "resourceConfigurationArn",
            "serviceName",
            "serviceNetworkArn",
            "serviceRegion",
            "vpcEndpointType",
            "vpcId",
        }
    )
    tag_api = EC2
    recomputed: ClassVar[Mapping[str, frozenset[str]]] = {
        "subnetIds": frozenset({"networkInterfaceIds", "subnetConfigurations"})
    }

    _lists: ClassVar[Mapping[str, str]] = {
        "routeTableIds": "RouteTableIds",
        "securityGroupIds": "SecurityGroupIds",
        "subnetIds": "SubnetIds",
    }

    def diff(self, old: Properties, new: Properties) -> Diff:
        """Lists are sets, policies JSON; private DNS of anything but an Interface endpoint forces a new one."""
        diff = super().diff(old, new)
        changed = set(diff.changed)
        changed -= {name for name in self._lists if _as_set(old.get(name)) == _as_set(new.get(name))}
        if same_json(old.get("policy"), new.get("policy")):
            changed.discard("policy")
        replaces = set(diff.replaces)
        if "privateDnsEnabled" in changed and new.get("vpcEndpointType") != "Interface":
            replaces.add("privateDnsEnabled")
        return Diff(frozenset(changed), frozenset(replaces), diff.delete_before_replace)

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``ec2:CreateVpcEndpoint``."""
        answer = aws.client("ec2").create_vpc_endpoint(
            ClientToken=str(uuid.uuid4()),
            PrivateDnsEnabled=bool(inputs.get("privateDnsEnabled")),
            ServiceName=inputs["serviceName"],
            VpcEndpointType=inputs.get("vpcEndpointType") or "Gateway",
            VpcId=inputs["vpcId"],
            **present(PolicyDocument=inputs.get("policy"), IpAddressType=inputs.get("ipAddressType")),
            **present(**{key: inputs.get(name) for name, key in self._lists.items()}),
            **specified_tags("vpc-endpoint", inputs),
        )
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By VPC, service and tags, among those that are not on their way out."""
        wanted = [*filters(vpc_id=inputs["vpcId"], service_name=inputs["serviceName"]), *tag_filters(inputs)]
        endpoints = aws.client("ec2").describe_vpc_endpoints(Filters=wanted)["VpcEndpoints"]
        alive = [endpoint for endpoint in endpoints if endpoint["State"].lower() in ("pending", "available")]
        return known_by_tags(alive, inputs, "VpcEndpointId", "VPC endpoint")

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:  # noqa: ARG002
        """Wait until it is available."""
        aws.wait(f"VPC endpoint {id}", lambda: self._available(aws, id))

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """One ``ec2:ModifyVpcEndpoint`` with what comes and what goes, then wait."""
        change: dict[str, Any] = {}
        for name, key in self._lists.items():
            if name not in changed:
                continue
            before, after = _as_set(old.get(name)), _as_set(new.get(name))
            change.update(present(**{f"Add{key}": sorted(after - before), f"Remove{key}": sorted(before - after)}))
        if "privateDnsEnabled" in changed:
            change["PrivateDnsEnabled"] = bool(new.get("privateDnsEnabled"))
        if "policy" in changed:
            change.update({"PolicyDocument": new["policy"]} if new.get("policy") else {"ResetPolicy": True})
        super().modify(aws, id, changed - {*self._lists, "privateDnsEnabled", "policy"}, old, new)
        aws.client("ec2").modify_vpc_endpoint(VpcEndpointId=id, **change)
        aws.wait(f"VPC endpoint {id}", lambda: self._available(aws, id))

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The endpoint as described, its service's prefix list, and where its interfaces stand."""
        endpoint = self._describe(aws, id)
        if endpoint is None:
            return None
        by_name = [{"Name": "prefix-list-name", "Values": [endpoint["ServiceName"]]}]
        prefixes = describe(aws, "describe_prefix_lists", "PrefixLists", Filters=by_name) or {}
        interface_ids = endpoint.get("NetworkInterfaceIds") or []
        owner = endpoint.get("OwnerId") or aws.account_id
        return {
            "arn": ec2_arn(aws, f"vpc-endpoint/{id}", owner),
            "cidrBlocks": prefixes.get("Cidrs", []),
            "dnsEntries": [
                {"dnsName": entry.get("DnsName", ""), "hostedZoneId": entry.get("HostedZoneId", "")}
                for entry in endpoint.get("DnsEntries", [])
            ],
            "networkInterfaceIds": interface_ids,
            "ownerId": owner,
            "policy": as_written(inputs.get("policy"), endpoint.get("PolicyDocument", "")),
            "prefixListId": prefixes.get("PrefixListId", ""),
            "privateDnsEnabled": endpoint.get("PrivateDnsEnabled", False),
            "requesterManaged": endpoint.get("RequesterManaged", False),
            "routeTableIds": endpoint.get("RouteTableIds") or [],
            "securityGroupIds": [group["GroupId"] for group in endpoint.get("Groups") or []],
            "state": endpoint["State"],
            "subnetConfigurations": self._subnets(aws, interface_ids),
            "subnetIds": endpoint.get("SubnetIds") or [],
            "vpcEndpointType": endpoint.get("VpcEndpointType") or "Gateway",
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The endpoint as described. AWS's own policy, which allows everything, is none."""
        endpoint = self._describe(aws, id)
        if endpoint is None:
            return None
        policy = endpoint.get("PolicyDocument")
        return {
            "ipAddressType": endpoint.get("IpAddressType"),
            "policy": json_text(policy) if inputs.get("policy") or not _allows_everything(policy) else None,
            "privateDnsEnabled": endpoint.get("PrivateDnsEnabled", False),
            "routeTableIds": Unordered(endpoint.get("RouteTableIds") or []),
            "securityGroupIds": Unordered(group["GroupId"] for group in endpoint.get("Groups") or []),
            "serviceName": endpoint["ServiceName"],
            "subnetIds": Unordered(endpoint.get("SubnetIds") or []),
            "tagsAll": TagShape.UPPER.read(endpoint.get("Tags")),
            "vpcEndpointType": endpoint.get("VpcEndpointType") or "Gateway",
            "vpcId": endpoint["VpcId"],
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``ec2:DeleteVpcEndpoints``, then wait: until it is gone it holds its subnets and security groups."""
        if self._describe(aws, id) is None:
            return
        answer = aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[id])
        for failure in answer.get("Unsuccessful") or []:
            error = failure.get("Error", {})
            if error.get("Code") not in _GONE:
                raise RuntimeError(f"VPC endpoint {id}: {error.get('Code')}: {error.get('Message')}")
        aws.wait(f"deletion of VPC endpoint {id}", lambda: self._describe(aws, id) is None)

    @staticmethod
    def _subnets(aws: Aws, interface_ids: list[str]) -> list[dict[str, str]]:
        if not interface_ids:
            return []
        answer = aws.client("ec2").describe_network_interfaces(NetworkInterfaceIds=interface_ids)
        return [
            {"ipv4": interface.get("PrivateIpAddress", ""), "subnetId": interface["SubnetId"]}
            for interface in answer["NetworkInterfaces"]
        ]

    def _available(self, aws: Aws, id: str) -> bool:
        state = str((self._describe(aws, id) or {}).get("State", "")).lower()
        if state in ("failed", "rejected"):
            raise RuntimeError(f"VPC endpoint {id} is {state}")
        return state == "available"

    @staticmethod
    def _describe(aws: Aws, id: str) -> Described | None:
        endpoint = describe(aws, "describe_vpc_endpoints", "VpcEndpoints", *_GONE, VpcEndpointIds=[id])
        return None if endpoint is None or endpoint["State"].lower() == "deleted" else endpoint


def _as_set(value: object) -> set[str]:
    return set(value) if isinstance(value, list) else {str(value)} if value is not None else set()


def _allows_everything(policy: object) -> bool:
    """Whether a policy is AWS's own (AWS PrivateLink guide, "Default endpoint policy")."""
    try:
        read = json.loads(str(policy)) if policy else {}
    except ValueError:
        return False
    statement = first(read.get("Statement") or [{}])
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    return not read or (len(read["Statement"]) == 1 and statement == everything)


HANDLERS: tuple[type[Handler], ...] = (VpcEndpoint,)
