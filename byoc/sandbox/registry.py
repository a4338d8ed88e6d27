"""Which handler stands for which resource type, and which function answers which invoke."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import byoc.sandbox.handlers
from byoc.errors import ByocError
from byoc.sandbox.handlers.base import Handler, Invoke


@cache
def _tables() -> tuple[dict[str, Handler], dict[str, Invoke]]:
    handlers: dict[str, Handler] = {}
    invokes: dict[str, Invoke] = {}
    for module_info in pkgutil.iter_modules(byoc.sandbox.handlers.__path__):
        module = importlib.import_module(f"byoc.sandbox.handlers.{module_info.name}")
        for handler in getattr(module, "HANDLERS", ()):
            if handler.token in handlers:
                raise RuntimeError(f"two handlers for {handler.token}")
            handlers[handler.token] = handler()
        invokes.update(getattr(module, "INVOKES", {}))
    return handlers, invokes


def handler_for(token: str) -> Handler:
    """The handler of a resource type; a type without one is an error, never a silent success."""
    found = _tables()[0].get(token)
    if found is None:
        raise ByocError(
            f"the sandbox has no handler for {token}\n"
            "      allowed:  the resource types that byoc's own components make\n"
            "      mend it:  use the Pulumi CLI for programs with other types, or add a handler"
        )
    return found


def invoke_for(token: str) -> Invoke:
    """The function that answers an invoke; an unknown one is an error."""
    found = _tables()[1].get(token)
    if found is None:
        raise ByocError(f"the sandbox cannot answer {token}: only what byoc's own components look up")
    return found


def handled_types() -> frozenset[str]:
    """All resource types that have a handler."""
    return frozenset(_tables()[0])
