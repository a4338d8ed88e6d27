"""What all deployments of an account share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.components.alarm_topic import alarm_topic
from byoc.components.boundary import Boundary
from byoc.components.flow import after, all_of
from byoc.components.repositories import repositories
from byoc.components.security_groups import KeptGroups, LoadBalancerAccess, security_groups
from byoc.components.task_roles import task_roles
from byoc.naming import Names
from byoc.types import AwsAccount


@dataclass(frozen=True, kw_only=True)
class AccountRuntimeSettings:
    """What a user may choose about the runtime of an account.

    ``log_retention_days``: one of the values that CloudWatch knows; older log entries are deleted. None: none ever is.
    ``alarm_emails``: by default nobody is told. ``repositories``: names of ECR repositories to make; by default none.
    ``container_insights``: per-service metrics of the cluster, which CloudWatch bills.
    ``permissions_boundary``: of both task roles: the ARN of a policy, or the install's own; by default none. With
    either they also carry a policy that keeps it there.
    ``role_path``: the IAM path of both task roles, with a slash at either end. ``kept``: of adopted security groups.
    ``event_alarms``: whether EventBridge rules of the account publish to the alarm topic; by default none does.
    """

    load_balancer: LoadBalancerAccess = field(default_factory=LoadBalancerAccess)
    log_retention_days: int | None = 30
    alarm_emails: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    container_insights: bool = True
    permissions_boundary: Boundary | None = None
    role_path: str = "/"
    kept: KeptGroups = field(default_factory=KeptGroups)
    event_alarms: bool = False


@dataclass(frozen=True, kw_only=True)
class AccountRuntimeArgs:
    """Where a runtime stands, and how it is set up.

    ``private_subnet_ids``: in at least two zones, or RDS refuses the subnet group; no route out of them is needed.
    ``vpc_cidr`` is what load balancers are open to, unless ``settings`` say otherwise.
    ``after_roles``: service-linked roles made in the same run, which must come before AWS makes them by itself; by
    default none.
    """

    account: AwsAccount
    names: Names
    vpc_id: pulumi.Input[str]
    vpc_cidr: pulumi.Input[str]
    private_subnet_ids: pulumi.Input[Sequence[str]]
    settings: AccountRuntimeSettings = field(default_factory=AccountRuntimeSettings)
    after_roles: Sequence[pulumi.Resource] = ()


class AccountRuntime(pulumi.ComponentResource):
    """The cluster, security groups, names, roles and log that every deployment of an account uses.

    Names, tags and descriptions are those of the documented AWS setup (LangGraph docs: "Self-Hosted Data Plane", and
    the public Terraform module), under another prefix if the install has one. A data security group, a task role and
    an alarm topic are added to it.

    Nothing here costs money by itself but logs and container insights. A destroy deletes everything, the log group
    with its entries included, except repositories that hold images (see ``repositories.py``). With container insights
    on, ECS makes the log group ``/aws/ecs/containerinsights/<cluster>/performance`` by itself; AWS keeps that, with a
    retention of one day.
    """

    cluster_arn: pulumi.Output[str]
    """The ECS cluster."""
    cluster_name: pulumi.Output[str]
    """The ECS cluster's name."""
    load_balancer_security_group_id: pulumi.Output[str]
    """The group of all load balancers."""
    service_security_group_id: pulumi.Output[str]
    """The group of all LangGraph Server tasks."""
    data_security_group_id: pulumi.Output[str]
    """The group of all databases and caches."""
    db_subnet_group_name: pulumi.Output[str]
    """The RDS subnet group over the private subnets."""
    namespace_id: pulumi.Output[str]
    """The Cloud Map namespace of caches."""
    namespace_name: pulumi.Output[str]
    """The domain under which caches are found inside the VPC."""
    log_group_name: pulumi.Output[str]
    """The log group of all containers."""
    execution_role_arn: pulumi.Output[str]
    """The role with which ECS starts tasks; known once it may do what that needs."""
    task_role_arn: pulumi.Output[str]
    """The role under which the graphs' code runs."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of all alarms."""
    repository_urls: pulumi.Output[Mapping[str, str]]
    """What to push images to, by repository name."""

    def __init__(self, name: str, args: AccountRuntimeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:AccountRuntime", name, None, opts)
        names, settings = args.names, args.settings
        child = pulumi.ResourceOptions(parent=self)
        # With the first cluster or use of RDS, AWS makes a service-linked role by itself unless there is one by then.
        after_roles = pulumi.ResourceOptions(parent=self, depends_on=list(args.after_roles))
        cluster = aws.ecs.Cluster(
            f"{name}-cluster",
            name=names.cluster,
            settings=[
                aws.ecs.ClusterSettingArgs(
                    name="containerInsights", value="enabled" if settings.container_insights else "disabled"
                )
            ],
            tags=tags.ENABLED,
            opts=after_roles,
        )
        groups = security_groups(
            self,
            name,
            names=names,
            vpc_id=args.vpc_id,
            vpc_cidr=args.vpc_cidr,
            access=settings.load_balancer,
            kept=settings.kept,
        )
        subnet_group = aws.rds.SubnetGroup(
            f"{name}-db-subnet-group",
            name=names.db_subnet_group,
            description="Private subnets of LangGraph Cloud databases",
            subnet_ids=args.private_subnet_ids,
            opts=after_roles,
        )
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{name}-namespace",
            name=names.namespace,
            description="LangGraph Cloud Redis service discovery namespace",
            vpc=args.vpc_id,
            tags=tags.ENABLED,
            opts=child,
        )
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log-group", name=names.log_group, retention_in_days=settings.log_retention_days, opts=child
        )
        roles = task_roles(
            self,
            name,
            account=args.account,
            names=names,
            path=settings.role_path,
            boundary=settings.permissions_boundary,
        )
        topic = alarm_topic(
            self,
            name,
            account=args.account,
            names=names,
            emails=settings.alarm_emails,
            events=settings.event_alarms,
        )
        made = repositories(self, name, settings.repositories)

        self.cluster_arn = cluster.arn
        self.cluster_name = cluster.name
        self.load_balancer_security_group_id = groups.load_balancer.id
        self.service_security_group_id = groups.service.id
        self.data_security_group_id = groups.data.id
        self.db_subnet_group_name = subnet_group.name
        self.namespace_id = namespace.id
        self.namespace_name = namespace.name
        self.log_group_name = log_group.name
        self.execution_role_arn = after(roles.execution.arn, roles.execution_policies)
        self.task_role_arn = after(roles.task.arn, roles.task_policies)
        self.alarm_topic_arn = topic.arn
        self.repository_urls = all_of({key: repository.repository_url for key, repository in made.items()})
        self.register_outputs(
            {
                "cluster_arn": self.cluster_arn,
                "cluster_name": self.cluster_name,
                "load_balancer_security_group_id": self.load_balancer_security_group_id,
                "service_security_group_id": self.service_security_group_id,
                "data_security_group_id": self.data_security_group_id,
                "db_subnet_group_name": self.db_subnet_group_name,
                "namespace_id": self.namespace_id,
                "namespace_name": self.namespace_name,
                "log_group_name": self.log_group_name,
                "execution_role_arn": self.execution_role_arn,
                "task_role_arn": self.task_role_arn,
                "alarm_topic_arn": self.alarm_topic_arn,
                "repository_urls": self.repository_urls,
            }
        )
