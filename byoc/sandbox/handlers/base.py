"""What a handler of a resource type has to do, and what it is given.

A handler stands in for the AWS provider's code of one type: it makes the same AWS API calls, in the same order and
with the same inputs, through boto3. It keeps no state of its own; the engine plans, records and repeats.
"""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

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
    id, ``configure`` and ``read``. So ``configure``, ``update`` and ``delete`` must be safe to repeat.
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
        keys = {key for key in old.keys() | new.keys() if key != DEFAULTED and not same(old.get(key), new.get(key))}
        replaces = keys & self.replace_on
        return Diff(frozenset(keys), frozenset(replaces), bool(replaces) and self._keeps_fixed_name(old, new))

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


def same(old: object, new: object) -> bool:
    """Whether two property values mean the same: absent, null and empty collections are alike, as in the bridge."""
    if old in (None, [], {}) and new in (None, [], {}):
        return True
    if isinstance(old, dict) and isinstance(new, dict):
        return all(same(old.get(key), new.get(key)) for key in old.keys() | new.keys())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(a, b) for a, b in zip(old, new, strict=True))
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    return old == new
