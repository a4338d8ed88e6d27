"""From the SDK's registration messages to what the sandbox works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from byoc.sandbox.state import ResourceState
from byoc.sandbox.steps import Goal
from byoc.values import decode

STACK_TYPE = "pulumi:pulumi:Stack"


def wanted_state(urn: str, request: Any) -> ResourceState:  # noqa: ANN401 - the SDK's messages have no types
    """A resource as the program wants it: no id and no outputs yet."""
    return ResourceState(
        urn=urn,
        type=request.type,
        custom=request.custom,
        inputs=decode(request.object),
        parent=request.parent if request.parent.split("::")[2:3] != [STACK_TYPE] else "",
        provider=request.provider.rsplit("::", 1)[0] if request.provider and request.custom else "",
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies={
            key: tuple(sorted(value.urns)) for key, value in request.propertyDependencies.items() if value.urns
        },
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        deleted_with=request.deletedWith,
    )


def goal_of(wanted: ResourceState, request: Any, default_tags: Mapping[str, str]) -> Goal:  # noqa: ANN401
    """What the program wants of a custom resource, with its options."""
    return Goal(
        state=wanted,
        secret_outputs=frozenset(request.additionalSecretOutputs),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        import_id=request.importId,
        default_tags=default_tags,
    )


def alias_urns(request: Any, make_urn: Callable[[str, str, str], str]) -> Iterator[str]:  # noqa: ANN401
    """The URNs under which a resource may have been recorded before it was renamed or moved."""
    for alias in request.aliases:
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        yield alias.urn or make_urn(parent, spec.type or request.type, spec.name or request.name)
