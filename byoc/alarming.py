"""When the alarms of a deployment go off: the figures, for what makes the alarms and for what compares them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from byoc import sizing

ERRORS_PER_FIVE_MINUTES = 10
"""Answers of 500 and above, from the server or from the load balancer in its stead."""
DATABASE_CPU_PERCENT = 80
DATABASE_FREE_SHARE = 0.1
"""Of the storage that the database began with. RDS itself, where it may, grows the storage at a tenth of what there
is."""
DATABASE_CONNECTIONS_SHARE = 0.8
"""Of the connections that the class allows; the servers' own pools stay below by default."""
_GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When one alarm goes off, in CloudWatch's words."""

    threshold: int
    periods: int
    """How many in a row; all of them count."""
    period_seconds: int = 60
    statistic: str = ""
    """Of the one metric; empty for an expression over several, each of which has its own."""
    below: bool = False
    """Whether it goes off below the threshold; else at it and above."""
    missing: str = "notBreaching"
    """What no data means."""

    @property
    def comparison(self) -> str:
        """CloudWatch's word for it."""
        return "LessThanThreshold" if self.below else "GreaterThanOrEqualToThreshold"


def of_ingress() -> dict[str, Rule]:
    """The alarms of the load balancer, by subject."""
    return {
        "unhealthy-hosts": Rule(threshold=1, periods=5, statistic="Maximum"),
        "errors": Rule(threshold=ERRORS_PER_FIVE_MINUTES, periods=1, period_seconds=300),
    }


def of_services(roles: Iterable[str]) -> dict[str, Rule]:
    """The alarms of the ECS services with these roles, by subject."""
    rules = {}
    for role in roles:
        rules[f"{role}-not-running"] = Rule(
            threshold=1, periods=5, statistic="SampleCount", below=True, missing="breaching"
        )
        rules[f"{role}-tasks-missing"] = Rule(threshold=1, periods=15)
    return rules


def of_database(instance_class: str, storage_gb: int) -> dict[str, Rule]:
    """The alarms of a database, by subject."""
    connections = int(sizing.max_connections(instance_class) * DATABASE_CONNECTIONS_SHARE)
    free = int(storage_gb * DATABASE_FREE_SHARE * _GIB)
    return {
        "database-cpu": Rule(threshold=DATABASE_CPU_PERCENT, periods=15, statistic="Average"),
        "database-storage": Rule(threshold=free, periods=15, statistic="Minimum", below=True),
        "database-connections": Rule(threshold=connections, periods=5, statistic="Maximum"),
    }
