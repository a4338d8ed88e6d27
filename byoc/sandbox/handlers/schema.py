"""What the AWS provider's schema says of a type's inputs, written down as data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import DEFAULTED, Diff, Handler, Properties

_ALWAYS_KNOWN = frozenset({DEFAULTED, "tags", "tagsAll"})


class SchemaHandler(Handler):
    """A handler that refuses inputs it does not act on, fills in defaults, and knows which lists are sets."""

    known: ClassVar[frozenset[str]]
    """The inputs that the handler acts on. Any other that is set is refused, never passed over in silence."""
    defaults: ClassVar[Mapping[str, Any]] = {}
    """The defaults of the provider's schema, as the bridge fills them in."""
    sets: ClassVar[frozenset[str]] = frozenset()
    """Inputs whose order means nothing; ``networkConfiguration.subnets`` names one inside another."""

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Fill in defaults. Raises ``ValueError`` on inputs that the handler does not act on."""
        given = {key: value for key, value in inputs.items() if value is not None}
        unknown = {key for key, value in given.items() if value not in ([], {})} - self.known - _ALWAYS_KNOWN
        if unknown:
            raise ValueError(
                f"the sandbox does not act on {', '.join(sorted(unknown))} of {self.token}\n"
                f"      allowed:  {', '.join(sorted(self.known))}\n"
                "      mend it:  leave it out, or use the Pulumi CLI with the AWS provider"
            )
        return super().check(logical_name, {**self.defaults, **given}, old)

    def diff(self, old: Properties, new: Properties) -> Diff:
        """What changed in meaning: compares the :meth:`canonical` forms."""
        return super().diff(self.canonical(old), self.canonical(new))

    def default_of(self, key: str) -> Any:  # noqa: ANN401 - property values are of any type
        """The schema's default, which ``check`` has filled in."""
        return self.implied.get(key, self.defaults.get(key))

    def canonical(self, inputs: Properties) -> Properties:
        """The inputs in a form in which equal meanings are equal values; may hold ``UNKNOWN``."""
        result: Any = inputs
        for path in self.sets:
            result = _ordered(result, path.split("."))
        return dict(result)


def _ordered(value: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 - property values are of any type
    if not path:
        return sorted(value, key=_sort_key) if isinstance(value, list) else value
    if isinstance(value, Mapping) and path[0] in value:
        return {**value, path[0]: _ordered(value[path[0]], path[1:])}
    return value


def _sort_key(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, sort_keys=True, default=repr)


def pascal(value: Any) -> Any:  # noqa: ANN401
    """``value`` with every key's first letter in upper case, at any depth, and without what is None: camelCase inputs
    as the APIs take them that name their fields alike (Application Auto Scaling).
    """
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: pascal(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [pascal(item) for item in value]
    return value


def camel(value: Any) -> Any:  # noqa: ANN401
    """The other way: an API's answer as inputs."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [camel(item) for item in value]
    return value
