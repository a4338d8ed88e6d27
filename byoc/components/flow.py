"""How values flow between components: several as one, and one that carries the order of resources with it.

``depends_on`` a component waits for everything in it, and lists all of it in each dependant's state: with hundreds of
deployments that is slow to run and slow to store. A value made by :func:`after` waits for exactly what it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import pulumi

T = TypeVar("T")


def after(value: pulumi.Input[T], earlier: Iterable[pulumi.Resource]) -> pulumi.Output[T]:
    """``value``, for use by resources that must be made after ``earlier`` and deleted before it.

    A resource's URN is known in a preview too, so the value stays as known as it was.
    """
    return pulumi.Output.all(value, *(resource.urn for resource in earlier)).apply(lambda values: values[0])


def all_of(values: Mapping[str, pulumi.Input[T]]) -> pulumi.Output[Mapping[str, T]]:
    """``values`` as one output, in order of key; unlike ``Output.all`` a mapping also if there are none."""
    return pulumi.Output.all(**{key: values[key] for key in sorted(values)}) if values else pulumi.Output.from_input({})
