"""What AWS is asked when a need arises: an action as authorisation requests on resources of an install.

Resources per action are those of the Service Authorization Reference (AWS docs). Ids that AWS makes up stand here as
examples of their form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from byoc.permissions.evaluation.evaluator import Request
from byoc.permissions.install import DEPLOYMENT_TAG, INSTALL_TAG, SECRET_TAG, Account, InstallNames
from byoc.permissions.needs.actions import Need, Phase, is_read
from byoc.permissions.needs.feature import CLUSTER, DATABASE, SERVICE
from byoc.permissions.needs.features import LINKED_ROLES
from byoc.permissions.needs.preflight_rows import QUOTAS

EXAMPLE_DEPLOYMENT = "chat"

_SECRET = "secretsmanager:secret:{prefix}/{deployment}/environment-a1B2c3"  # noqa: S105 - a name
_DATABASE = "rds:db:{prefix}-{deployment}"
_PARAMETERS = "rds:pg:{prefix}-{deployment}-20250101000000000000000001"
_SNAPSHOT = "rds:snapshot:{prefix}-{deployment}-final-0a1b2c3d"
_SNAPSHOT_OF_RDS = "rds:snapshot:rds:{prefix}-{deployment}-2026-05-01-08-10"
_SUBNET_GROUP = "rds:subgrp:{db_subnet_group}"
_BALANCER = "elasticloadbalancing:loadbalancer/app/{prefix}-{deployment}/50dc6c495c0c9188"
_LISTENER = "elasticloadbalancing:listener/app/{prefix}-{deployment}/50dc6c495c0c9188/0467ef3c8400ae65"
_TARGETS = "elasticloadbalancing:targetgroup/lgc-20250101000000000000000001/943f017f100becff"
_LOG_GROUP = "logs:log-group:{log_group}"
_NAMESPACE = "servicediscovery:namespace/ns-e4anhexample0004"
_REPOSITORY = "ecr:repository/agents/{deployment}"
_TOPIC = "sns:{alarm_topic}"
_TASK = "ecs:task/{cluster}/0123456789abcdef0123456789abcdef"

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
    "acm:DescribeCertificate": ("acm:certificate/0d5a7c1e-3b2f-4c68-9a1d-5e7f90b2c4d7",),
    "ec2:DescribeVpcAttribute": ("ec2:vpc/vpc-0a1b2c3d4e5f60718",),
    "ecr:BatchGetImage": (_REPOSITORY,),
    "ecr:DescribeImages": (_REPOSITORY,),
    "ecr:GetDownloadUrlForLayer": (_REPOSITORY,),
    "ecs:DescribeClusters": ("ecs:cluster/{cluster}",),
    "ecs:DescribeServiceRevisions": (
        "ecs:service/{cluster}/{prefix}-{deployment}-api",
        "ecs:service-revision/{cluster}/{prefix}-{deployment}-api/1234567890123456789",
    ),
    "ecs:DescribeTasks": (_TASK,),
    "ecs:StopTask": (_TASK,),
    "kms:DescribeKey": ("kms:key/1234abcd-12ab-34cd-56ef-1234567890ab",),
    # A log group has two forms of ARN (AWS docs: CloudWatch Logs resources and operations).
    "logs:DescribeLogStreams": (_LOG_GROUP, f"{_LOG_GROUP}:log-stream:"),
    "logs:FilterLogEvents": (_LOG_GROUP, f"{_LOG_GROUP}:log-stream:"),
    "logs:GetLogEvents": (f"{_LOG_GROUP}:log-stream:{{deployment}}-api/api/0123456789abcdef0123456789abcdef",),
    # Asked for all of them: AWS then looks at "all", not at names.
    "rds:DescribeDBInstanceAutomatedBackups": ("rds:auto-backup:*", "rds:db:*"),
    "rds:DescribeDBSnapshots": (_DATABASE, _SNAPSHOT, _SNAPSHOT_OF_RDS),
    "rds:DescribeDBSubnetGroups": (_SUBNET_GROUP,),
    "rds:ModifyDBInstance": (_DATABASE, _PARAMETERS),
    "rds:RestoreDBInstanceFromDBSnapshot": (_DATABASE, _PARAMETERS, _SNAPSHOT, _SUBNET_GROUP),
    "rds:RestoreDBInstanceToPointInTime": (_DATABASE, _PARAMETERS, _SUBNET_GROUP),
    "servicediscovery:CreateService": (_NAMESPACE,),
    "sns:ListSubscriptionsByTopic": (_TOPIC,),
    "sns:Publish": (_TOPIC,),
}
"""Actions that are authorised on more or other resources than their type's own."""
_OF_ALL: Mapping[tuple[str, str], tuple[str, ...]] = {
    # The provider ends their names: a teardown lists all, and looks which are a database's.
    (DATABASE, "rds:DescribeDBParameterGroups"): ("rds:pg:*",),
}
"""The same, for one type."""
_ON_NOTHING = frozenset(
    {
        "ecs:DeregisterTaskDefinition",
        "cloudwatch:GetMetricData",
        "ecs:DescribeTaskDefinition",
        "ecs:ListClusters",
        "ecs:ListServices",
        "ecs:ListTaskDefinitions",
        "ecs:ListTasks",
        "rds:DescribeDBEngineVersions",
        "rds:DescribeEvents",
        "rds:DescribeOrderableDBInstanceOptions",
        "secretsmanager:ListSecrets",
        "servicediscovery:GetOperation",
        "servicediscovery:ListNamespaces",
        "servicediscovery:ListServices",
        "servicequotas:GetAWSDefaultServiceQuota",
        "tag:GetResources",
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
_NOBODYS = frozenset({"acm", "kms", "servicequotas", "tag"})
"""Services whose resources here are not the install's own, and carry none of its tags."""
_OF_THE_INSTALL = frozenset({"ecr", "sns"})
"""Services whose resources here belong to the install, and to no deployment."""
_MAKES_LINKED_ROLE = "iam:CreateServiceLinkedRole"
_ROLE_READS = ("iam:GetRole", "iam:SimulatePrincipalPolicy")
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
    if need.action.startswith("iam:"):
        return list(_of_iam(need, account, names, role_path)) or ["*"]
    if need.action == "servicequotas:GetServiceQuota":
        return [account.arn("servicequotas", f"{service}/{code}") for service, code in QUOTAS[need.token]]
    if _is_tried(need) or need.action in _ON_NOTHING:
        return ["*"]
    templates = _OF_ALL.get((need.token, need.action)) or _ON_OTHERS.get(need.action)
    if templates is None:
        if need.action.startswith(_READS_ON_NOTHING) or need.token not in _OWN:
            return ["*"]
        templates = (_OWN[need.token],)
    return [_filled(template, account, names, deployment) for template in templates]


def _of_iam(need: Need, account: Account, names: InstallNames, role_path: str) -> Iterator[str]:
    """Roles and certificates; nothing for what only an account stack asks."""
    if need.action == "iam:PassRole":
        yield from (account.role_arn(role, role_path) for role in (names.execution_role, names.task_role))
    if need.action == "iam:GetServerCertificate":
        yield account.arn("iam", "server-certificate/chat", region=False)
    if need.action in _ROLE_READS and need.token in (SERVICE, CLUSTER):
        yield account.role_arn(names.control_plane_role, role_path)
    if need.action == _MAKES_LINKED_ROLE and need.token in LINKED_ROLES:
        yield linked_role_arn(need.token, account)
    if need.action == "iam:GetRole" and need.token in LINKED_ROLES:
        yield from linked_role_arns_read(need.token, account)


def linked_role_arn(token: str, account: Account) -> str:
    """The ARN of the role that AWS makes when a type is first used; ``token``: a key of ``LINKED_ROLES``."""
    service, role = LINKED_ROLES[token]
    return account.role_arn(role, f"/aws-service-role/{service}/")


def linked_role_arns_read(token: str, account: Account) -> tuple[str, str]:
    """What IAM looks at where such a role is asked about: one that is not there has no path yet."""
    return linked_role_arn(token, account), account.role_arn(LINKED_ROLES[token][1])


def _filled(template: str, account: Account, names: InstallNames, deployment: str) -> str:
    service, _, resource = template.partition(":")
    filled = resource.format(
        prefix=names.prefix,
        deployment=deployment,
        cluster=names.cluster,
        db_subnet_group=names.db_subnet_group,
        log_group=names.log_group,
        alarm_topic=names.alarm_topic,
    )
    return account.arn(service, filled)


def _context(need: Need, account: Account, names: InstallNames, deployment: str) -> dict[str, str]:
    if need.action == _MAKES_LINKED_ROLE and need.token in LINKED_ROLES:
        return {"iam:AWSServiceName": LINKED_ROLES[need.token][0]}
    if _is_tried(need):
        return {}
    tags = _tags_of(need, names, deployment)
    operation = need.action.partition(":")[2]
    context: dict[str, str] = {}
    tags_new = need.phase is Phase.CREATE and operation in _TAG_ACTIONS
    makes = need.phase is Phase.CREATE and operation.startswith(("Create", "Register", "PutMetricAlarm"))
    if tags_new or makes or operation in _TAG_ACTIONS:
        context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if is_read(need.action) or not (tags_new or makes) or need.action == "rds:CreateDBSnapshot":
        context |= {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    if need.action == "iam:PassRole":
        context["iam:PassedToService"] = "ecs-tasks.amazonaws.com"
    if need.action in _IN_A_CLUSTER:
        context["ecs:cluster"] = account.arn("ecs", f"cluster/{names.cluster}")
    if need.action == "elasticloadbalancing:AddTags" and tags_new:
        context["elasticloadbalancing:CreateAction"] = f"Create{need.token.rpartition(':')[2]}"
    return context


def _tags_of(need: Need, names: InstallNames, deployment: str) -> dict[str, str]:
    """The tags that are on what a need is about, or are put there."""
    service = need.action.partition(":")[0]
    if service in _NOBODYS or need.action in (*_ROLE_READS, "iam:GetServerCertificate"):
        return {}
    tags = {INSTALL_TAG: names.prefix}
    if service not in _OF_THE_INSTALL:
        tags[DEPLOYMENT_TAG] = deployment
    if service == "secretsmanager":
        tags[SECRET_TAG] = names.prefix
    return tags


def _is_tried(need: Need) -> bool:
    """Whether Application Auto Scaling only tries an action, on a name of its own making and without any tag."""
    return need.token.startswith("aws:appautoscaling/") and need.action.startswith(("cloudwatch:", "ecs:"))
