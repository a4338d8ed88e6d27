"""What all deployments of an account share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ValidationInfo, field_validator

from byoc.config.fields import DISTINCT, Cidr, Email, RepositoryName, Switch, Whole
from byoc.config.problems import Finding, refuse, refuse_if
from byoc.config.section import Section, setting

LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""The retentions that CloudWatch Logs accepts (AWS docs: PutRetentionPolicy)."""
_RETENTIONS = ", ".join(str(days) for days in LOG_RETENTION_DAYS)


def _log_retention(value: int) -> int:
    if value not in LOG_RETENTION_DAYS:
        nearest = min(LOG_RETENTION_DAYS, key=lambda days: abs(days - value))
        raise refuse(
            f"a number of days that CloudWatch Logs accepts: {_RETENTIONS}",
            f"write {nearest}, the nearest",
        )
    return value


class LoadBalancerConfig(Section):
    """Who reaches the load balancers."""

    public: Switch = setting(
        "Whether load balancers may be reached from anywhere on port 443. `false`: from the VPC or "
        "`allowedCidrs` alone, "
        "on ports 80 and 443.",
        default=False,
    )
    allowed_cidrs: Annotated[tuple[Cidr, ...], DISTINCT] = setting(
        "IPv4 blocks that may reach the load balancers.",
        default=(),
        shown="the VPC's block; if `public`, everywhere",
    )

    @field_validator("allowed_cidrs")
    @classmethod
    def _not_open_by_accident(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Everywhere is asked for by its own switch."""
        if info.data.get("public") is False:
            refuse_if(
                [
                    Finding(
                        at=(index,),
                        allowed="blocks smaller than the whole internet, since runtime.loadBalancer.public is false",
                        remedy="name the networks that may come in, or set runtime.loadBalancer.public to true",
                    )
                    for index, cidr in enumerate(value)
                    if cidr.endswith("/0")
                ]
            )
        return value


class RuntimeConfig(Section):
    """The cluster and all that deployments share (kind `account`)."""

    load_balancer: LoadBalancerConfig = setting(
        "Who reaches the load balancers.", default=LoadBalancerConfig(), shown="the VPC alone"
    )
    log_retention_days: Annotated[Whole, AfterValidator(_log_retention)] | None = setting(
        f"Days that CloudWatch keeps the containers' logs; it accepts {_RETENTIONS}. `null` keeps them for ever.",
        default=30,
    )
    alarm_emails: Annotated[tuple[Email, ...], DISTINCT] = setting(
        "E-mail addresses that alarms go to; each has to confirm the subscription that AWS sends it.",
        default=(),
        shown="none: alarms go to the topic alone",
    )
    repositories: Annotated[tuple[RepositoryName, ...], DISTINCT] = setting(
        "Names of ECR repositories to make: immutable tags, scan on push, encrypted. They are kept while images "
        "are in them.",
        default=(),
        shown="none",
    )
    container_insights: Switch = setting(
        "Whether the ECS cluster sends Container Insights metrics, as documented; CloudWatch bills them.", default=True
    )
