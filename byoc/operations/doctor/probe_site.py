"""Where a probe runs: what must be there already, as the stack itself finds it."""

from __future__ import annotations

from dataclasses import dataclass

from byoc.config import DeploymentConfig
from byoc.operations.doctor.asking import Absent, NoAnswer, known
from byoc.operations.doctor.image import read_image, repository_of
from byoc.operations.doctor.place import Network, Place, Several
from byoc.operations.doctor.probe_plan import Plan
from byoc.operations.doctor.subject import Subject

_UP_FIRST = "bring the account stack up first, then repeat"


@dataclass(frozen=True, kw_only=True)
class Site:
    """Subnets and security group of a probe's task."""

    subnet_ids: tuple[str, ...]
    group_id: str


def read_site(subject: Subject, plan: Plan, place: Place) -> Site | NoAnswer:
    """Where the task goes; why it cannot, where something is not there yet. Nothing is made."""
    if not isinstance(place, Network):
        return _nowhere(place, plan)
    subnets = tuple(subnet.subnet_id for subnet in place.of_kind(public=False))
    if not subnets:
        return NoAnswer(why=f"there is no private subnet in {place.vpc_id}", remedy=_UP_FIRST)
    group = _group(subject, plan, place.vpc_id)
    if isinstance(group, NoAnswer):
        return group
    return _without_cluster(subject, plan) or _without_image(subject, plan) or Site(subnet_ids=subnets, group_id=group)


def _nowhere(place: Absent | Several | NoAnswer, plan: Plan) -> NoAnswer:
    if isinstance(place, NoAnswer):
        return place
    if isinstance(place, Several):
        vpcs = ", ".join(place.vpc_ids)
        return NoAnswer(why=f"more than one VPC fits: {vpcs}", remedy="name the right one: byoc:runtime.vpcId")
    return NoAnswer(why=f"there are no subnets yet that {plan.stack} would run in", remedy=_UP_FIRST)


def _group(subject: Subject, plan: Plan, vpc_id: str) -> str | NoAnswer:
    config = subject.config
    if isinstance(config, DeploymentConfig) and config.runtime.service_security_group_id:
        return str(config.runtime.service_security_group_id)
    filters = [{"Name": "group-name", "Values": [plan.service_group]}, {"Name": "vpc-id", "Values": [vpc_id]}]
    found = known(
        lambda: [
            str(group["GroupId"])
            for group in subject.account.all("ec2:DescribeSecurityGroups", "SecurityGroups", Filters=filters)
        ]
    )
    if isinstance(found, NoAnswer):
        return found
    if isinstance(found, Absent) or not found:
        return NoAnswer(why=f"there is no security group {plan.service_group} in {vpc_id} yet", remedy=_UP_FIRST)
    return found[0]


def _without_cluster(subject: Subject, plan: Plan) -> NoAnswer | None:
    found = known(
        lambda: [
            item["status"] for item in subject.account.ask("ecs:DescribeClusters", clusters=[plan.cluster])["clusters"]
        ]
    )
    if isinstance(found, NoAnswer):
        return found
    if isinstance(found, Absent) or "ACTIVE" not in found:
        return NoAnswer(why=f"there is no cluster {plan.cluster} yet", remedy=_UP_FIRST)
    return None


def _without_image(subject: Subject, plan: Plan) -> NoAnswer | None:
    """Where ECR says that the image is not there; where it cannot be asked, the task's start will tell."""
    where = repository_of(plan.image)
    if where is None or not isinstance(read_image(subject.account, where), Absent):
        return None
    return NoAnswer(
        why=f"there is no image to run: {where.name} has no {where.image}",
        remedy="push it: langgraph build, docker push; then repeat",
    )
