"""What a stack needs, computed from its own resources: what it does not have asks for nothing."""

from __future__ import annotations

from collections.abc import Iterable

from byoc.permissions.needs.actions import Need, required_actions
from byoc.permissions.needs.features import Feature, feature_needs


def stack_needs(
    types: Iterable[str], functions: Iterable[str] = (), features: Iterable[Feature] = ()
) -> tuple[Need, ...]:
    """Every action that a stack of these resource types and look-ups calls for, and what features ask of it; sorted.

    Types of components and providers, and of other packages than ``aws``, need nothing of AWS. Raises ``KeyError`` for
    an AWS type that nobody has measured: it must not pass as one that needs nothing.
    """
    own = set(types)
    return tuple(sorted({*required_actions(own, functions), *feature_needs(features, own)}))
