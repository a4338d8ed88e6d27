"""Figures of CloudWatch that AWS's services measure by themselves. Nothing is measured here, so they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self

from moto.core.utils import utcnow

from byoc.sandbox.emulator.stored import backend

_AGO = timedelta(seconds=1)
"""When it was measured: who asks for what lies before this second finds it."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure, measured when it is told."""

    namespace: str
    """Such as ``AWS/RDS``, to which nobody but AWS may write (AWS API reference, "PutMetricData")."""
    name: str
    value: float
    dimensions: Mapping[str, str]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """A figure from the control API; ``TypeError`` on an unknown field."""
        return cls(**value)

    def document(self) -> dict[str, Any]:
        """For the control API."""
        return asdict(self)


def measure(account: str, region: str, figure: Figure) -> None:
    """Let CloudWatch have it. Raises ``ValueError`` if CloudWatch was never used there."""
    held = backend("cloudwatch", account, region)
    if held is None:
        raise ValueError(f"nothing of CloudWatch is in account {account}, {region}")
    dimensions = [{"Name": name, "Value": text} for name, text in figure.dimensions.items()]
    datum = {"MetricName": figure.name, "Value": figure.value, "Dimensions": dimensions, "Timestamp": utcnow() - _AGO}
    held.put_metric_data(figure.namespace, [datum])
