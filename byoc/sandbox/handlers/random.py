"""The random provider: passwords, strings and ids, made with the system's random source. Nothing of it is in AWS."""

from __future__ import annotations

import base64
import secrets
import string
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import Aws, Handler, Properties
from byoc.sandbox.handlers.schema import SchemaHandler

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
"""Special characters, unless ``overrideSpecial`` gives others (random provider)."""
_NO_ID = "none"
"""The id of every password."""
_LETTERS = {
    "minLower": ("lower", string.ascii_lowercase),
    "minNumeric": ("numeric", string.digits),
    "minUpper": ("upper", string.ascii_uppercase),
}


class _Nowhere(SchemaHandler):
    """Something that exists in the state alone: it cannot be lost, changed or left behind."""

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """AWS tells nothing: the state's inputs stand, or those that the id gives."""
        return dict(inputs) or self.of_id(id)

    @abstractmethod
    def of_id(self, id: str) -> Properties:
        """The inputs that an import id gives."""

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """Nothing to delete."""


class _RandomText(_Nowhere):
    """Random characters. Every input replaces it."""

    known = frozenset(
        {
            "keepers",
            "length",
            "lower",
            "minLower",
            "minNumeric",
            "minSpecial",
            "minUpper",
            "number",
            "numeric",
            "overrideSpecial",
            "special",
            "upper",
        }
    )
    defaults: ClassVar[Mapping[str, Any]] = {
        "lower": True,
        "minLower": 0,
        "minNumeric": 0,
        "minSpecial": 0,
        "minUpper": 0,
        "numeric": True,
        "special": True,
        "upper": True,
    }
    replace_on = known

    def of_id(self, id: str) -> Properties:
        """The text itself is what is imported; it tells its length."""
        return {"length": len(id)}

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """``number`` is the old name of ``numeric``. Raises ``ValueError`` where no such text can be."""
        given = dict(inputs)
        if given.get("numeric") is None and given.get("number") is not None:
            given["numeric"] = given["number"]
        checked = super().check(logical_name, given, old)
        length = checked.get("length")
        least = [checked[key] for key in ("minLower", "minNumeric", "minSpecial", "minUpper")]
        if isinstance(length, int) and all(isinstance(count, int) for count in least) and sum(least) > length:
            raise ValueError(
                f"{self.token}: length {length} is less than the {sum(least)} characters that must be in it"
            )
        if not any(checked[kind] for kind in ("lower", "numeric", "special", "upper")):
            raise ValueError(f"{self.token}: at least one of lower, numeric, special, upper must be true")
        return checked


class RandomPassword(_RandomText):
    """A secret text. Its id is ``none``, since ids are not secret."""

    token = "random:index/randomPassword:RandomPassword"  # noqa: S105
    secret_outputs = frozenset({"bcryptHash", "result"})

    def create(self, aws: Aws, inputs: Properties) -> str:  # noqa: ARG002
        """Nothing is made yet: the password must not be in the id, so it is made when it is first read."""
        return _NO_ID

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """Make the password.

        The engine reads once, after the create, and keeps the result. A read with a result among the inputs gives it
        back, and so does one with the id of an import.
        """
        return {"result": inputs.get("result") or (random_text(inputs) if id == _NO_ID else id)}

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002
        """The password that is imported must not be in the id."""
        return _NO_ID


class RandomString(_RandomText):
    """A text that is no secret; it is its own id."""

    token = "random:index/randomString:RandomString"  # noqa: S105

    def create(self, aws: Aws, inputs: Properties) -> str:  # noqa: ARG002
        """Make the text."""
        return random_text(inputs)

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The text."""
        return {"result": id}


class RandomId(_Nowhere):
    """Random bytes. Its id is their URL-safe base64 form."""

    token = "random:index/randomId:RandomId"  # noqa: S105
    known = frozenset({"byteLength", "keepers", "prefix"})
    replace_on = known

    def of_id(self, id: str) -> Properties:
        """Imported as ``{prefix},{bytes}``, or without a prefix."""
        prefix, _, text = id.rpartition(",")
        return {"byteLength": len(_decoded(text)), "prefix": prefix or None}

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002
        """Without the prefix."""
        return id.rpartition(",")[2]

    def create(self, aws: Aws, inputs: Properties) -> str:  # noqa: ARG002
        """Make the bytes."""
        return base64.urlsafe_b64encode(secrets.token_bytes(int(inputs["byteLength"]))).decode().rstrip("=")

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The bytes in several forms, each behind the prefix."""
        data = _decoded(id)
        prefix = inputs.get("prefix") or ""
        return {
            "b64Std": prefix + base64.b64encode(data).decode(),
            "b64Url": prefix + id,
            "dec": f"{prefix}{int.from_bytes(data)}",
            "hex": prefix + data.hex(),
        }


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def random_text(inputs: Mapping[str, Any]) -> str:
    """A text of ``length`` characters out of the wanted kinds, with at least so many of each as is asked for."""
    special = inputs.get("overrideSpecial") or _SPECIAL
    kinds = {**_LETTERS, "minSpecial": ("special", special)}
    letters = "".join(characters for kind, characters in kinds.values() if inputs[kind])
    chosen = [secrets.choice(characters) for least, (_, characters) in kinds.items() for _ in range(int(inputs[least]))]
    chosen += [secrets.choice(letters) for _ in range(int(inputs["length"]) - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


HANDLERS: tuple[type[Handler], ...] = (RandomPassword, RandomString, RandomId)
