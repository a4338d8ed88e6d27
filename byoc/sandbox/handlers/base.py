"""What a handler of a resource type has to do, and what it is given.

A handler stands in for the AWS provider's code of one type: it makes the same AWS API calls, in the same order and
with the same inputs, through boto3. It keeps no state of its own; the engine plans, records and repeats.
"""

from __future__ import annotations

import re
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from byoc.sandbox.handlers.meaning import Entries, is_empty, plain, retold, same

Properties = dict[str, Any]
"""Inputs or outputs by Pulumi's wire names (camelCase). In :meth:`Handler.diff` a value may be ``UNKNOWN``."""


class Aws(Protocol):
    """The AWS session of one provider: one account, region and identity. Safe to use from many threads."""

    @property
    def account_id(self) -> str:
        """The account that the session's credentials belong to."""

    @property
    def region(self) -> str:
        """The provider's region."""

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 clients are made at run time and have no type
        """The boto3 client of a service, made once per session."""

    def wait(self, what: str, ready: Callable[[], bool], *, timeout: float = 3600.0) -> None:
        """Call ``ready`` until it is true, with growing pauses (from 20 ms); ``TimeoutError`` names ``what``."""


DEFAULTED = "__defaults"
"""The input in which the bridge notes which names it made up itself; it is no property of the resource."""


_MADE_UP_NAME = re.compile(r"(.+?)[0-9]{18}[0-9a-f]{8}$")
"""A prefix, and what the provider puts behind it."""


@dataclass(frozen=True)
class AutoName:
    """How the provider names a resource whose name was not given: ``{logical name}-{seven hex digits}``.

    ``prefix_property``: the input that gives another prefix (``namePrefix``), with a time-ordered suffix.
    """

    property: str = "name"
    max_length: int = 255
    prefix_property: str | None = None


@dataclass(frozen=True)
class Diff:
    """What a change of inputs means for an existing resource."""

    changed: frozenset[str] = field(default_factory=frozenset)
    replaces: frozenset[str] = field(default_factory=frozenset)
    delete_before_replace: bool = False


class Handler(ABC):
    """One resource type.

    The engine calls ``check`` first, always; then, for a new resource: ``create`` (its id is recorded), ``configure``,
    ``read``. For an existing one: ``diff``, and if it changed ``update`` and ``read``; for a replacement a create and,
    at the end, a ``delete``. After an interruption between the create call and its answer: ``find``, and if it gives an
    id, ``configure`` and ``read``. So ``configure``, ``update`` and ``delete`` must be safe to repeat. For a refresh or
    an import: ``observe``, for an import also ``imported_id``, and ``read``.
    """

    token: ClassVar[str]
    """Pulumi's type token, such as ``aws:ec2/vpc:Vpc``."""
    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Top-level inputs that the AWS provider marks "forces new resource"."""
    autoname: ClassVar[AutoName | None] = None
    """Set where the provider invents the name if none is given."""
    taggable: ClassVar[bool] = False
    """Whether ``tags`` are merged with the provider's default tags into ``tagsAll``."""
    recomputed: ClassVar[Mapping[str, frozenset[str]]] = {}
    """Outputs that an update makes unknown in a preview, by the input that changes them."""
    secret_outputs: ClassVar[frozenset[str]] = frozenset()
    """Outputs that the provider's schema marks sensitive."""
    implied: ClassVar[Mapping[str, Any]] = {}
    """What an input that is not given stands for (the provider's default); an import leaves it out."""
    kept: ClassVar[frozenset[str]] = frozenset()
    """Inputs that AWS fills in ("optional, computed" in the provider): not to give one is to leave it as it is."""
    unstated: ClassVar[frozenset[str]] = frozenset()
    """Inputs that an import leaves out, because they are more often resources of their own (rules of a group)."""
    refuse_replacement: ClassVar[str | None] = None
    """Set where a replacement would lose data: why the engine refuses it, and what to do instead."""

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Inputs with the provider's own defaults and name filled in.

        ``old`` are the inputs in state, whose made-up name is kept; None for a new resource, and for a replacement that
        is to be made before the old one goes.
        Raises ``ValueError`` with a message for the user on inputs that the provider itself would refuse.
        """
        checked = dict(inputs)
        if self.autoname is not None and not checked.get(self.autoname.property):
            checked[self.autoname.property] = self._name(self.autoname, logical_name, checked, old)
            checked[DEFAULTED] = [self.autoname.property]
        return checked

    @staticmethod
    def _name(rule: AutoName, logical_name: str, inputs: Properties, old: Properties | None) -> str:
        prefix = inputs.get(rule.prefix_property) if rule.prefix_property else None
        if old and old.get(rule.property) and (not prefix or str(old[rule.property]).startswith(str(prefix))):
            return str(old[rule.property])
        if prefix:
            stamp = f"{time.time_ns() // 1000:018d}{secrets.token_hex(4)}"
            return f"{prefix}{stamp}"[: rule.max_length]
        suffix = f"-{secrets.token_hex(4)[:7]}"
        if len(logical_name) + len(suffix) > rule.max_length:
            raise ValueError(
                f"'{logical_name}' and {len(suffix)} characters are more than {rule.max_length}: give '{rule.property}'"
            )
        return logical_name + suffix

    def diff(self, old: Properties, new: Properties) -> Diff:
        """What changed between two checked inputs. An ``UNKNOWN`` new value counts as changed."""
        keys = {key for key in old.keys() | new.keys() if key != DEFAULTED and self._differs(key, old, new)}
        replaces = keys & self.replace_on
        return Diff(frozenset(keys), frozenset(replaces), bool(replaces) and self._keeps_fixed_name(old, new))

    def _differs(self, key: str, old: Properties, new: Properties) -> bool:
        before, after = (inputs.get(key) for inputs in (old, new))
        if is_empty(after) and key in self.kept:
            return False
        default = self.default_of(key)
        return not same(default if before is None else before, default if after is None else after)

    def default_of(self, key: str) -> Any:  # noqa: ANN401 - property values are of any type
        """What an input that is not given stands for; None if nothing."""
        return self.implied.get(key)

    def _keeps_fixed_name(self, old: Properties, new: Properties) -> bool:
        """Whether two things of one name would have to exist at once if the new one were made first."""
        if self.autoname is None or self.autoname.property in new.get(DEFAULTED, []):
            return False
        return same(old.get(self.autoname.property), new.get(self.autoname.property))

    @abstractmethod
    def create(self, aws: Aws, inputs: Properties) -> str:
        """Make the one AWS call that brings the thing into being; return its Pulumi id."""

    def find(self, aws: Aws, inputs: Properties) -> str | None:  # noqa: ARG002 - for handlers that can look
        """The id of what an interrupted ``create`` with these inputs may have made, or None.

        Called only when the engine knows that a create was begun and not answered. Looks by fixed name, or by
        every tag of ``inputs`` and what else the inputs determine; never guesses among several.
        """
        return None

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:  # noqa: B027 - most have nothing to do here
        """The calls that the provider makes after the create call: attributes, waits. Safe to repeat."""

    @abstractmethod
    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The provider's outputs beyond the inputs, read from AWS; None when the thing is gone."""

    def observe(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The inputs as they stand in AWS, for a refresh and for an import; None when the thing is gone.

        With ``inputs`` (those of the state): exactly their keys, each with AWS's value, written as it was if it means
        the same (:func:`same`, order of sets, JSON); what AWS does not tell (a password, how to delete) stays as it is.
        Without (an import): every input that is not at the provider's default, so that a program can state it.
        ``tagsAll`` are all tags but AWS's own; ``tags`` those of ``inputs`` and, beyond them, what ``tagsAll`` gained.
        """
        told = self.told(aws, id, inputs)
        if told is None:
            return None
        if self.taggable:
            told["tagsAll"] = Entries(told.get("tagsAll") or {})
        return self._refreshed(inputs, told) if inputs else self._imported(told)

    @abstractmethod
    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """Each input of which AWS tells, with AWS's value (:mod:`byoc.sandbox.handlers.meaning`); None: it is gone.

        A value that AWS has not set is None. Without ``inputs`` the id must do: the handler's own, or the one by which
        the provider imports. Tags stand under ``tagsAll``.
        """

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002 - for handlers whose import ids differ
        """The handler's own id for an id by which the provider imports; an id of its own is given back."""
        return id

    def _refreshed(self, inputs: Properties, told: Properties) -> Properties:
        there = {**told, "tags": _own_tags(inputs, told)} if self.taggable else told
        return {key: self._retold(inputs, key, there[key]) if key in there else inputs[key] for key in inputs}

    def _retold(self, inputs: Properties, key: str, told: object) -> Any:  # noqa: ANN401 - values are of any type
        """AWS's value, unless an update back to what is written would find nothing to do."""
        value = retold(inputs[key], told)
        return value if key in self.diff({**inputs, key: value}, inputs).changed else inputs[key]

    def _imported(self, told: Properties) -> Properties:
        found = {key: plain(value) for key, value in told.items() if key not in self.unstated}
        if self.taggable:
            found["tags"] = dict(found.get("tagsAll") or {})
        if self.autoname is not None and self.autoname.prefix_property:
            made_up = _MADE_UP_NAME.match(str(found.get(self.autoname.property)))
            found[self.autoname.prefix_property] = made_up[1] if made_up else None
        return {
            key: value for key, value in found.items() if not is_empty(value) and not same(value, self.default_of(key))
        }

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:
        """Bring the existing thing from ``old`` to ``new`` inputs. Safe to repeat."""
        raise NotImplementedError(f"{self.token}: no update of {sorted(self.diff(old, new).changed)}")

    @abstractmethod
    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """Delete the thing; ``state`` are inputs and outputs. A thing that is gone already is no error."""

    def leaves(self, state: Properties) -> tuple[str, ...]:  # noqa: ARG002 - for handlers that leave something
        """What a deletion leaves in the account on purpose, in plain words (a final snapshot)."""
        return ()


Invoke = Callable[[Aws, Properties], Properties]
"""A provider function such as ``aws:index/getCallerIdentity:getCallerIdentity``: arguments to results."""


def _own_tags(inputs: Properties, told: Properties) -> Entries:
    """Those of ``tags`` that are there, and all others that are not as the provider's default tags left them."""
    own, before = inputs.get("tags") or {}, inputs.get("tagsAll") or {}
    there = told.get("tagsAll") or {}
    return Entries({key: value for key, value in there.items() if key in own or before.get(key) != value})
