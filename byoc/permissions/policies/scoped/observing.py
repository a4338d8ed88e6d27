"""What is read: on every run of a deployment stack, and by those who only look.

A read is limited by name where AWS lets a name decide, not by tag: a thing that is gone has no tags, and to be told so
is how a deletion is seen to end. Contents of secrets are not among these reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.policies.documents import Document
from byoc.permissions.policies.scoped.conditions import Install, allow, of

REASONS: Mapping[str, str] = {
    "ReadRegion": "settings of the region's networks, load balancers, task definitions, namespaces and scaling: AWS "
    "does not limit these reads by resource",
    "ReadDatabases": "databases are looked up by an id of AWS's own; settings, no content",
    "ReadParameters": "parameter groups of this install, and the subnet group that its databases stand in",
    "ReadSecretSettings": "settings of this install's secrets, not their content",
    "ReadServices": "state of this install's services",
    "ReadAlarms": "alarms are described as a whole; their tags are read by name",
    "ReadDiscovery": "the private DNS namespace and its services",
    "ReadScalingTags": "tags of scalable targets, which have random ids",
}
"""What each statement is for, by its ``Sid``."""

_OF_REGION = (
    *of("application-autoscaling", "DescribeScalableTargets DescribeScalingPolicies"),
    *of("ec2", "DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets"),
    *of("ecs", "DescribeTaskDefinition"),
    *of(
        "elasticloadbalancing",
        "DescribeCapacityReservation DescribeListenerAttributes DescribeListeners DescribeLoadBalancerAttributes "
        "DescribeLoadBalancers DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups",
    ),
    *of("servicediscovery", "GetOperation ListNamespaces ListTagsForResource"),
)


def observing(install: Install) -> list[Document]:
    """The statements that read."""
    subnets = install.arn("rds", f"subgrp:{install.names.db_subnet_group}")
    rds_own = [*install.databases, subnets]
    return [
        allow("ReadRegion", _OF_REGION, "*", install.here),
        # "*": RDS is asked by resource id, and then answers for the account's databases.
        allow("ReadDatabases", of("rds", "DescribeDBInstances"), install.arn("rds", "db:*")),
        allow(
            "ReadParameters",
            of("rds", "DescribeDBParameterGroups DescribeDBParameters DescribeDBSubnetGroups ListTagsForResource"),
            rds_own,
        ),
        allow("ReadSecretSettings", of("secretsmanager", "DescribeSecret GetResourcePolicy"), install.secrets),
        allow("ReadServices", of("ecs", "DescribeServices"), install.services),
        # "*": CloudWatch asks for the right to describe all alarms, whatever names the call gives.
        allow(
            "ReadAlarms", of("cloudwatch", "DescribeAlarms ListTagsForResource"), install.arn("cloudwatch", "alarm:*")
        ),
        allow(
            "ReadDiscovery",
            of("servicediscovery", "GetNamespace GetService"),
            # "*": AWS gives both random ids.
            [install.arn("servicediscovery", "namespace/*"), install.arn("servicediscovery", "service/*")],
        ),
        allow(
            "ReadScalingTags",
            of("application-autoscaling", "ListTagsForResource"),
            install.arn("application-autoscaling", "scalable-target/*"),
        ),
    ]
