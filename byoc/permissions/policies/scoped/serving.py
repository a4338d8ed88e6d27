"""Load balancers and containers: made with this install's tag and names, changed and deleted on both."""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.policies.documents import Document
from byoc.permissions.policies.scoped.conditions import Install, allow, both, of

BALANCING_REASONS: Mapping[str, str] = {
    "MakeLoadBalancers": "load balancers are made under this install's names, target groups under the provider's",
    "MakeListeners": "listeners on this install's load balancers",
    "TagNewLoadBalancing": "tags are part of the create calls and authorised on their own",
    "ChangeLoadBalancing": "settings and end of this install's load balancers, listeners and target groups",
    "LoadBalancingTags": "their tags, but for the one that says whose they are",
}
"""What each statement about load balancing is for, by its ``Sid``."""
CONTAINER_REASONS: Mapping[str, str] = {
    "MakeServices": "services in this install's cluster, and task definitions under its names",
    "TagNewServices": "tags are part of the create calls and authorised on their own",
    "ChangeServices": "revisions, size and end of this install's services",
    "ServiceTags": "tags of services and task definitions, but for the one that says whose they are",
    "RetireRevisions": "a revision that is no longer used is deregistered; AWS does not limit that by resource",
    "ReadImages": "what an image of this install's repositories is built for stands in its manifest, or in its config, "
    "which is a layer. Layers are the graphs' code; who may run an image here could read it anyway",
    "PassTaskRoles": "tasks run under this install's two task roles and no others",
}
"""What each statement about containers is for, by its ``Sid``."""


def load_balancing(install: Install) -> list[Document]:
    """Make, change and delete this install's load balancers, listeners and target groups."""
    balancers, listeners = install.balancing("loadbalancer"), install.balancing("listener")
    # "*": the provider names target groups; the tag says whose they are.
    targets = install.arn("elasticloadbalancing", "targetgroup/*")
    makes = ["CreateListener", "CreateLoadBalancer", "CreateTargetGroup"]
    return [
        allow(
            "MakeLoadBalancers",
            of("elasticloadbalancing", "CreateLoadBalancer CreateTargetGroup"),
            [balancers, targets],
            install.tagged,
        ),
        allow(
            "MakeListeners",
            of("elasticloadbalancing", "CreateListener"),
            balancers,
            both(install.tagged, install.ours),
        ),
        allow(
            "TagNewLoadBalancing",
            of("elasticloadbalancing", "AddTags"),
            [balancers, listeners, targets],
            both(install.tagged, {"StringEquals": {"elasticloadbalancing:CreateAction": makes}}),
        ),
        allow(
            "ChangeLoadBalancing",
            of(
                "elasticloadbalancing",
                "DeleteListener DeleteLoadBalancer DeleteTargetGroup ModifyListener ModifyLoadBalancerAttributes "
                "ModifyTargetGroup ModifyTargetGroupAttributes SetSecurityGroups SetSubnets",
            ),
            [balancers, listeners, targets],
            install.ours,
        ),
        allow(
            "LoadBalancingTags",
            of("elasticloadbalancing", "AddTags RemoveTags"),
            [balancers, listeners, targets],
            both(install.ours, install.other_tags),
        ),
    ]


def containers(install: Install) -> list[Document]:
    """Make, change and delete this install's services and task definitions."""
    account, names = install.account, install.names
    own = [install.services, install.task_definitions]
    makes = ["CreateService", "RegisterTaskDefinition"]
    return [
        allow("MakeServices", of("ecs", "CreateService RegisterTaskDefinition"), own, install.tagged),
        allow(
            "TagNewServices",
            of("ecs", "TagResource"),
            own,
            both(install.tagged, {"StringEquals": {"ecs:CreateAction": makes}}),
        ),
        allow("ChangeServices", of("ecs", "DeleteService UpdateService"), install.services, install.ours),
        allow("ServiceTags", of("ecs", "TagResource UntagResource"), own, both(install.ours, install.other_tags)),
        # "*": AWS does not limit it by resource. What runs goes on with a revision that was deregistered.
        allow("RetireRevisions", of("ecs", "DeregisterTaskDefinition"), "*", install.here),
        allow("ReadImages", of("ecr", "BatchGetImage GetDownloadUrlForLayer"), install.repositories, install.ours),
        allow(
            "PassTaskRoles",
            of("iam", "PassRole"),
            [account.role_arn(role, install.role_path) for role in (names.execution_role, names.task_role)],
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    ]
