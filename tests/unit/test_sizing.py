from __future__ import annotations

import pytest

from byoc import sizing


@pytest.mark.parametrize(
    ("instance_class", "connections"),
    [
        ("db.t4g.micro", 112),
        ("db.t4g.small", 225),
        ("db.t4g.medium", 450),
        ("db.m7g.large", 901),
        ("db.r8g.48xlarge", 5000),
    ],
)
def test_connections_follow_the_memory_of_the_class_up_to_the_cap_of_rds(instance_class: str, connections: int) -> None:
    assert sizing.max_connections(instance_class) == connections


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [
        ("db.t3.micro", 1),
        ("db.t4g.2xlarge", 32),
        ("db.m5.large", 8),
        ("db.m6i.32xlarge", 512),
        ("db.m7i.48xlarge", 768),
        ("db.r6g.xlarge", 32),
        ("db.r7g.16xlarge", 512),
        ("db.x2g.large", 32),
        ("db.x2g.16xlarge", 1024),
        ("db.x2idn.16xlarge", 1024),
        ("db.x2iedn.xlarge", 128),
        ("db.x2iedn.32xlarge", 4096),
    ],
)
def test_memory_of_a_class_is_as_published(instance_class: str, gib: int) -> None:
    assert sizing.DATABASE_MEMORY[instance_class] == gib * 1024


def test_a_rolling_update_doubles_the_tasks_of_both_services() -> None:
    assert sizing.most_tasks(10) == 20
    assert sizing.most_tasks(8, 4) == 24


@pytest.mark.parametrize("tasks", [1, 2, 20, 200])
def test_all_pools_together_fit_the_database(tasks: int) -> None:
    for instance_class in sizing.DATABASE_MEMORY:
        pool = sizing.pool_size(instance_class, tasks)
        most = sizing.max_connections(instance_class)
        assert pool * tasks + sizing.RESERVED_CONNECTIONS <= most
        assert pool <= sizing.LARGEST_POOL
        # It is not smaller than it has to be.
        assert pool == sizing.LARGEST_POOL or (pool + 1) * tasks + sizing.RESERVED_CONNECTIONS > most


def test_defaults_of_both_types_have_the_expected_pools() -> None:
    assert sizing.pool_size("db.t4g.micro", sizing.most_tasks(1)) == 51
    assert sizing.pool_size("db.m7g.large", sizing.most_tasks(10)) == 44


def test_fargate_sizes_are_as_published() -> None:
    gib = 1024
    assert {cpu: (sizes[0], sizes[-1], len(sizes)) for cpu, sizes in sizing.FARGATE_MEMORY.items()} == {
        256: (512, 2 * gib, 3),
        512: (1 * gib, 4 * gib, 4),
        1024: (2 * gib, 8 * gib, 7),
        2048: (4 * gib, 16 * gib, 13),
        4096: (8 * gib, 30 * gib, 23),
        8192: (16 * gib, 60 * gib, 12),
        16384: (32 * gib, 120 * gib, 12),
    }


def test_fargate_sizes_in_words() -> None:
    assert sizing.fargate_memory_text(256) == "512, 1024 or 2048 MiB"
    assert sizing.fargate_memory_text(1024) == "2048 to 8192 MiB in steps of 1024"
    assert sizing.fargate_memory_text(8192) == "16384 to 61440 MiB in steps of 4096"
