"""Which resources a call is authorised on, as ARNs (AWS docs: Service Authorization Reference).

Every ARN of the answer must be allowed. A call whose service is not listed here, or whose action AWS does not limit by
resource, is authorised on ``*``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from byoc.sandbox.emulator.ec2_resources import ec2_resources
from byoc.sandbox.emulator.ecs_resources import ecs_resources
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import StoredResources

EVERYTHING = ("*",)


@dataclass(frozen=True)
class Scope:
    """A call, the account that it acts in, and what exists there."""

    request: ApiRequest
    account: str
    stored: StoredResources

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """An ARN in the call's partition, region and account."""
        place = self.request.region if region else ""
        return f"arn:{self.request.partition}:{service}:{place}:{self.account}:{resource}"


def resources_of(request: ApiRequest, account: str, stored: StoredResources) -> tuple[str, ...]:
    """The ARNs that ``request``, made in ``account``, is authorised on; ``("*",)`` where there are none."""
    derive = _BY_SERVICE.get(request.service)
    if derive is None:
        return EVERYTHING
    found = tuple(dict.fromkeys(arn for arn in derive(Scope(request, account, stored)) if arn))
    return found or EVERYTHING


def _sts(call: Scope) -> Iterable[str]:
    request = call.request
    return [request.text("RoleArn")]


def _secretsmanager(call: Scope) -> Iterable[str]:
    request = call.request
    if request.operation == "CreateSecret":
        # A secret's ARN ends in six random characters, which do not exist yet.
        return [call.arn("secretsmanager", f"secret:{request.text('Name')}-??????")]
    secret_id = request.text("SecretId")
    if not secret_id:
        return []
    known = call.stored.secret_arn(call.account, request.region, secret_id)
    return [known or (secret_id if secret_id.startswith("arn:") else call.arn("secretsmanager", f"secret:{secret_id}"))]


_RDS_KINDS = {
    "DBInstanceIdentifier": "db",
    "DBSubnetGroupName": "subgrp",
    "DBParameterGroupName": "pg",
    "OptionGroupName": "og",
    "DBSnapshotIdentifier": "snapshot",
    "FinalDBSnapshotIdentifier": "snapshot",
    "DBClusterIdentifier": "cluster",
}
_RDS_DESCRIBES = {
    "DescribeDBInstanceAutomatedBackups": "auto-backup",
    "DescribeDBInstances": "db",
    "DescribeDBSubnetGroups": "subgrp",
    "DescribeDBParameterGroups": "pg",
    "DescribeDBSnapshots": "snapshot",
}


def _rds(call: Scope) -> Iterable[str]:
    request = call.request
    for named in ("ResourceName", "ResourceIdentifier"):
        if request.get(named):
            return [request.text(named)]
    found = []
    for name, kind in _RDS_KINDS.items():
        value = request.text(name)
        if value:
            found.append(value if value.startswith("arn:") else call.arn("rds", f"{kind}:{value.lower()}"))
    if not found and request.operation in _RDS_DESCRIBES:
        found.append(call.arn("rds", f"{_RDS_DESCRIBES[request.operation]}:*"))
    return found


def _elbv2(call: Scope) -> Iterable[str]:
    request = call.request
    operation = request.operation
    if operation.startswith("Describe"):
        return []
    if operation == "CreateLoadBalancer":
        kind = {"network": "net", "gateway": "gwy"}.get(request.text("Type"), "app")
        name = f"loadbalancer/{kind}/{request.text('Name')}/*"
        return [call.arn("elasticloadbalancing", name)]
    if operation == "CreateTargetGroup":
        return [call.arn("elasticloadbalancing", f"targetgroup/{request.text('Name')}/*")]
    if operation in ("AddTags", "RemoveTags"):
        return [str(item) for item in request.get("ResourceArns", [])]
    keys = ("ListenerArn", "RuleArn", "TargetGroupArn", "LoadBalancerArn")
    return [request.text(key) for key in keys if request.get(key)][:1]


def _iam(call: Scope) -> Iterable[str]:
    request = call.request

    def named(resource: str) -> str:
        return call.arn("iam", resource, region=False)

    operation = request.operation
    path = request.text("Path") or "/"
    if operation == "CreateServiceLinkedRole":
        return [named(f"role/aws-service-role/{request.text('AWSServiceName')}/*")]
    if operation == "CreateRole":
        return [named(f"role{path}{request.text('RoleName')}")]
    if operation == "CreatePolicy":
        return [named(f"policy{path}{request.text('PolicyName')}")]
    if operation == "CreateUser":
        return [named(f"user{path}{request.text('UserName')}")]
    if operation == "CreateInstanceProfile":
        return [named(f"instance-profile{path}{request.text('InstanceProfileName')}")]
    if request.get("RoleName"):
        return [call.stored.role_arn(call.account, request.partition, request.text("RoleName"))]
    if request.get("UserName"):
        return [named(f"user/{request.text('UserName')}")]
    if request.get("GroupName"):
        return [named(f"group/{request.text('GroupName')}")]
    if request.get("InstanceProfileName"):
        return [named(f"instance-profile/{request.text('InstanceProfileName')}")]
    return [request.text("PolicySourceArn") or request.text("PolicyArn")]


def _logs(call: Scope) -> Iterable[str]:
    request = call.request
    if request.get("resourceArn"):
        return [request.text("resourceArn").removesuffix(":*")]
    group = request.text("logGroupName") or request.text("logGroupIdentifier")
    if not group and request.operation != "DescribeLogGroups":
        return []
    if group.startswith("arn:"):
        return [f"{group.removesuffix(':*')}:log-stream:{request.text('logStreamName')}"]
    return [call.arn("logs", f"log-group:{group}:log-stream:{request.text('logStreamName')}")]


def _sns(call: Scope) -> Iterable[str]:
    request = call.request
    if request.operation == "CreateTopic":
        return [call.arn("sns", request.text("Name"))]
    if request.get("SubscriptionArn"):
        return [request.text("SubscriptionArn").rpartition(":")[0]]
    return [request.text("TopicArn") or request.text("ResourceArn")]


def _servicediscovery(call: Scope) -> Iterable[str]:
    request = call.request

    def named(kind: str, value: str) -> str:
        return value if value.startswith("arn:") else call.arn("servicediscovery", f"{kind}/{value}")

    operation = request.operation
    if request.get("ResourceARN"):
        return [request.text("ResourceARN")]
    if operation == "CreateService":
        # The AWS provider names the namespace among the settings of DNS.
        namespace = request.text("NamespaceId") or str(request.get("DnsConfig", {}).get("NamespaceId", ""))
        return [named("namespace", namespace), named("service", "*")]
    if "Namespace" in operation and request.get("Id"):
        return [named("namespace", request.text("Id"))]
    service = request.text("ServiceId") or (request.text("Id") if "Service" in operation else "")
    return [named("service", service)] if service else []


def _ecr(call: Scope) -> Iterable[str]:
    request = call.request
    if request.get("resourceArn"):
        return [request.text("resourceArn")]
    names = [request.text("repositoryName")] if request.get("repositoryName") else request.get("repositoryNames", [])
    return [call.arn("ecr", f"repository/{name}") for name in names]


def _cloudwatch(call: Scope) -> Iterable[str]:
    request = call.request
    if request.get("ResourceARN"):
        return [request.text("ResourceARN")]
    if request.get("AlarmName"):
        return [call.arn("cloudwatch", f"alarm:{request.text('AlarmName')}")]
    if request.operation in ("DescribeAlarms", "DeleteAlarms"):
        return [call.arn("cloudwatch", f"alarm:{name}") for name in request.get("AlarmNames", ["*"])]
    dashboards = request.get("DashboardNames") or [request.text("DashboardName")]
    return [call.arn("cloudwatch", f"dashboard/{name}", region=False) for name in dashboards if name]


def _applicationautoscaling(call: Scope) -> Iterable[str]:
    request = call.request
    if request.get("ResourceARN"):
        return [request.text("ResourceARN")]
    if request.operation.startswith("Describe"):
        return []
    known = call.stored.scalable_target_arn(
        call.account, request.region, request.text("ResourceId"), request.text("ScalableDimension")
    )
    return [known or call.arn("application-autoscaling", "scalable-target/*")]


def _kms(call: Scope) -> Iterable[str]:
    request = call.request
    found = []
    if request.get("AliasName"):
        found.append(call.arn("kms", request.text("AliasName")))
    key = request.text("TargetKeyId") or request.text("KeyId")
    if key:
        kind = key if key.startswith("alias/") else f"key/{key}"
        found.append(key if key.startswith("arn:") else call.arn("kms", kind))
    return found


def _route53(call: Scope) -> Iterable[str]:
    request = call.request
    zone = request.text("HostedZoneId") or (request.text("Id") if "HostedZone" in request.operation else "")
    if request.operation == "GetChange":
        return [f"arn:{request.partition}:route53:::change/{request.text('Id').rpartition('/')[2]}"]
    if request.get("ResourceId"):
        return [f"arn:{request.partition}:route53:::{request.text('ResourceType')}/{request.text('ResourceId')}"]
    return [f"arn:{request.partition}:route53:::hostedzone/{zone.rpartition('/')[2]}"] if zone else []


def _acm(call: Scope) -> Iterable[str]:
    request = call.request
    return [request.text("CertificateArn")]


def _servicequotas(call: Scope) -> Iterable[str]:
    request = call.request
    if request.operation != "GetServiceQuota":
        return []
    return [call.arn("servicequotas", f"{request.text('ServiceCode')}/{request.text('QuotaCode')}")]


def _events(call: Scope) -> Iterable[str]:
    request = call.request
    name = request.text("ResourceARN") or request.text("Name") or request.text("Rule")
    if not name or name.startswith("arn:"):
        return [name]
    return [call.arn("events", f"rule/{name}")]


Derive = Callable[[Scope], Iterable[str]]

_BY_SERVICE: Mapping[str, Derive] = {
    "acm": _acm,
    "application-autoscaling": _applicationautoscaling,
    "cloudwatch": _cloudwatch,
    "ec2": lambda call: ec2_resources(call.request, call.account),
    "ecr": _ecr,
    "ecs": lambda call: ecs_resources(call.request, call.arn),
    "elbv2": _elbv2,
    "events": _events,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "rds": _rds,
    "route53": _route53,
    "secretsmanager": _secretsmanager,
    "service-quotas": _servicequotas,
    "servicediscovery": _servicediscovery,
    "sns": _sns,
    "sts": _sts,
}

KNOWN_SERVICES = frozenset(_BY_SERVICE)
"""The services whose resources are told apart."""
