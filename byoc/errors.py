"""Errors that tell a person what to do.

Every error of this library derives from :class:`ByocError`. It is a :class:`pulumi.RunError`, so that the
Pulumi engine prints its message and no traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pulumi import RunError


class ByocError(RunError):
    """An error whose message names the key, the value got, what is allowed, and the way out."""

    exit_code: ClassVar[int] = 1
    """What the command line exits with."""


class InputError(ByocError):
    """What the user gave is wrong; nothing was begun."""

    exit_code: ClassVar[int] = 2


class NothingDoneError(ByocError):
    """Ctrl-C before anything was changed."""

    exit_code: ClassVar[int] = 130

    def __init__(self) -> None:
        super().__init__("interrupted: nothing was changed")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with an input.

    ``key`` is the name that the user wrote (``byoc:network.cidr``), ``value`` what was got (never a secret: pass
    ``"[secret]"``), ``allowed`` what would be accepted, ``remedy`` what to type or change.
    """

    key: str
    value: str
    allowed: str
    remedy: str

    def render(self) -> str:
        """The problem as one indented block of text, without a trailing newline."""
        return (
            f"  {self.key}\n      got:      {self.value}\n      allowed:  {self.allowed}\n      mend it:  {self.remedy}"
        )


class ConfigError(InputError):
    """Everything that is wrong with a stack's config, in one message.

    ``problems`` holds each :class:`Problem`, in the order in which the keys are documented.
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        blocks = "\n".join(problem.render() for problem in self.problems)
        super().__init__(f"{source}: {count} {noun}; nothing was created\n{blocks}")
