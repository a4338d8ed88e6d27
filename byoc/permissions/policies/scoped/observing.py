"""What is read: on every run of a deployment stack, and to look after a deployment (status, events, metrics, logs).

A read is limited by name where AWS lets a name decide, not by tag: a thing that is gone has no tags, and to be told so
is how a deletion is seen to end.

Contents stand apart. Those of secrets are read where secrets are changed. Log entries are what the graphs' code wrote,
which may be what its users said: to read them is to read data. So a role that only observes reads settings, states,
events and figures, and no log entry. A role that provisions reads the entries of its own install
(:func:`log_contents`): it chooses the images that work on the data, so that the right adds little to what it could
learn. Who must read logs and shall change nothing is let in by the break-glass role, for a ticket and a time.
"""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.policies.documents import Document
from byoc.permissions.policies.scoped import preflight
from byoc.permissions.policies.scoped.conditions import Install, allow, of

REASONS: Mapping[str, str] = {
    "ReadRegion": "settings of the region's networks, load balancers, task definitions, namespaces and scaling; names "
    "and tags by AWS's index of tags, for what a teardown left: AWS does not limit these reads by resource",
    "ReadHealth": "metrics, which containers answer their health checks, events of databases and of scaling, for the "
    "status: AWS does not limit these reads by resource; figures and events, no content",
    "ReadDatabases": "databases are looked up by an id of AWS's own, and backups that outlive them listed; settings, "
    "no content",
    "ReadSnapshots": "whether a final snapshot of this install is whole, and which others there are",
    "ListParameterGroups": "AWS ends their names, so that those which are left over are looked for in the whole list",
    "ReadParameters": "parameter groups of this install, and the subnet group that its databases stand in",
    "ReadSecretSettings": "settings of this install's secrets and the ids of their versions, not their content",
    "ReadKeys": "whether the key of a final snapshot is in use; keys have random ids, and nothing is done with one",
    "ReadServices": "state of this install's cluster, services, roll-outs and tasks",
    "ListTasks": "which services and tasks this install's cluster has; a list has no resource, its cluster limits it",
    "ReadAlarms": "alarms are described as a whole; their tags are read by name",
    "ReadAlarmHistory": "when this install's alarms went on and off",
    "ReadDiscovery": "the private DNS namespace and its services",
    "ReadRegistrations": "which containers are registered with this install's services in Cloud Map",
    "ReadScalingTags": "tags of scalable targets, which have random ids",
    **preflight.SURROUNDINGS_REASONS,
}
"""What each statement is for, by its ``Sid``."""
LOG_REASONS: Mapping[str, str] = {
    "ReadLogs": "log entries of this install's containers, and of no other log group. They are data: what the graphs' "
    "code writes there, which may be what its users said",
}
"""What the statement about log entries is for, by its ``Sid``."""

_OF_REGION = (
    *of("application-autoscaling", "DescribeScalableTargets DescribeScalingPolicies"),
    *of("ec2", "DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets"),
    *of("ecs", "DescribeTaskDefinition ListTaskDefinitions"),
    *of(
        "elasticloadbalancing",
        "DescribeCapacityReservation DescribeListenerAttributes DescribeListeners DescribeLoadBalancerAttributes "
        "DescribeLoadBalancers DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups",
    ),
    *of("servicediscovery", "GetOperation ListNamespaces ListServices ListTagsForResource"),
    *of("tag", "GetResources"),
)


_OF_HEALTH = (
    *of("application-autoscaling", "DescribeScalingActivities"),
    *of("cloudwatch", "GetMetricData"),
    *of("elasticloadbalancing", "DescribeTargetHealth"),
    *of("rds", "DescribeEvents"),
)


def observing(install: Install) -> list[Document]:
    """The statements that read."""
    subnets = install.arn("rds", f"subgrp:{install.names.db_subnet_group}")
    rds_own = [*install.databases, subnets]
    return [
        allow("ReadRegion", _OF_REGION, "*", install.here),
        allow("ReadHealth", _OF_HEALTH, "*", install.here),
        # "*": RDS is asked by resource id, or for all, and then answers for the account's databases.
        allow(
            "ReadDatabases",
            of("rds", "DescribeDBInstanceAutomatedBackups DescribeDBInstances"),
            [install.arn("rds", "auto-backup:*"), install.arn("rds", "db:*")],
        ),
        # RDS's own begin with "rds:"; the index of tags names them, too.
        allow(
            "ReadSnapshots",
            of("rds", "DescribeDBSnapshots"),
            [install.rds("db"), install.rds("snapshot"), install.rds("snapshot:rds")],
        ),
        # "*": RDS is asked for all.
        allow("ListParameterGroups", of("rds", "DescribeDBParameterGroups"), install.arn("rds", "pg:*")),
        allow(
            "ReadParameters",
            of("rds", "DescribeDBParameters DescribeDBSubnetGroups ListTagsForResource"),
            rds_own,
        ),
        allow(
            "ReadSecretSettings",
            of("secretsmanager", "DescribeSecret GetResourcePolicy ListSecretVersionIds"),
            install.secrets,
        ),
        # "*": AWS gives keys random ids, and the customer chooses one.
        allow("ReadKeys", of("kms", "DescribeKey"), install.arn("kms", "key/*")),
        allow(
            "ReadServices",
            of(
                "ecs",
                "DescribeClusters DescribeServiceDeployments DescribeServiceRevisions DescribeServices DescribeTasks "
                "ListServiceDeployments",
            ),
            [install.cluster, install.services, *install.roll_outs, install.tasks],
        ),
        allow("ListTasks", of("ecs", "ListServices ListTasks"), "*", install.in_cluster),
        # "*": CloudWatch asks for the right to describe all alarms, whatever names the call gives.
        allow(
            "ReadAlarms", of("cloudwatch", "DescribeAlarms ListTagsForResource"), install.arn("cloudwatch", "alarm:*")
        ),
        allow("ReadAlarmHistory", of("cloudwatch", "DescribeAlarmHistory"), install.alarms),
        allow(
            "ReadDiscovery",
            of("servicediscovery", "GetNamespace GetService"),
            # "*": AWS gives both random ids.
            [install.arn("servicediscovery", "namespace/*"), install.arn("servicediscovery", "service/*")],
        ),
        allow(
            "ReadRegistrations",
            of("servicediscovery", "ListInstances"),
            install.arn("servicediscovery", "service/*"),  # "*": see above; the tag says whose one is
            install.ours,
        ),
        allow(
            "ReadScalingTags",
            of("application-autoscaling", "ListTagsForResource"),
            install.arn("application-autoscaling", "scalable-target/*"),
        ),
        *preflight.surroundings(install),
    ]


def log_contents(install: Install) -> list[Document]:
    """The statement that reads log entries, which is not among those of a role that only observes."""
    return [allow("ReadLogs", of("logs", "DescribeLogStreams FilterLogEvents GetLogEvents"), install.log_group)]
