"""Takes the engine's own protection off a stack's resources, as ``pulumi state unprotect --all`` does."""

from __future__ import annotations

from dataclasses import replace

from byoc.sandbox.state import StackState


def unprotect(state: StackState) -> tuple[str, ...]:
    """Write down that nothing of the stack is protected; gives the logical names of what was.

    What protects a thing in AWS stays as it is.
    """
    with state.exclusive():
        protected = [item for item in state.resources.values() if item.protect]
        for item in protected:
            state.put(replace(item, protect=False))
        state.fold()
    return tuple(item.name for item in protected)
