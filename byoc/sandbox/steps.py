"""What is done for one resource: decide between create, update, replacement and nothing, and carry it out.

Every step is written to the state before and after its AWS call. A create call of a killed process, which may or may
not have been carried out, is never repeated blindly: the handler is asked to ``find`` what it may have made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from byoc.errors import ByocError
from byoc.runs import Op
from byoc.sandbox.handlers.base import Diff, Handler, Properties
from byoc.sandbox.lifecycle import checked, foreseen, make, outputs_now, remove, secret_keys
from byoc.sandbox.registry import handler_for
from byoc.sandbox.session import SandboxAws
from byoc.sandbox.state import ResourceState, StackState
from byoc.values import UNKNOWN, mark_secrets, plain


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What the program wants of one custom resource."""

    state: ResourceState
    """As it would be recorded: wanted inputs (secrets wrapped), dependencies, options; no id and no outputs."""
    secret_outputs: frozenset[str] = frozenset()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    import_id: str = ""
    default_tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be done for a goal."""

    op: Op
    inputs: Properties
    """Checked inputs, secrets open."""
    old: ResourceState | None = None
    changed: tuple[str, ...] = ()
    delete_first: bool = False

    @property
    def existing(self) -> ResourceState:
        """The resource that is updated or replaced."""
        if self.old is None:
            raise LookupError("a create has no existing resource")
        return self.old


def plan(goal: Goal, old: ResourceState | None) -> Plan:
    """Decide what has to be done; raises ``ByocError`` where it must not be done."""
    handler = handler_for(goal.state.type)
    inputs = _checked(handler, goal, old)
    if old is None:
        return Plan(op=Op.CREATE, inputs=inputs)
    diff = _with_options(handler.diff(plain(dict(old.inputs)), inputs), goal)
    changed = tuple(sorted(diff.changed))
    if not diff.replaces:
        op = Op.UPDATE if changed or old.incomplete else Op.SAME
        return Plan(op=op, inputs=inputs, old=old, changed=changed)
    _refuse_forbidden_replacement(handler, old, diff)
    delete_first = diff.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
    if not delete_first:
        inputs = _checked(handler, goal, None)  # the new one needs a name of its own
    return Plan(op=Op.REPLACE, inputs=inputs, old=old, changed=tuple(sorted(diff.replaces)), delete_first=delete_first)


def _checked(handler: Handler, goal: Goal, old: ResourceState | None) -> Properties:
    before = plain(dict(old.inputs)) if old is not None else None
    filled = checked(handler, goal.state.name, plain(dict(goal.state.inputs)), before, goal.default_tags)
    if before is not None:
        for key in goal.ignore_changes:
            filled.pop(key, None)
            if key in before:
                filled[key] = before[key]
    return filled


def _with_options(diff: Diff, goal: Goal) -> Diff:
    forced = diff.changed & set(goal.replace_on_changes)
    return replace(diff, replaces=diff.replaces | forced) if forced else diff


def _refuse_forbidden_replacement(handler: Handler, old: ResourceState, diff: Diff) -> None:
    changed = ", ".join(sorted(diff.replaces))
    if handler.refuse_replacement is not None:
        raise ByocError(f"a change of {changed} would replace '{old.name}': {handler.refuse_replacement}")
    if old.protect:
        raise ByocError(
            f"a change of {changed} would replace '{old.name}', which is protected\n"
            "      allowed:  changes that keep it\n"
            "      mend it:  undo the change, or lift the protection in the config, run 'up', and then make the change"
        )


def replaced_dependents(urn: str, state: StackState) -> list[ResourceState]:
    """Live resources that cannot outlive ``urn`` and would be replaced with it, nearest first.

    A dependent counts if its provider would replace it were the property that comes from ``urn`` unknown.
    """
    found: dict[str, ResourceState] = {}
    waiting = [urn]
    while waiting:
        needed = waiting.pop(0)
        for resource in list(state.resources.values()):
            keys = [key for key, urns in resource.property_dependencies.items() if needed in urns]
            if not resource.custom or not keys or resource.urn in found or resource.urn == urn:
                continue
            before = plain(dict(resource.inputs))
            after = {**before, **dict.fromkeys(keys, UNKNOWN)}
            if handler_for(resource.type).diff(before, after).replaces:
                found[resource.urn] = resource
                waiting.append(resource.urn)
    return list(found.values())


class Executor:
    """Carries out plans against AWS and writes them to the state."""

    def __init__(self, state: StackState) -> None:
        self._state = state

    def create(self, goal: Goal, inputs: Properties, aws: SandboxAws) -> ResourceState:
        """Make a resource; on an error after the create call it stays in the state as incomplete."""
        handler = handler_for(goal.state.type)
        wanted = replace(goal.state, inputs=_sealed(inputs, goal.state.inputs))
        self._state.begin(wanted)
        try:
            made = goal.import_id or make(handler, aws, inputs)
        except Exception:
            self._state.abandon(wanted.urn)
            raise
        return self._finish(goal, replace(wanted, id=made, incomplete=True), inputs, aws)

    def update(self, goal: Goal, planned: Plan, aws: SandboxAws) -> ResourceState:
        """Bring a resource to its new inputs, and finish its set-up if an earlier run could not."""
        handler = handler_for(goal.state.type)
        old = planned.existing
        if old.incomplete:
            handler.configure(aws, old.id, planned.inputs)
        if planned.changed:
            handler.update(aws, old.id, plain(dict(old.inputs)), planned.inputs)
        done = replace(goal.state, id=old.id, key=old.key, inputs=_sealed(planned.inputs, goal.state.inputs))
        return self._read(goal, done, planned.inputs, aws)

    def recover(self, begun: ResourceState, aws: SandboxAws) -> ResourceState | None:
        """Look for what a create that was never answered may have made; note it as incomplete, or as nothing."""
        handler = handler_for(begun.type)
        found = handler.find(aws, plain(dict(begun.inputs)))
        if found is None:
            self._state.abandon(begun.urn)
            return None
        resource = replace(begun, id=found, incomplete=True)
        self._state.put(resource)
        return resource

    def delete(self, resource: ResourceState, aws: SandboxAws | None) -> None:
        """Delete a resource from the account (unless it is retained) and from the state."""
        if aws is not None and resource.custom and not resource.retain_on_delete:
            everything = {**plain(dict(resource.inputs)), **plain(dict(resource.outputs))}
            remove(handler_for(resource.type), aws, resource.id, everything)
        self._state.drop(resource)

    def _finish(self, goal: Goal, resource: ResourceState, inputs: Properties, aws: SandboxAws) -> ResourceState:
        self._state.put(resource)
        if not goal.import_id:
            handler_for(resource.type).configure(aws, resource.id, inputs)
        return self._read(goal, replace(resource, incomplete=False), inputs, aws)

    def _read(self, goal: Goal, resource: ResourceState, inputs: Properties, aws: SandboxAws) -> ResourceState:
        handler = handler_for(resource.type)
        outputs = outputs_now(handler, aws, resource.name, resource.id, inputs)
        secret = goal.secret_outputs | handler.secret_outputs | secret_keys(goal.state.inputs)
        done = replace(resource, outputs=mark_secrets(outputs, secret & outputs.keys()), incomplete=False)
        self._state.put(done)
        return done


def predicted_outputs(goal: Goal, planned: Plan) -> dict[str, Any]:
    """What a preview can say of a resource's outputs; what it leaves out is unknown."""
    handler = handler_for(goal.state.type)
    kept = planned.op not in (Op.CREATE, Op.REPLACE) and planned.old is not None
    before = plain(dict(planned.existing.outputs)) if kept else None
    outputs = foreseen(handler, planned.inputs, before, planned.changed)
    secret = goal.secret_outputs | handler.secret_outputs | secret_keys(goal.state.inputs)
    return mark_secrets(outputs, secret & outputs.keys())


def _sealed(inputs: Properties, wanted: Mapping[str, Any]) -> dict[str, Any]:
    return mark_secrets(inputs, secret_keys(wanted) & inputs.keys())
