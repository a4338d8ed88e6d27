"""Whether the account has what its deployments share and a stack looks up: security groups, cluster, namespace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from byoc.config import DeploymentConfig
from byoc.operations.account import Account
from byoc.operations.doctor.asking import NoAnswer, known_or_absent
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.place import Network, Place
from byoc.operations.doctor.subject import SERVICE, Subject

_AREA = Area.NETWORK


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing of the runtime; ``there``: whether AWS knows it."""

    words: str
    there: bool | NoAnswer


def judged(subject: Subject, place: Place) -> tuple[Check, ...]:
    """Ask and judge, for a deployment stack whose VPC is there."""
    if not isinstance(subject.config, DeploymentConfig) or not isinstance(place, Network):
        return ()
    return (judge_runtime(tuple(_parts(subject, subject.config, place))),)


def _parts(subject: Subject, config: DeploymentConfig, network: Network) -> Iterator[Part]:
    """As ``byoc.components.runtime_refs`` looks for them: by ids of the config, else by the documented names."""
    ids, names = config.runtime, config.names
    for group in (
        ids.load_balancer_security_group_id or names.load_balancer_security_group,
        ids.service_security_group_id or names.service_security_group,
        ids.data_security_group_id or names.data_security_group,
    ):
        found = network.groups
        there = found if isinstance(found, NoAnswer) else group in found or group in found.values()
        yield Part(words=f"security group {group}", there=there)
    group_there = ids.private_subnet_ids is None or _subnet_group(subject.account, names.db_subnet_group)
    yield Part(words=f"DB subnet group {names.db_subnet_group}", there=group_there)
    service = next(iter(subject.named(SERVICE)), names.service(config.name))
    yield Part(words=f"cluster {names.cluster}", there=_cluster(subject.account, names.cluster, service))
    if ids.namespace_id is None:
        yield Part(words=f"namespace {names.namespace}", there=_namespace(subject.account, names.namespace))


def _cluster(account: Account, cluster: str, service: str) -> bool | NoAnswer:
    """Whether ECS knows the cluster: a service that is not there is no error, a cluster that is not there is one."""
    return known_or_absent(
        lambda: bool(account.ask("ecs:DescribeServices", cluster=cluster, services=[service])), False
    )


def _subnet_group(account: Account, name: str) -> bool | NoAnswer:
    asked = {"DBSubnetGroupName": name}
    return known_or_absent(lambda: bool(account.ask("rds:DescribeDBSubnetGroups", **asked)["DBSubnetGroups"]), False)


def _namespace(account: Account, name: str) -> bool | NoAnswer:
    def ask() -> bool:
        found = account.all("servicediscovery:ListNamespaces", "Namespaces")
        return any(item["Name"] == name and item["Type"] == "DNS_PRIVATE" for item in found)

    return known_or_absent(ask, False)


def judge_runtime(parts: tuple[Part, ...]) -> Check:
    """Whether all of it is there."""
    name = "runtime of the account"
    if lacking := [part.words for part in parts if part.there is False]:
        return failed(
            _AREA,
            name,
            f"is not there: {', '.join(lacking)}",
            "bring the account stack up first (one of the documented Terraform module is taken over: byoc adopt); or "
            "correct byoc:namePrefix or byoc:region, or name ids in byoc:runtime",
        )
    for part in parts:
        if isinstance(part.there, NoAnswer):
            return unknown(_AREA, name, f"{part.words}: {part.there.why}", part.there.remedy)
    return passed(_AREA, name, f"all {len(parts)} things are there that a deployment looks up")
