"""How many containers a deployment needs, and when that number changes: the arithmetic, and the alarms made from it.

The rule is the documented one (LangGraph docs, deployment types): about 10 concurrent requests per container, up to the
maximum; fewer containers only after 30 minutes in which fewer would have done.

**The measure.** Neither ECS nor the server says how many requests are in progress, so it is computed from what the
load balancer measures each minute (AWS docs: "CloudWatch metrics for your Application Load Balancer"), as the larger of

- *connections*: ``ActiveConnectionCount / 2``. A request holds two connections, one from the client and one to the
  container, for as long as it lives: a stream counts from its first byte to its last.
- *rate*: ``RequestCount / 60 * TargetResponseTime`` (Little's law). The response time ends at the first byte, so this
  alone would miss streams; it catches many short requests that share few connections.

**Its limits.** A client's idle keep-alive connection counts half a request, which errs on the side of more containers.
Requests that a client multiplexes over one HTTP/2 connection count as a little over half, since only the connection to
the container is each request's own.

**Missing data.** A load balancer does not report what there is nothing of, so traffic is filled with 0. The number of
healthy containers is not filled: where it is missing (nothing runs, or the minute is not published yet) there is no
result, and an alarm neither fires nor gets stuck on a filled value (AWS docs: metric math, ``FILL``).

Everything created in ``components/scaling.py`` comes from the constants and functions below; the tests evaluate the
expressions and compare them with the Python arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TARGET_CONCURRENCY = 10
"""Concurrent requests per container (LangGraph docs). A target, not a limit."""
PERIOD_SECONDS = 60
"""The load balancer publishes its metrics once a minute."""
SCALE_OUT_PERIODS = 1
"""Periods in a row with too few containers before there are more."""
SCALE_IN_PERIODS = 30
"""Periods in a row with too many containers before there are fewer: 30 minutes (LangGraph docs)."""
SCALE_OUT_COOLDOWN_SECONDS = 300
"""For so long, containers that were asked for and are not healthy yet are not asked for again (Application Auto Scaling
counts them as there). Our own figure: a container's start, from image pull to its second good health check.
"""
SCALE_IN_COOLDOWN_SECONDS = SCALE_IN_PERIODS * PERIOD_SECONDS
"""After containers were taken away, none is for another 30 minutes."""
CONNECTIONS_PER_REQUEST = 2
"""One from the client to the load balancer, one from there to the container."""
MOST_STEPS = 20
"""Step adjustments in one scaling policy (AWS quota)."""
THRESHOLD = 1
"""Containers too few or too many from which on an alarm fires."""


@dataclass(frozen=True)
class Bounds:
    """The fewest and the most containers of a deployment."""

    minimum: int
    maximum: int

    @property
    def scales(self) -> bool:
        """Whether there is anything to decide."""
        return self.maximum > self.minimum


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One minute of one deployment as the load balancer saw it; None where it reported nothing."""

    active_connections: float | None = None
    """On both legs, client and container (``ActiveConnectionCount``, sum)."""
    requests: float | None = None
    """Begun in this minute (``RequestCount``, sum)."""
    response_seconds: float | None = None
    """Until the first byte (``TargetResponseTime``, average)."""
    healthy_containers: float | None = None
    """``HealthyHostCount``, maximum."""


@dataclass(frozen=True)
class Step:
    """By how much the number of containers changes when the threshold is exceeded by ``lower`` to below ``upper``."""

    lower: int
    upper: int | None
    """None: without end."""
    change: int


@dataclass(frozen=True)
class Metric:
    """One metric of the load balancer, as an alarm's query."""

    id: str
    name: str
    statistic: str
    of_target_group: bool
    """Whether it is reported per target group; else for the load balancer as a whole."""


@dataclass(frozen=True)
class Expression:
    """One step of metric math; the last of a sequence is what an alarm watches."""

    id: str
    text: str


METRICS = (
    Metric("connections", "ActiveConnectionCount", "Sum", of_target_group=False),
    Metric("requests", "RequestCount", "Sum", of_target_group=True),
    Metric("seconds", "TargetResponseTime", "Average", of_target_group=True),
    Metric("healthy", "HealthyHostCount", "Maximum", of_target_group=True),
)
"""What the load balancer measures, by the ids that the expressions use."""


def concurrency(measurement: Measurement) -> float:
    """Requests in progress, streams included, estimated from one minute's measurements."""
    by_connections = (measurement.active_connections or 0) / CONNECTIONS_PER_REQUEST
    by_rate = (measurement.requests or 0) / PERIOD_SECONDS * (measurement.response_seconds or 0)
    return max(by_connections, by_rate)


def needed(concurrent_requests: float, bounds: Bounds) -> int:
    """Containers for so many concurrent requests, within the bounds."""
    wanted = math.ceil(concurrent_requests / TARGET_CONCURRENCY)
    return min(max(wanted, bounds.minimum), bounds.maximum)


def deficit(measurement: Measurement, bounds: Bounds) -> float | None:
    """Containers too few (negative: too many) in one minute; None if nothing is known of the containers."""
    if measurement.healthy_containers is None:
        return None
    return needed(concurrency(measurement), bounds) - measurement.healthy_containers


def decide(history: Sequence[Measurement], bounds: Bounds) -> int:
    """By how much the number of containers should change now: above 0 more, below 0 fewer.

    ``history`` has one measurement per period, oldest first. More as soon as the last minute lacks containers; fewer
    only if every one of the last 30 minutes had too many, and then no more than were too many in each of them. One
    minute without surplus, or without data, begins the 30 minutes anew.
    """
    deficits = [deficit(measurement, bounds) for measurement in history]
    recent = deficits[-SCALE_OUT_PERIODS:]
    lacking = [missing for missing in recent if missing is not None and missing >= THRESHOLD]
    if len(lacking) == SCALE_OUT_PERIODS:
        return change_for(max(lacking), scale_out_steps(bounds))
    recent = deficits[-SCALE_IN_PERIODS:]
    spare = [-missing for missing in recent if missing is not None and -missing >= THRESHOLD]
    if len(spare) == SCALE_IN_PERIODS:
        return change_for(min(spare), scale_in_steps(bounds))
    return 0


def scale_out_steps(bounds: Bounds) -> tuple[Step, ...]:
    """One step per missing container; with more than 20 of them, steps of equal width that give their most."""
    width, count = _steps(bounds)
    most = bounds.maximum - bounds.minimum
    return tuple(
        Step(index * width, _end(index, width, count), min((index + 1) * width, most)) for index in range(count)
    )


def scale_in_steps(bounds: Bounds) -> tuple[Step, ...]:
    """One step per container too many; with more than 20 of them, steps of equal width that take their least."""
    width, count = _steps(bounds)
    return tuple(Step(index * width, _end(index, width, count), -(index * width + 1)) for index in range(count))


def _steps(bounds: Bounds) -> tuple[int, int]:
    most = bounds.maximum - bounds.minimum
    width = math.ceil(most / MOST_STEPS)
    return width, math.ceil(most / width)


def _end(index: int, width: int, count: int) -> int | None:
    return None if index == count - 1 else (index + 1) * width


def change_for(amount: float, steps: Sequence[Step]) -> int:
    """What Application Auto Scaling does with ``amount`` containers too few or too many; 0 below the threshold."""
    excess = amount - THRESHOLD
    for step in steps:
        if excess >= step.lower and (step.upper is None or excess < step.upper):
            return step.change
    return 0


def deficit_expressions(bounds: Bounds) -> tuple[Expression, ...]:
    """Metric math for the containers too few; the last expression's id is ``deficit``."""
    return (*_needed_expressions(bounds), Expression("deficit", "needed-healthy"))


def surplus_expressions(bounds: Bounds) -> tuple[Expression, ...]:
    """Metric math for the containers too many; the last expression's id is ``surplus``."""
    return (*_needed_expressions(bounds), Expression("surplus", "healthy-needed"))


def _needed_expressions(bounds: Bounds) -> tuple[Expression, ...]:
    low, high = bounds.minimum, bounds.maximum
    return (
        Expression("by_connections", f"FILL(connections,0)/{CONNECTIONS_PER_REQUEST}"),
        Expression("by_rate", f"FILL(requests,0)/{PERIOD_SECONDS}*FILL(seconds,0)"),
        Expression("concurrency", "MAX([by_connections,by_rate])"),
        Expression("wanted", f"CEIL(concurrency/{TARGET_CONCURRENCY})"),
        Expression("needed", f"IF(wanted<{low},{low},IF(wanted>{high},{high},wanted))"),
    )
