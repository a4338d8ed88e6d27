"""A customer's account, made ready for deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pulumi

from byoc.components.access import ControlPlaneAccess, ControlPlaneAccessArgs
from byoc.components.boundary import OwnBoundary, PermissionsBoundary, PermissionsBoundaryArgs
from byoc.components.break_glass import BreakGlass, BreakGlassArgs, BreakGlassSettings
from byoc.components.deployment import Deployment, DeploymentArgs
from byoc.components.flow import after, all_of
from byoc.components.network import CreateNetwork, ExistingNetwork, Network, NetworkArgs
from byoc.components.runtime import AccountRuntime, AccountRuntimeArgs, AccountRuntimeSettings
from byoc.components.runtime_refs import RuntimeRefs
from byoc.components.service_linked_roles import ServiceLinkedRoles, ServiceLinkedRolesArgs
from byoc.components.spec import DeploymentSpec
from byoc.components.vendor_activity import VendorActivity, VendorActivityArgs, VendorActivitySettings
from byoc.errors import ByocError, Problem
from byoc.naming import Names
from byoc.types import AwsAccount

_HolderT = TypeVar("_HolderT", ControlPlaneAccessArgs, BreakGlassSettings, AccountRuntimeSettings)
"""What says which boundary its roles have."""


@dataclass(frozen=True, kw_only=True)
class CustomerAccountArgs:
    """What an account is to hold.

    ``access``: by default none, and no control plane outside can do anything here. ``network``: by default a VPC of its
    own. ``break_glass``: a second role, for emergencies; by default none. ``vendor_activity``: which doings of the
    control plane are told to the alarm topic; by default none. Either asks for ``runtime.event_alarms``.
    Where any of them, or ``runtime``, has the install's own boundary, it is made here, before the roles.
    ``service_linked_roles``: whether those that AWS needs are looked for, and made where absent.
    ``deployments``: by name; for those who run everything themselves in one stack. By default none:
    deployments are then stacks of their own, which find this one by its names.
    """

    account: AwsAccount
    names: Names = field(default_factory=Names)
    access: ControlPlaneAccessArgs | None = None
    break_glass: BreakGlassSettings | None = None
    vendor_activity: VendorActivitySettings | None = None
    network: CreateNetwork | ExistingNetwork = field(default_factory=CreateNetwork)
    runtime: AccountRuntimeSettings = field(default_factory=AccountRuntimeSettings)
    service_linked_roles: bool = True
    deployments: Mapping[str, DeploymentSpec] = field(default_factory=dict)


class CustomerAccount(pulumi.ComponentResource):
    """Access for the control plane, a network, the runtime, and any inline deployments.

    Its outputs are all that a deployment in another stack can be told about it. What a destroy leaves: service-linked
    roles (other users of the account need them), repositories that hold images, and what a production deployment keeps.
    Raises ``ByocError`` for a network that cannot be used (``Network``), for a deployment whose key is not its name,
    and for access to another account, prefix or role path than the rest; likewise for a break-glass role whose path is
    not that of the boundary that is made here.
    """

    role_arn: pulumi.Output[str | None]
    """The role that the control plane assumes; none without access."""
    vpc_id: pulumi.Output[str]
    """See ``Network``."""
    private_subnet_ids: pulumi.Output[Sequence[str]]
    """See ``Network``."""
    public_subnet_ids: pulumi.Output[Sequence[str]]
    """See ``Network``."""
    cluster_arn: pulumi.Output[str]
    """See ``AccountRuntime``, here and below."""
    cluster_name: pulumi.Output[str]
    """The ECS cluster's name."""
    load_balancer_security_group_id: pulumi.Output[str]
    """The group of all load balancers."""
    service_security_group_id: pulumi.Output[str]
    """The group of all LangGraph Server tasks."""
    data_security_group_id: pulumi.Output[str]
    """The group of all databases and caches."""
    db_subnet_group_name: pulumi.Output[str]
    """The RDS subnet group."""
    namespace_id: pulumi.Output[str]
    """The Cloud Map namespace of caches."""
    namespace_name: pulumi.Output[str]
    """The domain of caches."""
    log_group_name: pulumi.Output[str]
    """The log group of all containers."""
    execution_role_arn: pulumi.Output[str]
    """The role with which ECS starts tasks."""
    task_role_arn: pulumi.Output[str]
    """The role under which the graphs' code runs."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of all alarms."""
    repository_urls: pulumi.Output[Mapping[str, str]]
    """What to push images to, by repository name."""
    deployment_urls: pulumi.Output[Mapping[str, str]]
    """Where inline deployments answer, by deployment name."""
    task_definition_arns: pulumi.Output[Mapping[str, str]]
    """The newest revision of the API of inline deployments, by deployment name."""

    def __init__(self, name: str, args: CustomerAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:CustomerAccount", name, None, opts)
        _check(args)
        child = pulumi.ResourceOptions(parent=self)
        if _bounded_here(args):
            args = _under(PermissionsBoundary(f"{name}-boundary", _boundary(args), opts=child), args)
        roles: list[pulumi.Resource] = []
        if args.service_linked_roles:
            roles.append(
                ServiceLinkedRoles(
                    f"{name}-service-linked-roles", ServiceLinkedRolesArgs(account=args.account), opts=child
                )
            )
        access = ControlPlaneAccess(f"{name}-access", args.access, opts=child) if args.access else None
        network = Network(
            f"{name}-network", NetworkArgs(account=args.account, names=args.names, network=args.network), opts=child
        )
        runtime = AccountRuntime(
            f"{name}-runtime",
            AccountRuntimeArgs(
                account=args.account,
                names=args.names,
                vpc_id=network.vpc_id,
                vpc_cidr=network.vpc_cidr,
                private_subnet_ids=network.database_subnet_ids,
                settings=args.runtime,
                after_roles=roles,
            ),
            opts=child,
        )
        if args.break_glass is not None:
            BreakGlass(f"{name}-break-glass", _break_glass(args, args.break_glass, runtime), opts=child)
        if args.vendor_activity is not None:
            VendorActivity(f"{name}-vendor-activity", _activity(args, args.vendor_activity, runtime), opts=child)
        refs = _refs(network, runtime, roles)
        deployments = {
            key: Deployment(
                f"{name}-deployment-{key}",
                DeploymentArgs(account=args.account, names=args.names, runtime=refs, spec=spec),
                opts=child,
            )
            for key, spec in args.deployments.items()
        }

        self.role_arn = pulumi.Output.from_input(access.role_arn if access else None)
        self.vpc_id = network.vpc_id
        self.private_subnet_ids = network.private_subnet_ids
        self.public_subnet_ids = network.public_subnet_ids
        self.cluster_arn = runtime.cluster_arn
        self.cluster_name = runtime.cluster_name
        self.load_balancer_security_group_id = runtime.load_balancer_security_group_id
        self.service_security_group_id = runtime.service_security_group_id
        self.data_security_group_id = runtime.data_security_group_id
        self.db_subnet_group_name = runtime.db_subnet_group_name
        self.namespace_id = runtime.namespace_id
        self.namespace_name = runtime.namespace_name
        self.log_group_name = runtime.log_group_name
        self.execution_role_arn = runtime.execution_role_arn
        self.task_role_arn = runtime.task_role_arn
        self.alarm_topic_arn = runtime.alarm_topic_arn
        self.repository_urls = runtime.repository_urls
        self.deployment_urls = all_of({key: made.url for key, made in deployments.items()})
        self.task_definition_arns = all_of({key: made.task_definition_arn for key, made in deployments.items()})
        self.register_outputs(
            {
                "role_arn": self.role_arn,
                "vpc_id": self.vpc_id,
                "private_subnet_ids": self.private_subnet_ids,
                "public_subnet_ids": self.public_subnet_ids,
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
                "deployment_urls": self.deployment_urls,
                "task_definition_arns": self.task_definition_arns,
            }
        )


def _check(args: CustomerAccountArgs) -> None:
    for key, spec in args.deployments.items():
        if key != spec.name:
            raise _two(f"deployments.{key}", f"name {spec.name}", f"name {key}")
    if (args.break_glass or args.vendor_activity) and not args.runtime.event_alarms:
        raise _two("runtime.event_alarms", "False", "True, since break_glass or vendor_activity is given")
    break_glass = args.break_glass
    if break_glass and _bounded_here(args) and break_glass.role_path != args.runtime.role_path:
        raise _two("break_glass.role_path", break_glass.role_path, args.runtime.role_path)
    if args.access is None:
        return
    if args.runtime.event_alarms and not args.access.event_rules:
        raise _two("access.event_rules", "False", "True, since runtime.event_alarms is")
    # The policies of the control plane's role speak of this account, these names and the task roles under this path.
    for key, theirs, ours in (
        ("account", args.access.account, args.account),
        ("names", args.access.names, args.names),
        ("role_path", args.access.role_path, args.runtime.role_path),
    ):
        if theirs != ours:
            raise _two(f"access.{key}", str(theirs), str(ours))


def _two(key: str, got: str, allowed: str) -> ByocError:
    problem = Problem(key=key, value=got, allowed=allowed, remedy="use one value for both")
    return ByocError(f"the parts of the account contradict each other; nothing was created\n{problem.render()}")


def _bounded_here(args: CustomerAccountArgs) -> bool:
    """Whether any role has the install's own boundary, and nobody has made it yet."""
    holders = (holder for holder in (args.access, args.break_glass, args.runtime) if holder is not None)
    return any(holder.permissions_boundary == OwnBoundary() for holder in holders)


def _boundary(args: CustomerAccountArgs) -> PermissionsBoundaryArgs:
    return PermissionsBoundaryArgs(account=args.account, names=args.names, role_path=args.runtime.role_path)


def _under(boundary: PermissionsBoundary, args: CustomerAccountArgs) -> CustomerAccountArgs:
    """The same, with roles that wait for the boundary."""
    made = OwnBoundary(made=boundary.policy_arn)

    def bounded(holder: _HolderT) -> _HolderT:
        return replace(holder, permissions_boundary=made) if holder.permissions_boundary == OwnBoundary() else holder

    return replace(
        args,
        access=bounded(args.access) if args.access else None,
        break_glass=bounded(args.break_glass) if args.break_glass else None,
        runtime=bounded(args.runtime),
    )


def _break_glass(args: CustomerAccountArgs, settings: BreakGlassSettings, runtime: AccountRuntime) -> BreakGlassArgs:
    return BreakGlassArgs(
        account=args.account,
        names=args.names,
        topic_arn=runtime.alarm_topic_arn,
        task_role_arn=runtime.task_role_arn,
        settings=settings,
    )


def _activity(
    args: CustomerAccountArgs, settings: VendorActivitySettings, runtime: AccountRuntime
) -> VendorActivityArgs:
    account, names, access, break_glass = args.account, args.names, args.access, args.break_glass
    return VendorActivityArgs(
        names=names,
        control_plane_role_arn=account.role_arn(names.control_plane_role, access.role_path) if access else None,
        break_glass_role_arn=account.role_arn(names.break_glass_role, break_glass.role_path) if break_glass else None,
        topic_arn=runtime.alarm_topic_arn,
        settings=settings,
    )


def _refs(network: Network, runtime: AccountRuntime, roles: Sequence[pulumi.Resource]) -> RuntimeRefs:
    return RuntimeRefs(
        vpc_id=network.vpc_id,
        private_subnet_ids=network.private_subnet_ids,
        public_subnet_ids=network.public_subnet_ids,
        cluster_arn=runtime.cluster_arn,
        cluster_name=runtime.cluster_name,
        # With the first load balancer, AWS makes its service-linked role unless there is one by then.
        load_balancer_security_group_id=after(runtime.load_balancer_security_group_id, roles),
        service_security_group_id=runtime.service_security_group_id,
        data_security_group_id=runtime.data_security_group_id,
        db_subnet_group_name=runtime.db_subnet_group_name,
        namespace_id=runtime.namespace_id,
        namespace_name=runtime.namespace_name,
        log_group_name=runtime.log_group_name,
        execution_role_arn=runtime.execution_role_arn,
        task_role_arn=runtime.task_role_arn,
        alarm_topic_arn=runtime.alarm_topic_arn,
    )
