"""Everything that exists in an account beyond AWS's defaults: the proof that a teardown leaves nothing behind.

Read straight from moto's backends, so that no permission and no missing API can hide a thing. Left out, because AWS has
them in every account or will not let them be deleted at once: the default VPC with its parts, a VPC's own main route
table, default security group and network ACL, service-linked roles, AWS-managed policies and keys, keys that are
scheduled for deletion; and what the emulator itself put there: the administrator, control planes' roles, and what was
provided as the customer's own (:mod:`byoc.sandbox.emulator.prerequisites`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from moto.utilities.utils import get_partition

from byoc.sandbox.emulator.identities import ADMINISTRATOR, BOOTSTRAP_TAG
from byoc.sandbox.emulator.stored import Model, backend, tag_map

Found = Iterator[tuple[str, str]]
"""Kind and id of each thing."""


def inventory(account: str, region: str, *, besides: Collection[str] = ()) -> list[dict[str, str]]:
    """What exists, but for the ids in ``besides``, as ``service``, ``kind`` and ``id``, sorted."""
    found: list[tuple[str, str, str]] = []
    for service, things in _SERVICES.items():
        place = get_partition(region) if service in _GLOBAL else region
        held = backend(service, account, place)
        if held is not None:
            name = _NAMES.get(service, service)
            found += [(name, kind, str(id_)) for kind, id_ in things(held) if id_ not in besides]
    return [{"service": service, "kind": kind, "id": id_} for service, kind, id_ in sorted(found)]


def _ec2(held: Model) -> Found:
    default_vpcs = {vpc.id for vpc in held.vpcs.values() if vpc.is_default}
    for vpc in held.vpcs.values():
        if not vpc.is_default:
            yield "vpc", vpc.id
    for zone in held.subnets.values():
        yield from (("subnet", subnet.id) for subnet in zone.values() if subnet.vpc_id not in default_vpcs)
    for groups in held.groups.values():
        yield from (("security-group", group.id) for group in groups.values() if group.name != "default")
    yield from (("route-table", t.id) for t in held.route_tables.values() if t.main_association_id is None)
    yield from (("internet-gateway", id_) for id_ in held.internet_gateways)
    yield from (("nat-gateway", nat.id) for nat in held.nat_gateways.values() if nat.state != "deleted")
    yield from (("vpc-endpoint", p.id) for p in held.vpc_end_points.values() if p.state != "deleted")
    yield from (("elastic-ip", address.allocation_id) for address in held.addresses)
    yield from (("network-interface", id_) for id_ in held.enis)
    yield from (("network-acl", acl.id) for acl in held.network_acls.values() if not acl.default)
    yield from (("flow-log", id_) for id_ in held.flow_logs)
    yield from (("volume", id_) for id_ in held.volumes)
    for reservation in held.reservations.values():
        yield from (("instance", i.id) for i in reservation.instances if i.state_code != _TERMINATED)


_TERMINATED = 48


def _iam(held: Model) -> Found:
    for role in held.roles.values():
        if not role.path.startswith("/aws-service-role/") and BOOTSTRAP_TAG not in tag_map(role.tags):
            yield "role", role.arn
    yield from (("policy", arn) for arn in held.managed_policies if ":iam::aws:" not in arn)
    yield from (("user", user.arn) for user in held.users.values() if user.name != ADMINISTRATOR)
    yield from (("group", group.arn) for group in held.groups.values())
    yield from (("instance-profile", profile.arn) for profile in held.instance_profiles.values())
    yield from (("oidc-provider", arn) for arn in held.open_id_providers)
    yield from (("server-certificate", certificate.arn) for certificate in held.certificates.values())


def _rds(held: Model) -> Found:
    yield from (("instance", id_) for id_ in held.databases)
    yield from (("cluster", id_) for id_ in held.clusters)
    yield from (("snapshot", id_) for id_ in held.database_snapshots)
    yield from (("subnet-group", name) for name in held.subnet_groups)
    yield from (("parameter-group", n) for n in held.db_parameter_groups if not n.startswith("default."))
    yield from (("option-group", name) for name in held.option_groups if not name.startswith("default:"))


def _ecs(held: Model) -> Found:
    yield from (("cluster", cluster.arn) for cluster in held.clusters.values() if cluster.status != "INACTIVE")
    yield from (("service", service.arn) for service in held.services.values() if service.status != "INACTIVE")
    for revisions in held.task_definitions.values():
        yield from (("task-definition", d.arn) for d in revisions.values() if d.status == "ACTIVE")
    singles = getattr(held, "service_tasks", {}).values()
    yield from (
        ("task", task["taskArn"])
        for task in singles
        if not task["group"].startswith("service:") and task["lastStatus"] != "STOPPED"
    )
    for tasks in held.tasks.values():
        yield from (("task", task.task_arn) for task in tasks.values() if task.last_status != "STOPPED")


def _elbv2(held: Model) -> Found:
    yield from (("load-balancer", arn) for arn in held.load_balancers)
    yield from (("target-group", arn) for arn in held.target_groups)


def _secretsmanager(held: Model) -> Found:
    for secret in held.secrets.values():
        yield ("secret-pending-deletion" if secret.is_deleted() else "secret"), secret.arn


def _servicediscovery(held: Model) -> Found:
    yield from (("namespace", id_) for id_ in held.namespaces)
    yield from (("service", id_) for id_ in held.services)


def _autoscaling(held: Model) -> Found:
    for targets in held.targets.values():
        yield from (("scalable-target", target.arn) for target in targets.values())
    yield from (("scaling-policy", policy.policy_arn) for policy in held.policies.values())
    yield from (("scheduled-action", action.arn) for action in held.scheduled_actions)


def _cloudwatch(held: Model) -> Found:
    yield from (("alarm", name) for name in held.alarms)
    yield from (("dashboard", name) for name in held.dashboards)


def _logs(held: Model) -> Found:
    yield from (("log-group", name) for name in held.groups)


def _sns(held: Model) -> Found:
    yield from (("topic", arn) for arn in held.topics)
    yield from (("subscription", arn) for arn in held.subscriptions)


def _ecr(held: Model) -> Found:
    yield from (("repository", name) for name in held.repositories)


def _kms(held: Model) -> Found:
    for key in held.keys.values():
        if key.key_manager == "CUSTOMER" and key.key_state != "PendingDeletion":
            yield "key", key.id
            yield from (("alias", name) for name in key.aliases if "alias/aws/" not in name)


def _acm(held: Model) -> Found:
    yield from (("certificate", arn) for arn in held._certificates)


def _route53(held: Model) -> Found:
    yield from (("hosted-zone", id_) for id_ in held.zones)


def _events(held: Model) -> Found:
    for bus in held.event_buses.values():
        yield from (("rule", rule.arn) for rule in bus.rules.values())


_GLOBAL = frozenset({"iam", "route53"})
_NAMES = {"applicationautoscaling": "application-autoscaling", "elbv2": "elasticloadbalancing"}
"""AWS's names of services that moto calls otherwise."""
_SERVICES: Mapping[str, Callable[[Any], Found]] = {
    "acm": _acm,
    "applicationautoscaling": _autoscaling,
    "cloudwatch": _cloudwatch,
    "ec2": _ec2,
    "ecr": _ecr,
    "ecs": _ecs,
    "elbv2": _elbv2,
    "events": _events,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "rds": _rds,
    "route53": _route53,
    "secretsmanager": _secretsmanager,
    "servicediscovery": _servicediscovery,
    "sns": _sns,
}
"""By moto's name of the service."""
