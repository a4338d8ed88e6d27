"""What AWS is asked when a need arises: an action as authorisation requests on resources of an install.

Resources per action are those of the Service Authorization Reference (AWS docs). Ids that AWS makes up stand here as
examples of their form.
"""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.evaluation.evaluator import Request
from byoc.permissions.install import DEPLOYMENT_TAG, INSTALL_TAG, SECRET_TAG, Account, InstallNames
from byoc.permissions.needs.actions import Need, Phase, is_read
from byoc.permissions.needs.features import LINKED_ROLES

EXAMPLE_DEPLOYMENT = "chat"

_SECRET = "secretsmanager:secret:{prefix}/{deployment}/environment-a1B2c3"  # noqa: S105 - a name
_DATABASE = "rds:db:{prefix}-{deployment}"
_PARAMETERS = "rds:pg:{prefix}-{deployment}-20250101000000000000000001"
_SNAPSHOT = "rds:snapshot:{prefix}-{deployment}-final-0a1b2c3d"
_SUBNET_GROUP = "rds:subgrp:{db_subnet_group}"
_BALANCER = "elasticloadbalancing:loadbalancer/app/{prefix}-{deployment}/50dc6c495c0c9188"
_LISTENER = "elasticloadbalancing:listener/app/{prefix}-{deployment}/50dc6c495c0c9188/0467ef3c8400ae65"
_TARGETS = "elasticloadbalancing:targetgroup/lgc-20250101000000000000000001/943f017f100becff"
_LOG_GROUP = "logs:log-group:{log_group}"
_NAMESPACE = "servicediscovery:namespace/ns-e4anhexample0004"

_OWN: Mapping[str, str] = {
    "aws:appautoscaling/policy:Policy": "application-autoscaling:scalable-target/0ec5abcdef0123456789abcdef01234567",
    "aws:appautoscaling/target:Target": "application-autoscaling:scalable-target/0ec5abcdef0123456789abcdef01234567",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "cloudwatch:alarm:{prefix}-{deployment}-unhealthy-hosts",
    "aws:ecs/service:Service": "ecs:service/{cluster}/{prefix}-{deployment}-api",
    "aws:ecs/taskDefinition:TaskDefinition": "ecs:task-definition/{prefix}-{deployment}-api:1",
    "aws:lb/listener:Listener": _LISTENER,
    "aws:lb/loadBalancer:LoadBalancer": _BALANCER,
    "aws:lb/targetGroup:TargetGroup": _TARGETS,
    "aws:rds/getSubnetGroup:getSubnetGroup": _SUBNET_GROUP,
    "aws:rds/instance:Instance": _DATABASE,
    "aws:rds/parameterGroup:ParameterGroup": _PARAMETERS,
    "aws:secretsmanager/secret:Secret": _SECRET,
    "aws:secretsmanager/secretVersion:SecretVersion": _SECRET,
    "aws:servicediscovery/getDnsNamespace:getDnsNamespace": _NAMESPACE,
    "aws:servicediscovery/service:Service": "servicediscovery:service/srv-e4anhexample0004",
}
"""The resource of a type, as ``service:resource``; a type that is not here is asked about as ``*``."""
_ON_OTHERS: Mapping[str, tuple[str, ...]] = {
    "elasticloadbalancing:CreateListener": (_BALANCER,),
    "rds:CreateDBInstance": (_DATABASE, _PARAMETERS, _SUBNET_GROUP),
    "rds:CreateDBSnapshot": (_DATABASE, _SNAPSHOT),
    "rds:DeleteDBInstance": (_DATABASE, _SNAPSHOT),
    "ecs:DescribeClusters": ("ecs:cluster/{cluster}",),
    "ecs:DescribeTasks": ("ecs:task/{cluster}/0123456789abcdef0123456789abcdef",),
    # A log group has two forms of ARN (AWS docs: CloudWatch Logs resources and operations).
    "logs:DescribeLogStreams": (_LOG_GROUP, f"{_LOG_GROUP}:log-stream:"),
    "logs:FilterLogEvents": (_LOG_GROUP, f"{_LOG_GROUP}:log-stream:"),
    "logs:GetLogEvents": (f"{_LOG_GROUP}:log-stream:{{deployment}}-api/api/0123456789abcdef0123456789abcdef",),
    "rds:DescribeDBSnapshots": (_SNAPSHOT,),
    "rds:ModifyDBInstance": (_DATABASE, _PARAMETERS),
    "rds:RestoreDBInstanceFromDBSnapshot": (_DATABASE, _PARAMETERS, _SNAPSHOT, _SUBNET_GROUP),
    "rds:RestoreDBInstanceToPointInTime": (_DATABASE, _PARAMETERS, _SUBNET_GROUP),
    "servicediscovery:CreateService": (_NAMESPACE,),
}
"""Actions that are authorised on more or other resources than their type's own."""
_ON_NOTHING = frozenset(
    {
        "ecs:DeregisterTaskDefinition",
        "cloudwatch:GetMetricData",
        "ecs:DescribeTaskDefinition",
        "ecs:ListServices",
        "ecs:ListTasks",
        "rds:DescribeEvents",
        "servicediscovery:GetOperation",
        "servicediscovery:ListNamespaces",
        # Cloud Map's tag actions know no resources.
        "servicediscovery:ListTagsForResource",
        "servicediscovery:TagResource",
        "servicediscovery:UntagResource",
    }
)
"""Actions that AWS does not limit by resource, beside the reads of :data:`_READS_ON_NOTHING`."""
_READS_ON_NOTHING = ("ec2:Describe", "elasticloadbalancing:Describe", "application-autoscaling:Describe")
_IN_A_CLUSTER = frozenset({"ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListServices", "ecs:ListTasks"})
"""Reads of ECS that name a cluster, which AWS then puts into their context (``ecs:cluster``)."""
_MAKES_LINKED_ROLE = "iam:CreateServiceLinkedRole"
_TAG_ACTIONS = ("AddTags", "AddTagsToResource", "TagResource")


def requests_of(
    need: Need,
    account: Account,
    names: InstallNames,
    *,
    deployment: str = EXAMPLE_DEPLOYMENT,
    role_path: str = "/",
    principal: str = "",
) -> tuple[Request, ...]:
    """The requests that come of one need of a deployment stack.

    ``principal``: who asks; identity policies do not look at it, so that it can stay empty.
    """
    context = _context(need, account, names, deployment)
    return tuple(
        Request(principal=principal, action=need.action, resource=resource, context=context)
        for resource in _resources(need, account, names, deployment, role_path)
    )


def _resources(need: Need, account: Account, names: InstallNames, deployment: str, role_path: str) -> list[str]:
    if need.action == "iam:PassRole":
        return [account.role_arn(role, role_path) for role in (names.execution_role, names.task_role)]
    if need.action == _MAKES_LINKED_ROLE and need.token in LINKED_ROLES:
        service, role = LINKED_ROLES[need.token]
        return [account.role_arn(role, f"/aws-service-role/{service}/")]
    if (
        _is_tried(need)
        or need.action in _ON_NOTHING
        or need.action.startswith(_READS_ON_NOTHING)
        or need.token not in _OWN
    ):
        return ["*"]
    found = []
    for template in _ON_OTHERS.get(need.action, (_OWN[need.token],)):
        service, _, resource = template.partition(":")
        filled = resource.format(
            prefix=names.prefix,
            deployment=deployment,
            cluster=names.cluster,
            db_subnet_group=names.db_subnet_group,
            log_group=names.log_group,
        )
        found.append(account.arn(service, filled))
    return found


def _context(need: Need, account: Account, names: InstallNames, deployment: str) -> dict[str, str]:
    if need.action == _MAKES_LINKED_ROLE and need.token in LINKED_ROLES:
        return {"iam:AWSServiceName": LINKED_ROLES[need.token][0]}
    if _is_tried(need):
        return {}
    tags = {INSTALL_TAG: names.prefix, DEPLOYMENT_TAG: deployment}
    if need.action.startswith("secretsmanager:"):
        tags[SECRET_TAG] = names.prefix
    operation = need.action.partition(":")[2]
    context: dict[str, str] = {}
    tags_new = need.phase is Phase.CREATE and operation in _TAG_ACTIONS
    makes = need.phase is Phase.CREATE and operation.startswith(("Create", "Register", "PutMetricAlarm"))
    if tags_new or makes or operation in _TAG_ACTIONS:
        context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if is_read(need.action) or not (tags_new or makes):
        context |= {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    if need.action == "iam:PassRole":
        context["iam:PassedToService"] = "ecs-tasks.amazonaws.com"
    if need.action in _IN_A_CLUSTER:
        context["ecs:cluster"] = account.arn("ecs", f"cluster/{names.cluster}")
    if need.action == "elasticloadbalancing:AddTags" and tags_new:
        context["elasticloadbalancing:CreateAction"] = f"Create{need.token.rpartition(':')[2]}"
    return context


def _is_tried(need: Need) -> bool:
    """Whether Application Auto Scaling only tries an action, on a name of its own making and without any tag."""
    return need.token.startswith("aws:appautoscaling/") and not need.action.startswith("application-autoscaling:")
