"""Provider functions that look up the account itself, and things of the account stack by name."""

from __future__ import annotations

import re
from typing import Any

from byoc.errors import ByocError
from byoc.sandbox.handlers.base import Aws, Invoke, Properties
from byoc.sandbox.handlers.calls import first, found, paginate, present
from byoc.sandbox.handlers.cloudmap import get_namespace
from byoc.sandbox.handlers.iam import document_text, get_role, timestamp
from byoc.sandbox.handlers.sns import topic_tags
from byoc.sandbox.handlers.tagging import TagShape

_DNS_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


def get_caller_identity(aws: Aws, arguments: Properties) -> Properties:  # noqa: ARG001
    """Who the session is."""
    identity = aws.client("sts").get_caller_identity()
    account = identity["Account"]
    return {"accountId": account, "arn": identity["Arn"], "id": account, "userId": identity["UserId"]}


def get_availability_zones(aws: Aws, arguments: Properties) -> Properties:
    """The zones that are open to the account, by name; local zones only if filters ask for them."""
    state = arguments.get("state")
    wanted = [{"Name": item["name"], "Values": list(item["values"])} for item in arguments.get("filters") or []]
    if state:
        wanted.append({"Name": "state", "Values": [state]})
    everything = bool(arguments.get("allAvailabilityZones"))
    answer = aws.client("ec2").describe_availability_zones(AllAvailabilityZones=everything, **present(Filters=wanted))
    left_out = {*(arguments.get("excludeNames") or []), *(arguments.get("excludeZoneIds") or [])}
    zones = sorted(
        (zone for zone in answer["AvailabilityZones"] if not left_out & {zone["ZoneName"], zone["ZoneId"]}),
        key=lambda zone: str(zone["ZoneName"]),
    )
    return {
        "allAvailabilityZones": arguments.get("allAvailabilityZones"),
        "excludeNames": arguments.get("excludeNames"),
        "excludeZoneIds": arguments.get("excludeZoneIds"),
        "filters": arguments.get("filters"),
        "groupNames": sorted({zone.get("GroupName") or aws.region for zone in zones}),
        "id": aws.region,
        "names": [zone["ZoneName"] for zone in zones],
        "region": aws.region,
        "state": state,
        "zoneIds": [zone["ZoneId"] for zone in zones],
    }


def get_region(aws: Aws, arguments: Properties) -> Properties:  # noqa: ARG001
    """The session's region; no AWS call."""
    endpoint = f"ec2.{aws.region}.{_dns_suffix(aws)}"
    region = aws.region
    return {"description": region, "endpoint": endpoint, "id": region, "name": region, "region": region}


def get_partition(aws: Aws, arguments: Properties) -> Properties:  # noqa: ARG001
    """The region's partition; no AWS call."""
    suffix = _dns_suffix(aws)
    reverse = ".".join(reversed(suffix.split(".")))
    return {"dnsSuffix": suffix, "id": aws.partition, "partition": aws.partition, "reverseDnsPrefix": reverse}


def find_role(aws: Aws, arguments: Properties) -> Properties:
    """One role, by name."""
    role = get_role(aws, arguments["name"])
    if role is None:
        raise ByocError(f"reading IAM Role ({arguments['name']}): couldn't find resource")
    last_used = role.get("RoleLastUsed") or {}
    return {
        "arn": role["Arn"],
        "assumeRolePolicy": document_text(role["AssumeRolePolicyDocument"]),
        "createDate": timestamp(role["CreateDate"]),
        "description": role.get("Description", ""),
        "id": role["RoleName"],
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "name": role["RoleName"],
        "path": role["Path"],
        "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
        "roleLastUseds": [
            {
                "lastUsedDate": timestamp(last_used["LastUsedDate"]) if "LastUsedDate" in last_used else "",
                "region": last_used.get("Region", ""),
            }
        ],
        "tags": TagShape.UPPER.read(role.get("Tags")),
        "uniqueId": role["RoleId"],
    }


def get_roles(aws: Aws, arguments: Properties) -> Properties:
    """Names and ARNs of all roles under a path whose name a pattern matches; none is no error."""
    prefix = arguments.get("pathPrefix")
    pattern = re.compile(arguments.get("nameRegex") or "")
    roles = paginate(aws.client("iam"), "list_roles", "Roles", **present(PathPrefix=prefix))
    matching = [role for role in roles if pattern.search(role["RoleName"])]
    return {
        "arns": [role["Arn"] for role in matching],
        "id": aws.region,
        "nameRegex": arguments.get("nameRegex"),
        "names": [role["RoleName"] for role in matching],
        "pathPrefix": prefix,
    }


def get_cluster(aws: Aws, arguments: Properties) -> Properties:
    """One ECS cluster, by name."""
    name = arguments["clusterName"]
    answer = aws.client("ecs").describe_clusters(clusters=[name], include=["CONFIGURATIONS", "SETTINGS", "TAGS"])
    cluster = first(answer["clusters"])
    if cluster is None or cluster["status"] == "INACTIVE":
        raise ByocError(f"reading ECS Cluster ({name}): couldn't find resource")
    return {
        "arn": cluster["clusterArn"],
        "clusterName": cluster["clusterName"],
        "id": cluster["clusterArn"],
        "pendingTasksCount": cluster.get("pendingTasksCount", 0),
        "region": aws.region,
        "registeredContainerInstancesCount": cluster.get("registeredContainerInstancesCount", 0),
        "runningTasksCount": cluster.get("runningTasksCount", 0),
        "serviceConnectDefaults": [cluster["serviceConnectDefaults"]] if cluster.get("serviceConnectDefaults") else [],
        "settings": [dict(setting) for setting in cluster.get("settings") or []],
        "status": cluster["status"],
        "tags": TagShape.LOWER.read(cluster.get("tags")),
    }


def get_dns_namespace(aws: Aws, arguments: Properties) -> Properties:
    """One Cloud Map namespace, by name and kind."""
    name, kind = arguments["name"], arguments["type"]
    client = aws.client("servicediscovery")
    filters = [{"Name": "TYPE", "Values": [kind], "Condition": "EQ"}]
    namespaces = paginate(client, "list_namespaces", "Namespaces", Filters=filters)
    matching = [namespace for namespace in namespaces if namespace["Name"] == name]
    if len(matching) != 1:
        raise ByocError(f"reading Service Discovery {kind} Namespace ({name}): {len(matching)} found, one wanted")
    namespace = get_namespace(aws, matching[0]["Id"]) or {}
    tags = client.list_tags_for_resource(ResourceARN=namespace["Arn"]).get("Tags")
    return {
        "arn": namespace["Arn"],
        "description": namespace.get("Description", ""),
        "hostedZone": namespace.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId", ""),
        "id": namespace["Id"],
        "name": namespace["Name"],
        "region": aws.region,
        "tags": TagShape.UPPER.read(tags),
        "type": kind,
    }


def get_topic(aws: Aws, arguments: Properties) -> Properties:
    """One SNS topic, by name."""
    name = arguments["name"]
    topics = paginate(aws.client("sns"), "list_topics", "Topics")
    arn = first([str(topic["TopicArn"]) for topic in topics if topic["TopicArn"].rsplit(":", 1)[-1] == name])
    if arn is None:
        raise ByocError(f"reading SNS Topic ({name}): couldn't find resource")
    return {"arn": arn, "id": arn, "name": name, "region": aws.region, "tags": topic_tags(aws, arn)}


def get_subnet_group(aws: Aws, arguments: Properties) -> Properties:
    """One RDS subnet group, by name."""
    name = arguments["name"]
    client = aws.client("rds")
    answer = found(lambda: client.describe_db_subnet_groups(DBSubnetGroupName=name), "DBSubnetGroupNotFoundFault")
    group: dict[str, Any] | None = first(answer["DBSubnetGroups"]) if answer else None
    if group is None:
        raise ByocError(f"reading RDS DB Subnet Group ({name}): couldn't find resource")
    return {
        "arn": group["DBSubnetGroupArn"],
        "description": group["DBSubnetGroupDescription"],
        "id": group["DBSubnetGroupName"],
        "name": group["DBSubnetGroupName"],
        "region": aws.region,
        "status": group["SubnetGroupStatus"],
        "subnetIds": [subnet["SubnetIdentifier"] for subnet in group["Subnets"]],
        "supportedNetworkTypes": group.get("SupportedNetworkTypes") or ["IPV4"],
        "vpcId": group["VpcId"],
    }


def get_secret(aws: Aws, arguments: Properties) -> Properties:
    """One secret's description (never its value), by ARN or name."""
    client = aws.client("secretsmanager")
    wanted = arguments.get("arn") or arguments.get("name")
    secret = found(lambda: client.describe_secret(SecretId=wanted), "ResourceNotFoundException")
    if secret is None:
        raise ByocError(f"reading Secrets Manager Secret ({wanted}): couldn't find resource")
    policy = client.get_resource_policy(SecretId=secret["ARN"])
    return {
        "arn": secret["ARN"],
        "createdDate": timestamp(secret["CreatedDate"]),
        "description": secret.get("Description", ""),
        "id": secret["ARN"],
        "kmsKeyId": secret.get("KmsKeyId", ""),
        "lastChangedDate": timestamp(secret.get("LastChangedDate") or secret["CreatedDate"]),
        "name": secret["Name"],
        "policy": policy.get("ResourcePolicy", ""),
        "region": aws.region,
        "tags": TagShape.UPPER.read(secret.get("Tags")),
        "type": "",
    }


def _dns_suffix(aws: Aws) -> str:
    return _DNS_SUFFIXES.get(aws.partition, "amazonaws.com")


INVOKES: dict[str, Invoke] = {
    "aws:ecs/getCluster:getCluster": get_cluster,
    "aws:iam/getRole:getRole": find_role,
    "aws:iam/getRoles:getRoles": get_roles,
    "aws:index/getAvailabilityZones:getAvailabilityZones": get_availability_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": get_caller_identity,
    "aws:index/getPartition:getPartition": get_partition,
    "aws:index/getRegion:getRegion": get_region,
    "aws:rds/getSubnetGroup:getSubnetGroup": get_subnet_group,
    "aws:secretsmanager/getSecret:getSecret": get_secret,
    "aws:servicediscovery/getDnsNamespace:getDnsNamespace": get_dns_namespace,
    "aws:sns/getTopic:getTopic": get_topic,
}
