"""What a deployment stack needs and the five documented policies do not grant: exactly that, and why.

``tests/unit/test_policies_supplement.py`` recomputes the actions from the action data and the texts of the five
policies.
"""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.install import INSTALL_TAG, LOAD_BALANCER_NAME_LIMIT, Account, InstallNames, name_pattern
from byoc.permissions.policies.documents import VERSION, Document

REASONS: Mapping[str, str] = {
    "ReadLoadBalancing": "attributes and tags of load balancers, target groups and listeners are read on every run; "
    "which containers are healthy, for the status",
    "LoadBalancers": "attributes (idle time-out), security groups and subnets of this install's load balancers; tags",
    "Listeners": "a changed certificate or target group on a listener of this install's load balancers; tags",
    "TargetGroups": "health check and deregistration delay of this install's target groups; tags",
    "CloudMapTags": "services of the private DNS namespace are made with tags, and their tags are read back",
    "Registrations": "a service in Cloud Map that has registrations cannot be deleted; those that outlived their "
    "containers are taken out",
    "ScalableTargetTags": "scalable targets are made with tags, and their tags are read back",
    "AlarmTags": "this install's alarms are made with tags",
}
"""What each statement is for, by its ``Sid``."""


def supplement(account: Account, names: InstallNames) -> Document:
    """The policy beside the five documented ones, for ``mode: documented``.

    Load balancers, listeners and alarms are limited by name, target groups (whose names the provider invents) and
    registrations in Cloud Map by tag, scalable targets by account and region.
    """

    def elb(resource: str) -> str:
        return account.arn("elasticloadbalancing", resource)

    balancer = name_pattern(names.prefix, LOAD_BALANCER_NAME_LIMIT)
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "ReadLoadBalancing",
                "Effect": "Allow",
                "Action": [
                    "elasticloadbalancing:DescribeCapacityReservation",
                    "elasticloadbalancing:DescribeListenerAttributes",
                    "elasticloadbalancing:DescribeLoadBalancerAttributes",
                    "elasticloadbalancing:DescribeTags",
                    "elasticloadbalancing:DescribeTargetGroupAttributes",
                    "elasticloadbalancing:DescribeTargetHealth",
                ],
                "Resource": "*",  # AWS does not limit these reads by resource
            },
            {
                "Sid": "LoadBalancers",
                "Effect": "Allow",
                "Action": [
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:ModifyLoadBalancerAttributes",
                    "elasticloadbalancing:RemoveTags",
                    "elasticloadbalancing:SetSecurityGroups",
                    "elasticloadbalancing:SetSubnets",
                ],
                "Resource": elb(f"loadbalancer/app/{balancer}"),
            },
            {
                "Sid": "Listeners",
                "Effect": "Allow",
                "Action": [
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:ModifyListener",
                    "elasticloadbalancing:RemoveTags",
                ],
                "Resource": elb(f"listener/app/{balancer}"),
            },
            {
                "Sid": "TargetGroups",
                "Effect": "Allow",
                "Action": [
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:ModifyTargetGroup",
                    "elasticloadbalancing:ModifyTargetGroupAttributes",
                    "elasticloadbalancing:RemoveTags",
                ],
                # "*": the provider names target groups; the tag says whose they are.
                "Resource": elb("targetgroup/*"),
                "Condition": {"StringEquals": {f"aws:ResourceTag/{INSTALL_TAG}": names.prefix}},
            },
            {
                "Sid": "CloudMapTags",
                "Effect": "Allow",
                "Action": [
                    "servicediscovery:ListTagsForResource",
                    "servicediscovery:TagResource",
                    "servicediscovery:UntagResource",
                ],
                "Resource": "*",  # AWS does not limit Cloud Map's tag actions by resource
            },
            {
                "Sid": "Registrations",
                "Effect": "Allow",
                "Action": ["servicediscovery:DeregisterInstance", "servicediscovery:ListInstances"],
                # "*": AWS gives services random ids; the tag says whose they are.
                "Resource": account.arn("servicediscovery", "service/*"),
                "Condition": {"StringEquals": {f"aws:ResourceTag/{INSTALL_TAG}": names.prefix}},
            },
            {
                "Sid": "ScalableTargetTags",
                "Effect": "Allow",
                "Action": [
                    "application-autoscaling:ListTagsForResource",
                    "application-autoscaling:TagResource",
                    "application-autoscaling:UntagResource",
                ],
                # "*": AWS gives scalable targets random ids.
                "Resource": account.arn("application-autoscaling", "scalable-target/*"),
            },
            {
                "Sid": "AlarmTags",
                "Effect": "Allow",
                "Action": ["cloudwatch:TagResource", "cloudwatch:UntagResource"],
                # "*": the deployment's name and the alarm's subject.
                "Resource": account.arn("cloudwatch", f"alarm:{names.prefix}-*"),
            },
        ],
    }
