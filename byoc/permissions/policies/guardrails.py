"""What the five documented policies grant beyond need, taken back by a policy that only denies.

The documented names stay as they are: an explicit deny wins over whatever another policy of the role allows. Resources
are told apart by name wherever AWS lets a name decide, since a name cannot be changed from outside, and by tag besides,
since the names of an install ``a`` fit those of an install ``a-b``.
"""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.install import (
    INSTALL_TAG,
    LOAD_BALANCER_NAME_LIMIT,
    RDS_IDENTIFIER_LIMIT,
    SECRET_TAG,
    Account,
    InstallNames,
    name_pattern,
)
from byoc.permissions.policies.documents import VERSION, Document

REASONS: Mapping[str, str] = {
    "OtherSecretsByName": "SecretsManagerReadWrite reads, changes and deletes every secret of the account",
    "OtherSecretsByTag": "the same, for a secret that has a name of this install but not its tag",
    "UntaggedSecrets": "a secret without the tag could be read by no task, and would be nobody's when it is left over",
    "OtherRoles": "AmazonECS_FullAccess hands any role that trusts ECS tasks to a container of its own making",
    "OtherDatabases": "AmazonRDSFullAccess changes and deletes every database, cluster and snapshot of the account",
    "OtherDatabasesByTag": "the same, for a database that has a name of this install but not its tag",
    "OtherDatabaseTags": "who could tag a database could make it look like one of this install",
    "KeptSnapshots": "a final snapshot is what a destroy leaves; sharing one hands the data to another account",
    "OtherServices": "AmazonECS_FullAccess makes and deletes services in every cluster",
    "NoShellsNoTasks": "deployments run as services; a shell into a container or a task of one's own is not needed",
    "OtherLoadBalancers": "AmazonECS_FullAccess deletes every load balancer of the account",
    "OtherLoadBalancersByTag": "the same, for target groups, and for names of this install without its tag",
    "NoNetworkNoMachines": "AmazonECS_FullAccess deletes VPCs, opens security groups and starts instances",
    "NoOtherWays": "services, and parts of services, that the five policies grant and a deployment never calls",
}
"""What each statement is for, by its ``Sid``."""


def guardrails(account: Account, names: InstallNames, *, role_path: str = "/") -> Document:
    """The policy that only denies, for the cross-account role. ``role_path``: the path of this install's task roles.

    Not denied: ``ecs:UpdateService``, ``cloudwatch:PutMetricAlarm`` and ``cloudwatch:DeleteAlarms`` on what belongs to
    others. Application Auto Scaling tries them on the caller's behalf, with names that it makes up, before it accepts a
    target or policy (AWS docs: Permissions validation for Application Auto Scaling API calls on target resources).

    It fits deployments that carry this library's names and tags; a control plane that names its resources otherwise
    cannot work under it.
    """
    return {
        "Version": VERSION,
        "Statement": [
            *_secrets(account, names),
            {
                "Sid": "OtherRoles",
                "Effect": "Deny",
                "Action": "iam:PassRole",
                "NotResource": [account.role_arn(role, role_path) for role in (names.execution_role, names.task_role)],
            },
            *_databases(account, names),
            *_services(account, names),
            *_load_balancing(account, names),
            *_nothing_else(),
        ],
    }


def _secrets(account: Account, names: InstallNames) -> list[Document]:
    reads_and_changes = [
        "secretsmanager:Cancel*",
        "secretsmanager:Delete*",
        "secretsmanager:GetSecretValue",
        "secretsmanager:Put*",
        "secretsmanager:Remove*",
        "secretsmanager:Replicate*",
        "secretsmanager:Restore*",
        "secretsmanager:Rotate*",
        "secretsmanager:Stop*",
        "secretsmanager:UntagResource",
        "secretsmanager:Update*",
    ]
    return [
        {
            "Sid": "OtherSecretsByName",
            "Effect": "Deny",
            # By name alone for these two: a secret in the making has no tags yet.
            "Action": ["secretsmanager:CreateSecret", "secretsmanager:TagResource", *reads_and_changes],
            "NotResource": account.arn("secretsmanager", f"secret:{names.prefix}/*"),
        },
        {
            "Sid": "OtherSecretsByTag",
            "Effect": "Deny",
            "Action": reads_and_changes,
            "Resource": "*",  # whatever it is called
            "Condition": {"StringNotEquals": {f"aws:ResourceTag/{SECRET_TAG}": names.prefix}},
        },
        {
            "Sid": "UntaggedSecrets",
            "Effect": "Deny",
            "Action": "secretsmanager:CreateSecret",
            "Resource": "*",  # whatever it is called
            "Condition": {"StringNotEquals": {f"aws:RequestTag/{SECRET_TAG}": names.prefix}},
        },
    ]


def _databases(account: Account, names: InstallNames) -> list[Document]:
    name = name_pattern(names.prefix, RDS_IDENTIFIER_LIMIT)
    own = [account.arn("rds", f"{kind}:{name}") for kind in ("db", "pg", "snapshot")]
    other_tag = {"StringNotEquals": {f"aws:ResourceTag/{INSTALL_TAG}": names.prefix}}
    return [
        {
            "Sid": "OtherDatabases",
            "Effect": "Deny",
            "Action": [
                "rds:Copy*",
                "rds:CreateDBCluster*",
                "rds:CreateDBInstance*",
                "rds:CreateDBSnapshot",
                "rds:Delete*",
                "rds:Failover*",
                "rds:Modify*",
                "rds:Promote*",
                "rds:Reboot*",
                "rds:Reset*",
                "rds:Restore*",
                "rds:Start*",
                "rds:Stop*",
                "rds:Switchover*",
            ],
            # A database may use the subnet group, and AWS's own parameter and option groups; nothing changes those.
            "NotResource": [*own, *_used_by_databases(account, names)],
        },
        {
            "Sid": "OtherDatabasesByTag",
            "Effect": "Deny",
            "Action": ["rds:DeleteDBInstance", "rds:ModifyDBInstance", "rds:Reboot*", "rds:Start*", "rds:Stop*"],
            "Resource": account.arn("rds", "db:*"),  # whatever it is called
            "Condition": other_tag,
        },
        {
            "Sid": "OtherDatabaseTags",
            "Effect": "Deny",
            "Action": ["rds:AddTagsToResource", "rds:RemoveTagsFromResource"],
            "NotResource": own,
        },
        {
            "Sid": "KeptSnapshots",
            "Effect": "Deny",
            "Action": ["rds:DeleteDBSnapshot", "rds:ModifyDBSnapshotAttribute"],
            "Resource": "*",  # no snapshot at all, this install's own included
        },
    ]


def _used_by_databases(account: Account, names: InstallNames) -> list[str]:
    return [
        account.arn("rds", f"subgrp:{names.db_subnet_group}"),
        account.arn("rds", "pg:default.*"),
        account.arn("rds", "og:default:*"),
    ]


def _services(account: Account, names: InstallNames) -> list[Document]:
    return [
        {
            "Sid": "OtherServices",
            "Effect": "Deny",
            "Action": ["ecs:CreateService", "ecs:DeleteService", "ecs:StopTask"],
            # "*": the services and tasks of this install's cluster.
            "NotResource": [account.arn("ecs", f"{kind}/{names.cluster}/*") for kind in ("service", "task")],
        },
        {
            "Sid": "NoShellsNoTasks",
            "Effect": "Deny",
            "Action": ["ecs:ExecuteCommand", "ecs:RunTask", "ecs:StartTask"],
            "Resource": "*",  # nowhere
        },
    ]


def _load_balancing(account: Account, names: InstallNames) -> list[Document]:
    balancer = name_pattern(names.prefix, LOAD_BALANCER_NAME_LIMIT)
    kinds = ("loadbalancer", "listener", "listener-rule")
    return [
        {
            "Sid": "OtherLoadBalancers",
            "Effect": "Deny",
            "Action": [
                "elasticloadbalancing:CreateListener",
                "elasticloadbalancing:CreateRule",
                "elasticloadbalancing:DeleteListener",
                "elasticloadbalancing:DeleteLoadBalancer",
                "elasticloadbalancing:DeleteRule",
            ],
            "NotResource": [account.arn("elasticloadbalancing", f"{kind}/app/{balancer}") for kind in kinds],
        },
        {
            "Sid": "OtherLoadBalancersByTag",
            "Effect": "Deny",
            "Action": ["elasticloadbalancing:Delete*", "elasticloadbalancing:Modify*", "elasticloadbalancing:Set*"],
            "Resource": "*",  # target groups too, which have names of the provider's
            "Condition": {"StringNotEquals": {f"aws:ResourceTag/{INSTALL_TAG}": names.prefix}},
        },
    ]


def _nothing_else() -> list[Document]:
    verbs = ("Associate", "Attach", "Authorize", "Cancel", "Create", "Delete", "Detach", "Disassociate", "Modify")
    return [
        {
            "Sid": "NoNetworkNoMachines",
            "Effect": "Deny",
            "Action": [f"ec2:{verb}*" for verb in (*verbs, "Request", "Run")],
            "Resource": "*",  # nowhere: networks and their groups belong to the account stack
        },
        {
            "Sid": "NoOtherWays",
            "Effect": "Deny",
            "Action": [
                "autoscaling:*",
                "cloudformation:*",
                "codedeploy:*",
                "ecs:CreateCluster",
                "ecs:DeleteCluster",
                "ecs:PutAccountSetting*",
                "ecs:PutClusterCapacityProviders",
                "ecs:UpdateCluster*",
                "events:*",
                "lambda:*",
                "route53:CreateHostedZone",
                "route53:DeleteHostedZone",
                "serverlessrepo:*",
                "servicediscovery:CreatePrivateDnsNamespace",
            ],
            "Resource": "*",  # nowhere
        },
    ]
