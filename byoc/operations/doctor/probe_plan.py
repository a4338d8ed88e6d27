"""What ``byoc doctor --probe-egress`` makes, told beforehand: it follows from the config alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from byoc import tags
from byoc.config import AccountConfig
from byoc.operations.doctor.egress import destinations, goes_elsewhere
from byoc.operations.doctor.subject import Subject

LIMIT = timedelta(minutes=5)
"""How long a probe may take, from the call that starts its task; the container itself is done within half a minute."""
CPU_UNITS, MEMORY_MIB = 256, 512
"""The smallest task that Fargate runs (Amazon ECS Developer Guide: Task CPU and memory)."""
CONTAINER = "probe"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One probe: what it makes, and what it tries."""

    stack: str
    image: str
    """A deployment's own: the subnets must reach its registry anyway, and it has Python."""
    destinations: tuple[str, ...]
    """``host:port`` each."""
    family: str
    """Of the task definition."""
    cluster: str
    log_group: str
    log_prefix: str
    execution_role_arn: str
    service_group: str
    """The name of the security group."""
    tags: Mapping[str, str]
    elsewhere: tuple[str, ...] = ()
    """Variables of the deployment that the probe does not have, and that would change its answer."""

    def announcement(self) -> tuple[str, ...]:
        """What will be made and what it costs, line by line."""
        minutes = int(LIMIT.total_seconds() / 60)
        return (
            f"{self.stack}: --probe-egress registers a task definition {self.family} and runs it once, as a Fargate "
            f"task of {CPU_UNITS / 1024:g} vCPU and {MEMORY_MIB / 1024:g} GB, for {minutes} minutes at most, in "
            f"cluster {self.cluster}.",
            f"It is in a private subnet, in security group {self.service_group}, without a public address; its image "
            f"is {self.image}.",
            f"It connects to {', '.join(self.destinations)}, and sends nothing. Then both are taken away.",
            "It costs a fraction of a cent, and what a NAT gateway takes for the image, if that goes through one.",
        )


def plan_of(subject: Subject) -> Plan | None:
    """The probe of a stack; None for an account stack without deployments, which has no image to run.

    Deployments of one stack share their subnets and their security group: the image of one is enough for all.
    """
    config, names = subject.config, subject.names
    deployment = next(iter(subject.deployments), None)
    if deployment is None:
        return None
    section, _ = subject.deployments[deployment]
    role_path = config.access.role_path if isinstance(config, AccountConfig) else config.role_path
    return Plan(
        stack=subject.stack,
        image=section.image,
        destinations=destinations(subject),
        family=names.egress_probe(deployment),
        cluster=names.cluster,
        log_group=names.log_group,
        log_prefix=f"{deployment}-egress-probe",
        execution_role_arn=config.account.role_arn(names.execution_role, role_path),
        service_group=names.service_security_group,
        tags={
            **config.tags,
            **tags.install_tags(config.name_prefix),
            **tags.deployment_tags(deployment),
        },
        elsewhere=goes_elsewhere(subject),
    )
