"""The property bags of the provider protocol: what the engine sends, and what it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

from byoc.sandbox.handlers.base import Handler, Properties
from byoc.sandbox.lifecycle import secret_keys
from byoc.values import UNKNOWN, decode, encode, mark_secrets, plain


def opened(struct: struct_pb2.Struct) -> Properties:
    """Properties with every secret open, as handlers take them."""
    found: Properties = plain(decode(struct))
    return found


def sealed_inputs(inputs: Properties, program: Mapping[str, Any]) -> struct_pb2.Struct:
    """Inputs in which is secret what the program marked as such."""
    return encode(mark_secrets(inputs, secret_keys(program) & inputs.keys()))


def sealed_outputs(handler: Handler, outputs: Properties, inputs: Mapping[str, Any]) -> struct_pb2.Struct:
    """Outputs in which is secret what comes from secret inputs, and what the provider's schema marks as sensitive."""
    return encode(mark_secrets(outputs, (handler.secret_outputs | secret_keys(inputs)) & outputs.keys()))


def with_unknown(known: Properties, before: Properties) -> Properties:
    """What a preview foresees of an update: outputs that it cannot tell are unknown, and not as they were."""
    return {**dict.fromkeys(before, UNKNOWN), **known}
