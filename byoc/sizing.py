"""Sizes that AWS offers and what follows from them: Fargate tasks, database classes, connections. Pure data and
arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

_GIB = 1024
"""MiB in a GiB."""


def _gib(first: int, last: int, step: int = 1) -> tuple[int, ...]:
    return tuple(size * _GIB for size in range(first, last + 1, step))


FARGATE_MEMORY: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        256: (512, 1024, 2048),
        512: _gib(1, 4),
        1024: _gib(2, 8),
        2048: _gib(4, 16),
        4096: _gib(8, 30),
        8192: _gib(16, 60, 4),
        16384: _gib(32, 120, 8),
    }
)
"""CPU units of a Fargate task (1,024 are one vCPU) and the memory sizes in MiB that go with them (AWS docs: "Fargate
task definition considerations", task CPU and memory)."""


def fargate_memory_text(cpu: int) -> str:
    """The memory sizes that go with ``cpu``, for a person: ``2048 to 8192 MiB in steps of 1024``."""
    sizes = FARGATE_MEMORY[cpu]
    step = sizes[-1] - sizes[-2]
    if len({after - before for before, after in pairwise(sizes)}) > 1:
        return f"{', '.join(str(size) for size in sizes[:-1])} or {sizes[-1]} MiB"
    return f"{sizes[0]} to {sizes[-1]} MiB in steps of {step}"


def _family(first_gib: int, sizes: str) -> dict[str, int]:
    """Memory in MiB by size, where ``large`` has ``first_gib`` and each further size has memory by its number."""
    memory = {"micro": 1, "small": 2, "medium": 4, "large": first_gib, "xlarge": 2 * first_gib}
    table = {}
    for size in sizes.split():
        count = size.removesuffix("xlarge")
        table[size] = _GIB * (memory[size] if size in memory else int(count) * 2 * first_gib)
    return table


_TO_16 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_TO_24 = f"{_TO_16} 24xlarge"
_TO_32 = f"{_TO_24} 32xlarge"
_TO_48 = f"{_TO_24} 48xlarge"
_BURSTABLE = "micro small medium large xlarge 2xlarge"

DATABASE_FAMILIES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "db.t3": _family(8, _BURSTABLE),
        "db.t4g": _family(8, _BURSTABLE),
        "db.m5": _family(8, _TO_24),
        "db.m5d": _family(8, _TO_24),
        "db.m6g": _family(8, _TO_16),
        "db.m6gd": _family(8, _TO_16),
        "db.m6i": _family(8, _TO_32),
        "db.m6id": _family(8, _TO_32),
        "db.m6idn": _family(8, _TO_32),
        "db.m6in": _family(8, _TO_32),
        "db.m7g": _family(8, _TO_16),
        "db.m7i": _family(8, _TO_48),
        "db.m8g": _family(8, _TO_48),
        "db.r5": _family(16, _TO_24),
        "db.r5b": _family(16, _TO_24),
        "db.r5d": _family(16, _TO_24),
        "db.r6g": _family(16, _TO_16),
        "db.r6gd": _family(16, _TO_16),
        "db.r6i": _family(16, _TO_32),
        "db.r6id": _family(16, _TO_32),
        "db.r6idn": _family(16, _TO_32),
        "db.r6in": _family(16, _TO_32),
        "db.r7g": _family(16, _TO_16),
        "db.r7i": _family(16, _TO_48),
        "db.r8g": _family(16, _TO_48),
        "db.x2g": _family(32, _TO_16),
        "db.x2idn": _family(32, "16xlarge 24xlarge 32xlarge"),
        "db.x2iedn": _family(64, "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge"),
    }
)
"""Families of database classes that RDS offers for PostgreSQL, each with its sizes and their memory in MiB (AWS docs:
"Hardware specifications for DB instance classes")."""

DATABASE_MEMORY: Mapping[str, int] = MappingProxyType(
    {f"{family}.{size}": memory for family, sizes in DATABASE_FAMILIES.items() for size, memory in sizes.items()}
)
"""Memory in MiB of each database class, such as ``db.t4g.micro``."""

BYTES_PER_CONNECTION = 9531392
"""RDS for PostgreSQL allows one connection for so many bytes of memory (AWS docs: "Quotas and constraints", maximum
number of database connections)."""
MOST_CONNECTIONS = 5000
"""RDS for PostgreSQL allows no more than this by default, however large the class (same page)."""
RESERVED_CONNECTIONS = 10
"""Connections left to RDS itself and to superusers (PostgreSQL docs: ``superuser_reserved_connections`` is 3; the rest
is for RDS' own agents)."""
LARGEST_POOL = 150
"""Connections per container that the server opens at most if nobody says otherwise (LangGraph docs:
``LANGGRAPH_POSTGRES_POOL_MAX_SIZE``)."""
SMALLEST_POOL = 5
"""Below this a container's API and its background runs would wait for each other; our own figure."""


def max_connections(instance_class: str) -> int:
    """How many connections RDS allows on a database of this class: about 112 for each GiB of memory, at most 5,000.

    Raises ``KeyError`` for a class that :data:`DATABASE_MEMORY` does not hold.
    """
    return min(DATABASE_MEMORY[instance_class] * 1024 * 1024 // BYTES_PER_CONNECTION, MOST_CONNECTIONS)


def most_tasks(max_containers: int, max_queue_containers: int = 0) -> int:
    """The most tasks that can be alive at once: a rolling update starts each service's new tasks before it stops the
    old ones (ECS: maximum 200 percent).
    """
    return 2 * max_containers + 2 * max_queue_containers


def pool_size(instance_class: str, tasks: int) -> int:
    """The connections that each of ``tasks`` containers may open so that all together fit the database.

    May be below :data:`SMALLEST_POOL`, even 0, if the class is too small for so many: the config refuses that.
    """
    return min((max_connections(instance_class) - RESERVED_CONNECTIONS) // tasks, LARGEST_POOL)
