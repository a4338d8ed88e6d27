"""How a validator says no: what is allowed and the way out, ready to be shown to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

ERROR_TYPE = "byoc"
"""The pydantic error type under which findings travel."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One reason to refuse a value.

    ``at`` is where the value stands, below the field whose validator found it (``("keys", 2)``; empty: the field's
    own value); ``key`` is its whole path instead, where it stands elsewhere (``("network", "cidr")``). ``got`` is shown
    in place of the value.
    """

    allowed: str
    remedy: str
    at: tuple[str | int, ...] = ()
    key: tuple[str | int, ...] | None = None
    got: str | None = None


class RefusedError(PydanticCustomError):
    """A validator's findings, as the error that pydantic collects."""

    def __new__(cls, findings: Sequence[Finding]) -> RefusedError:
        """``findings``: at least one."""
        return super().__new__(cls, ERROR_TYPE, "refused", {"findings": tuple(findings)})


def refuse(
    allowed: str,
    remedy: str,
    *,
    at: tuple[str | int, ...] = (),
    key: tuple[str | int, ...] | None = None,
    got: str | None = None,
) -> RefusedError:
    """The error of a single finding; to be raised."""
    return RefusedError([Finding(allowed=allowed, remedy=remedy, at=at, key=key, got=got)])


def refuse_if(findings: Sequence[Finding]) -> None:
    """Raise all findings at once; nothing if there are none."""
    if findings:
        raise RefusedError(findings)
