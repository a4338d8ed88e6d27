"""What a deployment is to be: plain choices that decide its shape, and values that may flow in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

from byoc.config.defaults import DATABASES, PRODUCTION_MAX_STORAGE_GB, SIZES
from byoc.types import DeploymentType


def _fields(settings: Mapping[str, object]) -> dict[str, Any]:
    """The config's own table of defaults, by the names of the fields here."""
    return {re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", key): value for key, value in settings.items()}


@dataclass(frozen=True, kw_only=True)
class ContainerSize:
    """How large a container of the server is, and how many there are.

    ``cpu`` in CPU units (1,024 are one vCPU) and ``memory`` in MiB, one of the pairs that Fargate offers
    (``byoc.sizing.FARGATE_MEMORY``). With ``max_containers`` above ``min_containers`` the number follows the load
    (``byoc.scaling_rules``).
    """

    cpu: int
    memory: int
    min_containers: int = 1
    max_containers: int = 1

    @classmethod
    def of(cls, kind: DeploymentType) -> ContainerSize:
        """The size of a type: 1 vCPU and 2 GiB, one container; or 2 vCPU and 4 GiB, one to ten containers.

        The documents say 1 GB and 2 GB (LangGraph docs, deployment types); Fargate's smallest memory for so many vCPU
        is twice that.
        """
        return cls(**_fields(SIZES[kind]))


@dataclass(frozen=True, kw_only=True)
class CreateDatabase:
    """A PostgreSQL database that is made with the deployment, once.

    ``engine_version``: a major version (``16``), and AWS installs minor ones by itself; or an exact one (``16.4``),
    and it does not. ``storage_gb`` in GiB, at least 20. ``max_storage_gb``: how far the storage may grow by itself;
    by default it does not. ``backup_retention_days``: 0 makes no backups. ``deletion_protection``: neither AWS nor
    Pulumi deletes the database until this is off. ``final_snapshot``: a destroy leaves a snapshot behind.
    ``pool_size``: connections that one container may open; by default as many as the class has for all containers
    that can be alive during a rolling update.
    """

    instance_class: str
    engine_version: str = "16"
    storage_gb: int = 20
    max_storage_gb: int | None = None
    multi_zone: bool = False
    backup_retention_days: int = 0
    deletion_protection: bool = False
    final_snapshot: bool = False
    pool_size: int | None = None

    @classmethod
    def of(cls, kind: DeploymentType) -> CreateDatabase:
        """The database of a type (LangGraph docs, deployment types).

        Development: one zone, smallest class, no backups, 20 GiB (gp3's smallest; the documents say 10 GB), gone with a
        destroy. Production: two zones, storage that grows, backups of seven days, protected, with a final snapshot.
        """
        grows = kind is DeploymentType.PRODUCTION
        return cls(**_fields(DATABASES[kind]), max_storage_gb=PRODUCTION_MAX_STORAGE_GB if grows else None)


@dataclass(frozen=True, kw_only=True)
class ExistingDatabase:
    """A PostgreSQL database that somebody else keeps; nothing is made, and nothing is ever deleted.

    ``uri`` holds its password and is kept secret. ``pool_size``: connections that one container may open; by default
    the server's own figure, 150.
    """

    uri: pulumi.Input[str]
    pool_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class CreateCache:
    """A Redis container of the deployment's own; it holds nothing that must last.

    ``cpu`` in CPU units, ``memory`` in MiB, a pair that Fargate offers.
    """

    image: str = "public.ecr.aws/docker/library/redis:7.4-alpine"
    cpu: int = 256
    memory: int = 512


@dataclass(frozen=True, kw_only=True)
class ExistingCache:
    """A Redis that somebody else keeps. ``uri`` may hold a password and is kept secret."""

    uri: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class IngressSettings:
    """How the server is reached.

    ``scheme``: by default ``internal``, from inside the VPC only. ``certificate_arn``: with it, HTTPS on 443; without
    it, HTTP on 80, internally only. ``idle_timeout_seconds``: a stream that is silent for so long is cut; by default an
    hour.
    """

    scheme: Literal["internal", "internet-facing"] = "internal"
    certificate_arn: str | None = None
    idle_timeout_seconds: int = 3600


@dataclass(frozen=True, kw_only=True)
class SeparateQueue:
    """Background runs in containers of their own instead of the API's.

    ``containers`` always run; with ``max_containers`` above that, their number follows the CPU load. ``cpu`` in CPU
    units, ``memory`` in MiB, a pair that Fargate offers.
    """

    cpu: int
    memory: int
    containers: int = 1
    max_containers: int = 1


@dataclass(frozen=True, kw_only=True)
class Tracing:
    """How the server deals with LangSmith.

    ``endpoint``: a URL; asked about the key, and sent the traces. ``project``: made by the first trace; it stays when
    the deployment goes. ``api_key``: secret; by default none, for a server with a licence key of its own. ``enabled``:
    without it nothing is traced, and the key is a licence credential only.
    """

    project: str
    endpoint: str
    api_key: pulumi.Input[str] | None = None
    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class DeploymentSpec:
    """One deployment: what runs, how large, on which database and cache, and how it is reached.

    ``name``: lower-case letters, digits and hyphens; it is part of every physical name and never changes, nor does
    ``type``. ``ContainerSize.of(type)`` and ``CreateDatabase.of(type)`` are those of the type. ``environment`` and
    ``secret_environment`` are both kept in Secrets Manager. ``queue``: by default the API's containers run background
    runs as well. ``tracing``: by default off. ``license_key``: for a server that is not licensed by its LangSmith
    key. ``mount_prefix``: the path under which the server answers, by default ``/``. ``shutdown_grace_seconds``: how
    long a stopping container may go on with its background runs before it hands them back; below 120, which is all
    that Fargate gives it.
    """

    name: str
    type: DeploymentType
    image: pulumi.Input[str]
    size: ContainerSize
    database: CreateDatabase | ExistingDatabase
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    secret_environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    cache: CreateCache | ExistingCache = field(default_factory=CreateCache)
    ingress: IngressSettings = field(default_factory=IngressSettings)
    queue: SeparateQueue | None = None
    tracing: Tracing | None = None
    license_key: pulumi.Input[str] | None = None
    mount_prefix: str | None = None
    log_level: str | None = None
    shutdown_grace_seconds: int = 100
