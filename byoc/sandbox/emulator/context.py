"""The condition context of a call: the keys that AWS would compare a policy's conditions with.

A key that AWS would not send is absent, so that ``...IfExists`` and ``Null`` behave as they do there. One key differs
from the wire: ``aws:SecureTransport`` is true, since AWS is only ever called over TLS while the sandbox is on loopback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from byoc.sandbox.emulator.identities import Principal
from byoc.sandbox.emulator.request_tags import request_tag_keys, request_tags
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import StoredResources, Tags

Context = dict[str, str | Sequence[str]]

_RESOURCE_TAG_KEYS: Mapping[str, str] = {
    "ec2": "ec2:ResourceTag/{}",
    "ecr": "ecr:ResourceTag/{}",
    "ecs": "ecs:ResourceTag/{}",
    "elasticloadbalancing": "elasticloadbalancing:ResourceTag/{}",
    "iam": "iam:ResourceTag/{}",
    "secretsmanager": "secretsmanager:ResourceTag/{}",
}
"""Services that offer a resource's tags under a key of their own besides ``aws:ResourceTag/…``."""
_RDS_TAG_KEYS = {
    "db": "rds:db-tag/{}",
    "pg": "rds:pg-tag/{}",
    "snapshot": "rds:snapshot-tag/{}",
    "subgrp": "rds:subgrp-tag/{}",
}


def call_context(request: ApiRequest, principal: Principal, stored: StoredResources) -> Context:
    """The keys that hold for every resource of a call."""
    now = datetime.now(UTC)
    context: Context = {
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalArn": principal.policy_arn,
        "aws:PrincipalType": "AssumedRole" if principal.is_session else "User",
        "aws:RequestedRegion": request.region,
        "aws:SecureTransport": "true",
        "aws:SourceIp": request.source_address,
        "aws:UserAgent": request.user_agent,
        "aws:ViaAWSService": "false",
        "aws:userid": principal.user_id,
    }
    if principal.role_arn is not None:
        context["aws:MultiFactorAuthPresent"] = "false"
        for key, value in stored.role_tags(principal.role_arn).items():
            context[f"aws:PrincipalTag/{key}"] = value
    else:
        context["aws:username"] = principal.name
    tags = request_tags(request)
    for key, value in tags.items():
        context[f"aws:RequestTag/{key}"] = value
        if request.service == "rds":
            context[f"rds:req-tag/{key}"] = value
    keys = request_tag_keys(request)
    if keys:
        context["aws:TagKeys"] = keys
    context.update(_service_keys(request, principal.account))
    if request.service == "iam" and (boundary := _boundary(request, principal.account, stored)):
        context["iam:PermissionsBoundary"] = boundary
    return context


def resource_context(arn: str, account: str, stored: StoredResources) -> Context:
    """The keys that hold for one resource of a call."""
    if arn == "*":
        return {"aws:ResourceAccount": account}
    parts = arn.split(":", 5)
    context: Context = {"aws:ResourceAccount": parts[4] or account}
    context.update(_tag_keys(parts[2], parts[5], stored.tags(arn)))
    return context


def _tag_keys(service: str, resource: str, tags: Tags) -> Context:
    own = _RDS_TAG_KEYS.get(resource.partition(":")[0]) if service == "rds" else _RESOURCE_TAG_KEYS.get(service)
    context: Context = {}
    for key, value in tags.items():
        context[f"aws:ResourceTag/{key}"] = value
        if own is not None:
            context[own.format(key)] = value
    return context


def _boundary(request: ApiRequest, account: str, stored: StoredResources) -> str:
    """The boundary that a call sets, or that the role which it is about has; moto's users have none."""
    if request.get("PermissionsBoundary") or not request.get("RoleName"):
        return request.text("PermissionsBoundary")
    role = stored.role(stored.role_arn(account, request.partition, request.text("RoleName")))
    return str(role.permissions_boundary_arn or "") if role is not None else ""


def _service_keys(request: ApiRequest, account: str) -> Context:
    """The keys that a service adds to its own calls, where our policies or AWS's managed ones look at them."""
    found: dict[str, str | Sequence[str] | None] = {}
    match request.service:
        case "sts":
            found = {
                "sts:ExternalId": request.get("ExternalId"),
                "sts:RoleSessionName": request.get("RoleSessionName"),
                "sts:SourceIdentity": request.get("SourceIdentity"),
            }
        case "iam":
            found = {
                "iam:AWSServiceName": request.get("AWSServiceName"),
                "iam:PolicyARN": request.get("PolicyArn"),
            }
        case "ecs":
            cluster = request.text("cluster")
            if cluster and not cluster.startswith("arn:"):
                cluster = f"arn:{request.partition}:ecs:{request.region}:{account}:cluster/{cluster}"
            found = {"ecs:cluster": cluster or None, "ecs:task-definition": request.get("taskDefinition")}
        case "rds":
            found = {"rds:DatabaseEngine": request.get("Engine"), "rds:DatabaseClass": request.get("DBInstanceClass")}
        case "secretsmanager":
            found = {"secretsmanager:Name": request.get("Name"), "secretsmanager:SecretId": request.get("SecretId")}
        case "elbv2":
            found = {"elasticloadbalancing:Scheme": request.get("Scheme")}
        case "application-autoscaling":
            found = {
                "application-autoscaling:scalable-dimension": request.get("ScalableDimension"),
                "application-autoscaling:service-namespace": request.get("ServiceNamespace"),
            }
        case "servicediscovery":
            namespace = request.text("NamespaceId")
            if namespace and not namespace.startswith("arn:"):
                namespace = f"arn:{request.partition}:servicediscovery:{request.region}:{account}:namespace/{namespace}"
            found = {"servicediscovery:NamespaceArn": namespace or None}
        case "ec2":
            found = {"ec2:Region": request.region}
    return {key: value for key, value in found.items() if value is not None}
