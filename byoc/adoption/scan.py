"""Looking for the documented setup in a live account: by its names and tags, with calls that read and no others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from byoc import tags
from byoc.adoption.found import Findings, Found, rule_found
from byoc.errors import ByocError, InputError
from byoc.naming import Names

_ABSENT = frozenset({"NoSuchEntity", "DBSubnetGroupNotFoundFault", "ClusterNotFoundException"})
_SERVICE_ROLES = "/aws-service-role/"


def scan_account(session: boto3.Session, account_id: str, names: Names) -> Findings:
    """What the documented setup under ``names`` consists of, in the session's region.

    Raises :class:`~byoc.errors.InputError` if the credentials are another account's, and ``ByocError`` with the action
    if a call is refused.
    """
    scan = _Scan(session, names)
    caller = scan.answer("sts", "get_caller_identity")["Account"]
    if caller != account_id:
        raise InputError(
            f"--account: the credentials are those of account {caller}, not {account_id}\n"
            "      mend it:  use credentials of the account that is to be adopted, or correct --account"
        )
    region = str(session.region_name)
    return Findings(
        account_id=account_id,
        region=region,
        source=f"account {account_id} in {region}",
        live=True,
        resources=tuple(scan.everything()),
    )


class _Scan:
    """One look at one account and region."""

    def __init__(self, session: boto3.Session, names: Names) -> None:
        self._session = session
        self._names = names
        self._clients: dict[str, Any] = {}

    def everything(self) -> Iterator[Found]:
        """All that belongs to the setup, each in the form that Terraform's state has."""
        yield from self._roles()
        yield from self._service_linked_roles()
        yield from self._cluster()
        yield from self._log_group()
        yield from self._subnet_group()
        groups = list(self._groups())
        yield from groups
        for group in groups:
            yield from self._rules(group)
        for vpc_id in dict.fromkeys(group.text("vpc_id") for group in groups):
            yield from self._vpc(vpc_id)
            yield from self._namespaces(vpc_id)

    # Calls

    def answer(self, service: str, call: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - of any AWS call
        """The answer of one reading call."""
        return dict(_told(f"{service}:{call}", lambda: getattr(self._client(service), call)(**arguments)))

    def _all(self, service: str, call: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        pages = self._client(service).get_paginator(call).paginate(**arguments)
        for page in _told(f"{service}:{call}", lambda: list(pages)):
            yield from page.get(key, [])

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]

    # What is looked for

    def _roles(self) -> Iterator[Found]:
        for name in (self._names.control_plane_role, self._names.execution_role):
            try:
                role = self.answer("iam", "get_role", RoleName=name)["Role"]
            except LookupError:
                continue
            yield Found(
                type="aws_iam_role",
                address=role["Arn"],
                attributes={
                    "id": name,
                    "arn": role["Arn"],
                    "name": name,
                    "path": role["Path"],
                    "description": role.get("Description", ""),
                    "assume_role_policy": _document(role["AssumeRolePolicyDocument"]),
                    "max_session_duration": role.get("MaxSessionDuration", 3600),
                    "permissions_boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
                    "tags_all": _pairs(role.get("Tags")),
                },
            )
            for attached in self._all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name):
                yield from self._attached(name, attached["PolicyArn"])

    def _attached(self, role: str, arn: str) -> Iterator[Found]:
        yield Found(
            type="aws_iam_role_policy_attachment",
            address=f"{role}/{arn}",
            attributes={"id": f"{role}/{arn}", "role": role, "policy_arn": arn},
        )
        if ":iam::aws:" in arn:
            return
        policy = self.answer("iam", "get_policy", PolicyArn=arn)["Policy"]
        version = self.answer("iam", "get_policy_version", PolicyArn=arn, VersionId=policy["DefaultVersionId"])
        yield Found(
            type="aws_iam_policy",
            address=arn,
            attributes={
                "id": arn,
                "arn": arn,
                "name": policy["PolicyName"],
                "path": policy["Path"],
                "description": policy.get("Description", ""),
                "policy": _document(version["PolicyVersion"]["Document"]),
                "tags_all": _pairs(policy.get("Tags")),
            },
        )

    def _service_linked_roles(self) -> Iterator[Found]:
        for role in self._all("iam", "list_roles", "Roles", PathPrefix=_SERVICE_ROLES):
            attributes = {"id": role["Arn"], "arn": role["Arn"], "name": role["RoleName"]}
            yield Found(type="aws_iam_service_linked_role", address=role["Arn"], attributes=attributes)

    def _cluster(self) -> Iterator[Found]:
        include = ["SETTINGS", "CONFIGURATIONS", "TAGS"]
        answer = self.answer("ecs", "describe_clusters", clusters=[self._names.cluster], include=include)
        for cluster in answer.get("clusters", []):
            if cluster.get("status") == "INACTIVE":
                continue
            yield Found(
                type="aws_ecs_cluster",
                address=cluster["clusterArn"],
                attributes={
                    "id": cluster["clusterArn"],
                    "arn": cluster["clusterArn"],
                    "name": cluster["clusterName"],
                    "setting": cluster.get("settings") or [],
                    "configuration": cluster.get("configuration") or [],
                    "service_connect_defaults": cluster.get("serviceConnectDefaults") or [],
                    "tags_all": {tag["key"]: tag["value"] for tag in cluster.get("tags") or []},
                },
            )

    def _log_group(self) -> Iterator[Found]:
        name = self._names.log_group
        for group in self._all("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name):
            if group["logGroupName"] != name:
                continue
            arn = group["arn"].removesuffix(":*")
            yield Found(
                type="aws_cloudwatch_log_group",
                address=arn,
                attributes={
                    "id": name,
                    "arn": arn,
                    "name": name,
                    "kms_key_id": group.get("kmsKeyId", ""),
                    "retention_in_days": group.get("retentionInDays", 0),
                    "tags_all": self.answer("logs", "list_tags_for_resource", resourceArn=arn).get("tags", {}),
                },
            )

    def _subnet_group(self) -> Iterator[Found]:
        name = self._names.db_subnet_group
        try:
            found = self.answer("rds", "describe_db_subnet_groups", DBSubnetGroupName=name)["DBSubnetGroups"]
        except LookupError:
            return
        for group in found:
            arn = group["DBSubnetGroupArn"]
            tagged = self.answer("rds", "list_tags_for_resource", ResourceName=arn)
            yield Found(
                type="aws_db_subnet_group",
                address=arn,
                attributes={
                    "id": name,
                    "arn": arn,
                    "name": group["DBSubnetGroupName"],
                    "description": group.get("DBSubnetGroupDescription", ""),
                    "subnet_ids": [subnet["SubnetIdentifier"] for subnet in group["Subnets"]],
                    "tags_all": _pairs(tagged.get("TagList")),
                },
            )

    def _groups(self) -> Iterator[Found]:
        names = [self._names.load_balancer_security_group, self._names.service_security_group]
        wanted = [{"Name": "group-name", "Values": names}]
        found = list(self._all("ec2", "describe_security_groups", "SecurityGroups", Filters=wanted))
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
                    "tags_all": _pairs(group.get("Tags")),
                },
            )

    def _rules(self, group: Found) -> Iterator[Found]:
        wanted = [{"Name": "group-id", "Values": [group.text("id")]}]
        for rule in self._all("ec2", "describe_security_group_rules", "SecurityGroupRules", Filters=wanted):
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
                tags=_pairs(rule.get("Tags")),
            )

    def _vpc(self, vpc_id: str) -> Iterator[Found]:
        for vpc in self.answer("ec2", "describe_vpcs", VpcIds=[vpc_id])["Vpcs"]:
            dns = {
                key: self.answer("ec2", "describe_vpc_attribute", VpcId=vpc_id, Attribute=name)[upper]["Value"]
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
            yield from _documented_tags(vpc_id, _pairs(vpc.get("Tags")))
        wanted = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "tag-key", "Values": [tags.PRIVATE_KEY]}]
        for subnet in self._all("ec2", "describe_subnets", "Subnets", Filters=wanted):
            yield from _documented_tags(subnet["SubnetId"], _pairs(subnet.get("Tags")))

    def _namespaces(self, vpc_id: str) -> Iterator[Found]:
        """By name. Cloud Map does not tell the VPC of a namespace; it is that of the security groups, as documented."""
        for namespace in self._all("servicediscovery", "list_namespaces", "Namespaces"):
            if namespace["Name"] != self._names.namespace or namespace.get("Type") != "DNS_PRIVATE":
                continue
            tagged = self.answer("servicediscovery", "list_tags_for_resource", ResourceARN=namespace["Arn"])
            yield Found(
                type="aws_service_discovery_private_dns_namespace",
                address=namespace["Arn"],
                attributes={
                    "id": namespace["Id"],
                    "arn": namespace["Arn"],
                    "name": namespace["Name"],
                    "description": namespace.get("Description", ""),
                    "vpc": vpc_id,
                    "tags_all": _pairs(tagged.get("Tags")),
                },
            )


def _told(action: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - answers of any AWS call
    """What a call answers. ``LookupError`` for what is not there; ``ByocError`` with the action for what went wrong."""
    try:
        return call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _ABSENT:
            raise LookupError(code) from error
        raise ByocError(
            f"the account cannot be scanned: {action} answered {code}; nothing was written\n"
            "      mend it:  use credentials that may read IAM, EC2, ECS, RDS, Cloud Map and CloudWatch Logs, such as "
            "those with AWS's policy ReadOnlyAccess"
        ) from error
    except BotoCoreError as error:
        raise ByocError(
            f"the account cannot be scanned: {action}: {error}; nothing was written\n"
            "      mend it:  give boto3 credentials of the account and a way to AWS"
        ) from error


def _documented_tags(resource_id: str, found: Mapping[str, str]) -> Iterator[Found]:
    for key in (tags.ENABLED_KEY, tags.PRIVATE_KEY):
        if key in found:
            attributes = {"id": f"{resource_id},{key}", "resource_id": resource_id, "key": key, "value": found[key]}
            yield Found(type="aws_ec2_tag", address=f"{resource_id},{key}", attributes=attributes)


def _pairs(found: Any) -> dict[str, str]:  # noqa: ANN401 - the list of tags of an answer, or nothing
    return {tag["Key"]: tag.get("Value", "") for tag in found or []}


def _document(found: object) -> str:
    """A policy as text: boto3 gives it as an object, or as text in URL encoding."""
    return unquote(found) if isinstance(found, str) else json.dumps(found)
