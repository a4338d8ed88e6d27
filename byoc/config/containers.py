"""Containers of a deployment: their size and number, the queue workers, the cache."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator

from byoc.config.fields import Whole, counted
from byoc.config.images import ImageReference
from byoc.config.problems import refuse
from byoc.config.section import Section, setting
from byoc.sizing import FARGATE_MEMORY, fargate_memory_text

MOST_CONTAINERS = 100
"""A bound against slips of the keyboard; the documented number is 10 (LangGraph docs: deployment types)."""


def _cpu(value: int) -> int:
    if value not in FARGATE_MEMORY:
        nearest = min(FARGATE_MEMORY, key=lambda units: abs(units - value))
        raise refuse(
            f"CPU units that Fargate offers: {', '.join(str(units) for units in FARGATE_MEMORY)} (1024 are one vCPU)",
            f"write {nearest}, the nearest",
        )
    return value


FargateCpu = Annotated[Whole, AfterValidator(_cpu)]
Containers = Annotated[Whole, counted(1, MOST_CONTAINERS)]

_CPU_TEXT = "CPU units of a container, as Fargate offers them: 256, 512, 1024 (one vCPU), 2048, 4096, 8192, 16384."
_MEMORY_TEXT = "Memory of a container in MiB; Fargate allows certain sizes with each `cpu`."


def _fit_cpu(memory: int, cpu: int | None) -> int:
    """``memory``, if Fargate offers it with ``cpu``; an unknown ``cpu`` is another problem."""
    if cpu is not None and memory not in FARGATE_MEMORY[cpu]:
        sizes = FARGATE_MEMORY[cpu]
        nearest = min(sizes, key=lambda size: abs(size - memory))
        raise refuse(
            f"{fargate_memory_text(cpu)}, which Fargate offers with {cpu} CPU units",
            f"write {nearest}, or choose another cpu",
        )
    return memory


def _not_below(most: int, least: int | None, least_key: str) -> int:
    if least is not None and most < least:
        raise refuse(f"at least {least}, since {least_key} is {least}", f"raise it, or lower {least_key}")
    return most


class SizeConfig(Section):
    """Size and number of the containers that serve the API."""

    cpu: FargateCpu = setting(_CPU_TEXT, shown="development 1024, production 2048")
    memory: Whole = setting(
        _MEMORY_TEXT, shown="development 2048, production 4096; if `cpu` allows neither, its smallest"
    )
    min_containers: Containers = setting("The fewest containers.", shown="1")
    max_containers: Containers = setting(
        "The most containers, up to 100; scaling moves between the two by load. A development deployment has one.",
        shown="development 1, production 10",
    )

    @field_validator("memory")
    @classmethod
    def _memory_fits(cls, value: int, info: ValidationInfo) -> int:
        """Fargate offers the pair."""
        return _fit_cpu(value, info.data.get("cpu"))

    @field_validator("max_containers")
    @classmethod
    def _most_fits(cls, value: int, info: ValidationInfo) -> int:
        """The most are not fewer than the fewest."""
        return _not_below(value, info.data.get("min_containers"), "minContainers")


class QueueConfig(Section):
    """Where background runs are worked off."""

    mode: Literal["combined", "separate"] = setting(
        "`combined`: each API container also works the queue; `separate`: a second service does, from the same image.",
        default="combined",
    )
    containers: Containers = setting("The fewest queue containers; with `mode: separate`.", shown="1")
    max_containers: Containers = setting("The most queue containers; with `mode: separate`.", shown="`containers`")
    cpu: FargateCpu = setting(f"{_CPU_TEXT} With `mode: separate`.", shown="that of `size`")
    memory: Whole = setting(
        f"{_MEMORY_TEXT} With `mode: separate`.", shown="that of `size`; else the smallest with `cpu`"
    )

    @field_validator("max_containers")
    @classmethod
    def _most_fits(cls, value: int, info: ValidationInfo) -> int:
        """The most are not fewer than the fewest."""
        return _not_below(value, info.data.get("containers"), "containers")

    @field_validator("memory")
    @classmethod
    def _memory_fits(cls, value: int, info: ValidationInfo) -> int:
        """Fargate offers the pair."""
        return _fit_cpu(value, info.data.get("cpu"))

    @property
    def separate(self) -> bool:
        """Whether queue workers are a service of their own."""
        return self.mode == "separate"


class CacheConfig(Section):
    """The Redis of a deployment; nothing durable is in it."""

    image: ImageReference = setting(
        "The Redis image, version 6 or 7.", default="public.ecr.aws/docker/library/redis:7.4-alpine"
    )
    cpu: FargateCpu = setting(_CPU_TEXT, default=256)
    memory: Whole = setting(_MEMORY_TEXT, default=512, shown="512, or the smallest that goes with `cpu`")

    @field_validator("memory")
    @classmethod
    def _memory_fits(cls, value: int, info: ValidationInfo) -> int:
        """Fargate offers the pair."""
        return _fit_cpu(value, info.data.get("cpu"))
