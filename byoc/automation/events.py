"""The engine's events, read as the steps, failures and outputs of a run."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from byoc.automation.failures import policy_failure, program_failure, resource_failure
from byoc.runs import Event, Failure, Listener, Op, Phase, Step
from byoc.values import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN, UNKNOWN_MARK, Secret

if TYPE_CHECKING:
    from pulumi.automation.events import EngineEvent, PolicyEvent, StepEventMetadata

_STACK_TYPE: Final = "pulumi:pulumi:Stack"
_PROVIDER_PREFIX: Final = "pulumi:providers:"
_OPS: Final = {
    "create": Op.CREATE,
    "update": Op.UPDATE,
    "create-replacement": Op.REPLACE,
    "delete": Op.DELETE,
    "delete-replaced": Op.DELETE,
    "import": Op.IMPORT,
    "import-replacement": Op.IMPORT,
    "same": Op.SAME,
    "refresh": Op.SAME,
}
"""What the engine does to a resource. Left out: reads, and ``replace``, which says that a replacement is whole."""
_CLOSING: Final = re.compile(r"(update|preview|destroy|refresh|operation) (failed|cancell?ed)\.?")
"""The engine's closing remark, which says nothing that the failures do not say."""


class RunReader:
    """Takes the events of one run, from one thread after the other, and tells the listener of every step.

    The stack itself and the providers that the engine makes by default are not counted: they are nothing that the
    program asked for.
    """

    def __init__(self, listener: Listener) -> None:
        self.steps: list[Step] = []
        self.unchanged = 0
        self.outputs: dict[str, Any] = {}
        self.notes: list[str] = []
        self.began = False
        self.ended = threading.Event()
        self._listener = listener
        self._since: dict[str, float] = {}
        self._failed_ops: dict[str, tuple[str, str]] = {}
        self._errors: dict[str, list[str]] = {}
        self._violations: list[Failure] = []

    def __call__(self, event: EngineEvent) -> None:
        """Take note of an event."""
        self.began = True
        if event.resource_pre_event is not None:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self._finish(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            self._fail(event.res_op_failed_event.metadata)
        elif event.diagnostic_event is not None and event.diagnostic_event.severity == "error":
            diagnostic = event.diagnostic_event
            self._errors.setdefault(diagnostic.urn or "", []).append(diagnostic.message)
        elif event.policy_event is not None:
            self._judge(event.policy_event)
        elif event.cancel_event is not None:
            self.ended.set()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What failed, resource by resource, then what is wrong with the program."""
        found = [*self._violations]
        for urn, texts in self._errors.items():
            if _is_resource(urn):
                type_, op = self._failed_ops.get(urn, (_type_of(urn), "check"))
                found.append(resource_failure("\n".join(texts), urn=urn, type=type_, op=op))
        for urn in self._failed_ops.keys() - self._errors.keys():
            type_, op = self._failed_ops[urn]
            found.append(resource_failure("the provider gave no reason", urn=urn, type=type_, op=op))
        texts = [text for urn, texts in self._errors.items() if not _is_resource(urn) for text in texts]
        causes = [text for text in texts if not _CLOSING.fullmatch(text.strip())]
        return (*found, *(program_failure(text) for text in causes))

    def _begin(self, step: StepEventMetadata) -> None:
        op = _op_of(step)
        if op is None or not _is_counted(step):
            return
        if not _is_custom(step):  # a component: no provider works on it, and no event says that it is done
            self._record(step, op, 0.0)
            return
        self._since[step.urn] = time.monotonic()
        if op is not Op.SAME:
            self._tell(step, op, Phase.STARTED, 0.0)

    def _finish(self, step: StepEventMetadata) -> None:
        if step.type == _STACK_TYPE:
            outputs = step.new.outputs if step.new is not None else None
            self.outputs = {key: _value(item) for key, item in (outputs or {}).items()}
            return
        op = _op_of(step)
        if op is None or not _is_counted(step) or not _is_custom(step):
            return
        if step.op != "refresh":  # a refresh before an update is followed by what the update does to it
            self._record(step, op, time.monotonic() - self._since.pop(step.urn, time.monotonic()))

    def _record(self, step: StepEventMetadata, op: Op, seconds: float) -> None:
        if op is Op.SAME:
            self.unchanged += 1
        elif step.op != "delete-replaced":  # part of a replacement, which is counted as one
            tagged, untagged = _tags(step)
            self.steps.append(
                Step(op=op, urn=step.urn, type=step.type, changed=_changed(step), tagged=tagged, untagged=untagged)
            )
        self._tell(step, op, Phase.DONE, seconds)

    def _fail(self, step: StepEventMetadata) -> None:
        op = _op_of(step) or Op.UPDATE
        self._failed_ops[step.urn] = (step.type, "read" if step.op in ("read", "refresh") else op.value)
        self._tell(step, op, Phase.FAILED, time.monotonic() - self._since.pop(step.urn, time.monotonic()))

    def _tell(self, step: StepEventMetadata, op: Op, phase: Phase, seconds: float) -> None:
        self._listener(Event(op=op, phase=phase, urn=step.urn, type=step.type, seconds=seconds, changed=_changed(step)))

    def _judge(self, event: PolicyEvent) -> None:
        urn = event.resource_urn or ""
        policy = f"{event.policy_pack_name}/{event.policy_name}"
        if event.enforcement_level == "mandatory":
            self._violations.append(policy_failure(event.message, urn=urn, type=_type_of(urn), policy=policy))
        else:
            self.notes.append(f"policy {policy}: {' '.join(event.message.split())} ({urn.rsplit('::', 1)[-1]})")


def _op_of(step: StepEventMetadata) -> Op | None:
    op = _OPS.get(step.op.value)
    retained = step.old is not None and step.old.retain_on_delete
    return Op.RETAIN if op is Op.DELETE and retained else op


def _is_counted(step: StepEventMetadata) -> bool:
    is_default = step.type.startswith(_PROVIDER_PREFIX) and step.urn.rsplit("::", 1)[1].startswith("default")
    return step.type != _STACK_TYPE and not is_default


def _is_custom(step: StepEventMetadata) -> bool:
    state = step.new or step.old
    return state is not None and bool(state.custom)


def _changed(step: StepEventMetadata) -> tuple[str, ...]:
    """The inputs that a change is for, without the paths inside them."""
    paths = step.keys or step.diffs or list(step.detailed_diff or {})
    return tuple(dict.fromkeys(path.split(".")[0].split("[")[0] for path in paths))


def _tags(step: StepEventMetadata) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys of the tags that a step sets, and of those that it takes off.

    What a refresh found stands in the old state's outputs; its inputs may hold only what a program once said.
    """
    if step.old is None or step.new is None:
        return (), ()
    before = _all_tags({**(step.old.inputs or {}), **(step.old.outputs or {})})
    after = _all_tags(step.new.inputs or {})
    tagged = sorted(key for key, value in after.items() if key not in before or before[key] != value)
    return tuple(tagged), tuple(sorted(before.keys() - after.keys()))


def _all_tags(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the resource, and those that its provider puts on everything."""
    found = (properties.get(name) for name in ("tagsAll", "tags"))
    return {key: value for tags in found if isinstance(tags, Mapping) for key, value in tags.items()}


def _is_resource(urn: str) -> bool:
    return bool(urn) and _type_of(urn) != _STACK_TYPE


def _type_of(urn: str) -> str:
    """The type at the end of a URN's chain of types."""
    parts = urn.split("::")
    return parts[2].rsplit("$", 1)[-1] if len(parts) > 3 else ""


def _value(item: Any) -> Any:  # noqa: ANN401 - outputs are of any type
    """An output as the event log holds it: secrets come masked, and are marked so here; unknown ones are too."""
    if isinstance(item, Mapping):
        if item.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
            return Secret(None)
        return {key: _value(inner) for key, inner in item.items()}
    if isinstance(item, list):
        return [_value(inner) for inner in item]
    if item == "[secret]":
        return Secret(None)
    return UNKNOWN if item == UNKNOWN_MARK else item
