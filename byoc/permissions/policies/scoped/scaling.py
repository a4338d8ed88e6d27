"""Discovery of caches, scaling of services, alarms, and whom they tell."""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.policies.documents import Document
from byoc.permissions.policies.scoped.conditions import Install, allow, both, of

REASONS: Mapping[str, str] = {
    "MakeDiscovery": "services of caches in this install's private DNS namespace",
    "MakeDiscoveryInside": "the same, for the service in the making",
    "ChangeDiscovery": "settings and end of this install's services in Cloud Map; a registration that outlived its "
    "containers is taken out, since Cloud Map deletes no service that has one",
    "TagNewDiscovery": "tags are part of the create call; AWS does not limit Cloud Map's tag actions by resource",
    "DiscoveryTags": "other tags in Cloud Map; AWS does not limit these actions by resource",
    "MakeScaling": "scalable targets are registered with this install's tag, for ECS alone",
    "TagNewScaling": "tags are part of the create call and authorised on their own",
    "ChangeScaling": "bounds, policies and end of this install's scalable targets",
    "ScalingTags": "tags of scalable targets, but for the one that says whose they are",
    "MakeAlarms": "alarms are made under this install's names, with its tag",
    "TagNewAlarms": "tags are part of the create call and authorised on their own",
    "ChangeAlarms": "thresholds and end of this install's alarms",
    "AlarmTags": "tags of this install's alarms, but for the one that says whose they are",
    "TellPeople": "the notice that a deployment is not used goes out by this install's alarm topic, if anybody "
    "would get it; who that is, are addresses of people, and no setting",
    "ScalingTries": "Application Auto Scaling tries these as the caller, on names of its own making, before it accepts "
    "a target or a policy; without that service in between they are not allowed",
}
"""What each statement is for, by its ``Sid``."""


def scaling(install: Install) -> list[Document]:
    """Make, change and delete what finds, scales and watches the services."""
    return [*_discovery(install), *_scaling(install), *_alarms(install), _notices(install), _tries(install)]


def _discovery(install: Install) -> list[Document]:
    # "*": AWS gives namespaces and services random ids.
    namespaces, services = (install.arn("servicediscovery", f"{kind}/*") for kind in ("namespace", "service"))
    return [
        allow(
            "MakeDiscovery",
            of("servicediscovery", "CreateService"),
            namespaces,
            both(install.tagged, install.ours),
        ),
        allow("MakeDiscoveryInside", of("servicediscovery", "CreateService"), services, install.tagged),
        allow(
            "ChangeDiscovery",
            of("servicediscovery", "DeleteService DeregisterInstance UpdateService"),
            services,
            install.ours,
        ),
        allow("TagNewDiscovery", of("servicediscovery", "TagResource"), "*", both(install.tagged, install.here)),
        allow(
            "DiscoveryTags",
            of("servicediscovery", "TagResource UntagResource"),
            "*",
            both(install.here, install.other_tags),
        ),
    ]


def _scaling(install: Install) -> list[Document]:
    targets = install.arn("application-autoscaling", "scalable-target/*")  # "*": AWS gives them random ids
    containers = {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}
    return [
        allow(
            "MakeScaling",
            of("application-autoscaling", "RegisterScalableTarget"),
            targets,
            both(install.tagged_new, containers),
        ),
        allow("TagNewScaling", of("application-autoscaling", "TagResource"), targets, install.tagged_new),
        allow(
            "ChangeScaling",
            of(
                "application-autoscaling",
                "DeleteScalingPolicy DeregisterScalableTarget PutScalingPolicy RegisterScalableTarget",
            ),
            targets,
            install.ours,
        ),
        allow(
            "ScalingTags",
            of("application-autoscaling", "TagResource UntagResource"),
            targets,
            both(install.ours, install.other_tags),
        ),
    ]


def _alarms(install: Install) -> list[Document]:
    own = install.alarms
    return [
        allow("MakeAlarms", of("cloudwatch", "PutMetricAlarm"), own, install.tagged_new),
        allow("TagNewAlarms", of("cloudwatch", "TagResource"), own, install.tagged_new),
        allow("ChangeAlarms", of("cloudwatch", "DeleteAlarms PutMetricAlarm"), own, install.ours),
        allow("AlarmTags", of("cloudwatch", "TagResource UntagResource"), own, both(install.ours, install.other_tags)),
    ]


def _notices(install: Install) -> Document:
    return allow("TellPeople", of("sns", "ListSubscriptionsByTopic Publish"), install.alarm_topic)


def _tries(install: Install) -> Document:
    """What is allowed to AWS's services on the caller's behalf alone (AWS docs: ``aws:ViaAWSService``).

    AWS docs, "Permissions validation for Application Auto Scaling API calls on target resources".
    """
    tried = [
        *of("cloudwatch", "DeleteAlarms DescribeAlarms PutMetricAlarm"),
        *of("ecs", "DescribeServices UpdateService"),
    ]
    # "*": the names are made up.
    return allow("ScalingTries", tried, "*", both(install.here, {"Bool": {"aws:ViaAWSService": "true"}}))
