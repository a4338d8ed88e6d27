"""Property values as they travel between a Pulumi program and an engine.

On the wire a property bag is a protobuf struct in which secrets, unknown values and resource references are marked by
magic strings. Inside the sandbox they are plain Python values, :class:`Secret` and :data:`UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from google.protobuf import struct_pb2

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the wire format's mark, not a secret
RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
UNKNOWN_MARK: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """The type of :data:`UNKNOWN`: a value that will only be known after an update."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that must not be shown or stored in the clear. Its ``repr`` does not show it."""

    value: Any

    def __repr__(self) -> str:
        return "Secret([secret])"


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A wire struct as a plain dict; whole numbers become ``int``."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value) -> Any:  # noqa: ANN401 - property values are of any type
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_MARK else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "struct_value":
        fields = value.struct_value.fields
        signature = fields[SIGNATURE_KEY].string_value if SIGNATURE_KEY in fields else ""
        if signature == SECRET_SIGNATURE:
            return Secret(_decode(fields["value"]))
        if signature == RESOURCE_SIGNATURE:
            return fields["id"].string_value if "id" in fields else fields["urn"].string_value
        return {key: _decode(item) for key, item in fields.items()}
    return None


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """A plain dict as a wire struct."""
    return struct_pb2.Struct(fields={key: _encode(value) for key, value in properties.items()})


def _encode(value: Any) -> struct_pb2.Value:  # noqa: ANN401
    if value is None:
        return struct_pb2.Value(null_value=cast("struct_pb2.NullValue", 0))
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=UNKNOWN_MARK)
    if isinstance(value, Secret):
        return _encode({SIGNATURE_KEY: SECRET_SIGNATURE, "value": value.value})
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=encode(value))
    if isinstance(value, Iterable):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))
    raise TypeError(f"no wire form for {type(value).__name__}")


def plain(value: Any) -> Any:  # noqa: ANN401
    """``value`` with every :class:`Secret` opened, at any depth; ``UNKNOWN`` stays."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def hidden(value: Any) -> Any:  # noqa: ANN401
    """``value`` for showing: every secret is ``[secret]``, every unknown value ``[unknown]``."""
    if isinstance(value, Secret):
        return "[secret]"
    if value is UNKNOWN:
        return "[unknown]"
    if isinstance(value, dict):
        return {key: hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hidden(item) for item in value]
    return value


def contains_unknown(value: Any) -> bool:  # noqa: ANN401
    """Whether any part of ``value`` is unknown."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return contains_unknown(value.value)
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return False


def contains_secret(value: Any) -> bool:  # noqa: ANN401
    """Whether any part of ``value`` is secret."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(contains_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_secret(item) for item in value)
    return False


def mark_secrets(properties: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """``properties`` with the values of ``keys`` wrapped as secrets."""
    wanted = frozenset(keys)
    return {key: Secret(plain(value)) if key in wanted else value for key, value in properties.items()}
