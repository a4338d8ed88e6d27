"""How a deployment refers to the runtime of its account: given by a component, or found by the documented names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.errors import ByocError, Problem
from byoc.naming import Names
from byoc.types import AwsAccount


@dataclass(frozen=True, kw_only=True)
class RuntimeRefs:
    """Every value of the account's runtime that a deployment needs, named as the outputs of ``AccountRuntime``.

    ``private_subnet_ids`` have their way out when they are known; ``public_subnet_ids`` may be empty, and then no
    deployment can have an internet-facing load balancer.
    """

    vpc_id: pulumi.Input[str]
    private_subnet_ids: pulumi.Input[Sequence[str]]
    public_subnet_ids: pulumi.Input[Sequence[str]]
    cluster_arn: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    load_balancer_security_group_id: pulumi.Input[str]
    service_security_group_id: pulumi.Input[str]
    data_security_group_id: pulumi.Input[str]
    db_subnet_group_name: pulumi.Input[str]
    namespace_id: pulumi.Input[str]
    namespace_name: pulumi.Input[str]
    log_group_name: pulumi.Input[str]
    execution_role_arn: pulumi.Input[str]
    task_role_arn: pulumi.Input[str]
    alarm_topic_arn: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class KnownRuntimeIds:
    """Ids that the user gave; what is None or empty is looked up. If all are given, AWS is not asked at all."""

    vpc_id: str | None = None
    private_subnet_ids: tuple[str, ...] = ()
    public_subnet_ids: tuple[str, ...] = ()
    load_balancer_security_group_id: str | None = None
    service_security_group_id: str | None = None
    data_security_group_id: str | None = None
    namespace_id: str | None = None


def find_runtime(
    account: AwsAccount,
    names: Names,
    *,
    opts: pulumi.InvokeOptions,
    role_path: str = "/",
    known: KnownRuntimeIds | None = None,
) -> RuntimeRefs:
    """Find the runtime that the account stack of this install has made.

    Cluster, log group, subnet group, topic and roles follow from the names. The rest is looked up, at most once each:
    the VPC by the service security group, the other two groups in that VPC, the private subnets by the DB subnet group
    (so that an adopted VPC without tags, or with two installs, gives the right ones), the public subnets by the
    documented tags, the namespace by name. The documented role may make all of these calls.

    ``opts`` must carry the provider. ``role_path`` is the IAM path of the account stack's task roles.
    Raises ``ByocError`` if something is missing or ambiguous.
    """
    return _Finder(account, names, known or KnownRuntimeIds(), opts).find(role_path)


@dataclass(frozen=True)
class _Finder:
    account: AwsAccount
    names: Names
    known: KnownRuntimeIds
    opts: pulumi.InvokeOptions

    def find(self, role_path: str) -> RuntimeRefs:
        account, names, known = self.account, self.names, self.known
        service_group, vpc_id = self._service_group_and_vpc()
        return RuntimeRefs(
            vpc_id=vpc_id,
            private_subnet_ids=list(known.private_subnet_ids) or self._private_subnets(vpc_id),
            public_subnet_ids=list(known.public_subnet_ids) or self._public_subnets(vpc_id),
            cluster_arn=account.arn("ecs", f"cluster/{names.cluster}"),
            cluster_name=names.cluster,
            load_balancer_security_group_id=known.load_balancer_security_group_id
            or self._group(names.load_balancer_security_group, vpc_id, "loadBalancerSecurityGroupId"),
            service_security_group_id=service_group,
            data_security_group_id=known.data_security_group_id
            or self._group(names.data_security_group, vpc_id, "dataSecurityGroupId"),
            db_subnet_group_name=names.db_subnet_group,
            namespace_id=known.namespace_id or self._namespace(),
            namespace_name=names.namespace,
            log_group_name=names.log_group,
            execution_role_arn=account.role_arn(names.execution_role, role_path),
            task_role_arn=account.role_arn(names.task_role, role_path),
            alarm_topic_arn=account.arn("sns", names.alarm_topic),
        )

    def _service_group_and_vpc(self) -> tuple[str, str]:
        known, group_name = self.known, self.names.service_security_group
        if known.service_security_group_id and known.vpc_id:
            return known.service_security_group_id, known.vpc_id
        if known.service_security_group_id:
            wanted, filters = known.service_security_group_id, {"group-id": known.service_security_group_id}
        else:
            wanted, filters = group_name, {"group-name": group_name}
            if known.vpc_id:
                filters["vpc-id"] = known.vpc_id
        found = self._groups(filters)
        if not found:
            raise self._missing("security group", wanted, "serviceSecurityGroupId")
        if len(found) > 1:
            places = ", ".join(sorted(vpc for _, vpc in found))
            raise self._problem(
                "vpcId", f"{len(found)} security groups named {wanted}, in {places}", "one of these VPCs"
            )
        return found[0]

    def _group(self, group_name: str, vpc_id: str, key: str) -> str:
        found = self._groups({"group-name": group_name, "vpc-id": vpc_id})  # a name is unique within a VPC
        if not found:
            raise self._missing("security group", f"{group_name} in {vpc_id}", key)
        return found[0][0]

    def _groups(self, filters: dict[str, str]) -> list[tuple[str, str]]:
        found = aws.ec2.get_security_groups(
            filters=[aws.ec2.GetSecurityGroupsFilterArgs(name=name, values=[value]) for name, value in filters.items()],
            opts=self.opts,
        )
        return list(zip(found.ids, found.vpc_ids, strict=True))

    def _private_subnets(self, vpc_id: str) -> list[str]:
        name = self.names.db_subnet_group
        try:
            found = aws.rds.get_subnet_group(name=name, opts=self.opts)
        except Exception as error:  # an invoke raises nothing narrower
            raise self._missing("DB subnet group", name, "privateSubnetIds", error) from error
        if found.vpc_id != vpc_id:
            raise self._problem(
                "vpcId", f"{vpc_id}, but the DB subnet group {name} is in {found.vpc_id}", "ids of one VPC"
            )
        return sorted(found.subnet_ids)

    def _public_subnets(self, vpc_id: str) -> list[str]:
        found = aws.ec2.get_subnets(
            filters=[
                aws.ec2.GetSubnetsFilterArgs(name="vpc-id", values=[vpc_id]),
                *(
                    aws.ec2.GetSubnetsFilterArgs(name=f"tag:{key}", values=[value])
                    for key, value in tags.PUBLIC_SUBNET.items()
                ),
            ],
            opts=self.opts,
        )
        return sorted(found.ids)

    def _namespace(self) -> str:
        name = self.names.namespace
        try:
            return aws.servicediscovery.get_dns_namespace(name=name, type="DNS_PRIVATE", opts=self.opts).id
        except Exception as error:  # an invoke raises nothing narrower
            raise self._missing("private DNS namespace", name, "namespaceId", error) from error

    def _missing(self, what: str, wanted: str, key: str, cause: Exception | None = None) -> ByocError:
        answer = f"; AWS's answer: {cause}" if cause else ""
        return self._problem(key, f"nothing given, and no {what} {wanted} found{answer}", f"the id of the {what}")

    def _problem(self, key: str, got: str, allowed: str) -> ByocError:
        problem = Problem(
            key=f"byoc:runtime.{key}",
            value=got,
            allowed=allowed,
            remedy=f"bring the account stack up first; or set byoc:namePrefix (now {self.names.prefix}) or byoc:region "
            f"to those of the account stack; or give byoc:runtime.{key}",
        )
        place = f"account {self.account.account_id}, region {self.account.region}"
        return ByocError(f"the runtime of install {self.names.prefix} was not found in {place}\n{problem.render()}")
