"""The tags that a request carries, and the permission to tag that AWS checks beside the call itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byoc.sandbox.emulator.ec2_resources import CREATED_KIND
from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import Tags, tag_map

_TAG_PARAMETERS = ("Tags", "tags", "TagList", "Tag")
_TAG_KEY_PARAMETERS = ("TagKeys", "tagKeys")


@dataclass(frozen=True, kw_only=True)
class TagPermission:
    """The action that creating something with tags needs besides, and the resource it is checked on.

    ``create_action_key``: the condition key that names the create action, where the service has one.
    ``resource``: None for the resources of the call itself.
    """

    action: str
    create_action_key: str | None = None
    resource: str | None = None


_TAG_ACTIONS: Mapping[str, tuple[frozenset[str], str, str | None]] = {
    "acm": (frozenset({"RequestCertificate"}), "acm:AddTagsToCertificate", None),
    "application-autoscaling": (frozenset({"RegisterScalableTarget"}), "application-autoscaling:TagResource", None),
    "cloudwatch": (frozenset({"PutMetricAlarm"}), "cloudwatch:TagResource", None),
    "ecr": (frozenset({"CreateRepository"}), "ecr:TagResource", None),
    "ecs": (
        frozenset({"CreateCluster", "CreateService", "RegisterTaskDefinition", "RunTask"}),
        "ecs:TagResource",
        "ecs:CreateAction",
    ),
    "elbv2": (
        frozenset({"CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule"}),
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateAction",
    ),
    "events": (frozenset({"PutRule"}), "events:TagResource", None),
    "kms": (frozenset({"CreateKey"}), "kms:TagResource", None),
    "logs": (frozenset({"CreateLogGroup"}), "logs:TagResource", None),
    "rds": (
        frozenset(
            {
                "CreateDBInstance",
                "CreateDBParameterGroup",
                "CreateDBSnapshot",
                "CreateDBSubnetGroup",
                "RestoreDBInstanceFromDBSnapshot",
            }
        ),
        "rds:AddTagsToResource",
        None,
    ),
    "secretsmanager": (frozenset({"CreateSecret"}), "secretsmanager:TagResource", None),
    "servicediscovery": (
        frozenset({"CreatePrivateDnsNamespace", "CreatePublicDnsNamespace", "CreateHttpNamespace", "CreateService"}),
        "servicediscovery:TagResource",
        None,
    ),
    "sns": (frozenset({"CreateTopic"}), "sns:TagResource", None),
}
_IAM_TAG_ACTIONS = {
    "CreateInstanceProfile": "iam:TagInstanceProfile",
    "CreatePolicy": "iam:TagPolicy",
    "CreateRole": "iam:TagRole",
    "CreateUser": "iam:TagUser",
}
_RDS_CREATED = {
    "CreateDBInstance": ("db", "DBInstanceIdentifier"),
    "CreateDBParameterGroup": ("pg", "DBParameterGroupName"),
    "CreateDBSnapshot": ("snapshot", "DBSnapshotIdentifier"),
    "CreateDBSubnetGroup": ("subgrp", "DBSubnetGroupName"),
    "RestoreDBInstanceFromDBSnapshot": ("db", "DBInstanceIdentifier"),
}
"""What an RDS call makes, and the parameter that names it: only that is tagged, not the groups that it refers to."""
_ELBV2_CHILD = {"CreateListener": "listener", "CreateRule": "listener-rule"}


def request_tags(request: ApiRequest) -> Tags:
    """The tags in the request, whatever the service calls them."""
    found: Tags = {}
    for specification in request.get("TagSpecifications", []):
        found |= tag_map(specification.get("Tags"))
    for name in _TAG_PARAMETERS:
        value = request.get(name)
        if isinstance(value, list | Mapping):
            found |= tag_map(value)
    return found


def request_tag_keys(request: ApiRequest) -> list[str]:
    """The tag keys in the request: those to be set, or those to be removed."""
    keys = list(request_tags(request))
    for name in _TAG_KEY_PARAMETERS:
        keys += [str(key) for key in request.get(name, [])]
    if request.operation == "DeleteTags" and request.service == "ec2":
        keys += [str(tag["Key"]) for tag in request.get("Tags", []) if tag["Key"] not in keys]
    return keys


def tag_permissions(request: ApiRequest, account: str) -> list[TagPermission]:
    """The permissions to tag that a creating call with tags needs; none for a call without tags."""
    if not request_tags(request):
        return []
    if request.service == "ec2":
        return _ec2_tag_permissions(request, account)
    if request.service == "iam":
        action = _IAM_TAG_ACTIONS.get(request.operation)
        return [TagPermission(action=action)] if action else []
    operations, action, create_action_key = _TAG_ACTIONS.get(request.service, (frozenset[str](), "", None))
    if request.operation not in operations:
        return []
    return [TagPermission(action=action, create_action_key=create_action_key, resource=_created(request, account))]


def _ec2_tag_permissions(request: ApiRequest, account: str) -> list[TagPermission]:
    if request.operation in ("CreateTags", "DeleteTags"):
        return []
    kinds = [str(item.get("ResourceType", "")) for item in request.get("TagSpecifications", []) if item.get("Tags")]
    default = CREATED_KIND.get(request.operation, "*")
    return [
        TagPermission(
            action="ec2:CreateTags",
            create_action_key="ec2:CreateAction",
            resource=f"arn:{request.partition}:ec2:{request.region}:{account}:{kind or default}/*",
        )
        for kind in kinds
    ]


def _created(request: ApiRequest, account: str) -> str | None:
    """The one thing that the call makes and tags, where the call speaks of others besides."""
    if request.service == "rds" and request.operation in _RDS_CREATED:
        rds_kind, parameter = _RDS_CREATED[request.operation]
        return f"arn:{request.partition}:rds:{request.region}:{account}:{rds_kind}:{request.text(parameter).lower()}"
    if (request.service, request.operation) == ("ecs", "RunTask"):
        cluster = request.text("cluster").rpartition("/")[2] or "default"
        return f"arn:{request.partition}:ecs:{request.region}:{account}:task/{cluster}/*"
    kind = _ELBV2_CHILD.get(request.operation) if request.service == "elbv2" else None
    if kind is None:
        return None
    parent = (request.text("ListenerArn") or request.text("LoadBalancerArn")).partition("/")[2]
    return f"arn:{request.partition}:elasticloadbalancing:{request.region}:{account}:{kind}/{parent}/*"
