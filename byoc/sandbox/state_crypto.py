"""Encryption of the secrets in a sandbox's state: AES-256-GCM under a key that never leaves the sandbox's folder."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from byoc.errors import ByocError

_KEY_BYTES = 32
_NONCE_BYTES = 12


class StateCrypter:
    """Encrypts and decrypts single values."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of_folder(cls, folder: Path) -> StateCrypter:
        """The crypter of a sandbox folder; makes its key file (mode 0600) on first use."""
        path = folder / "state.key"
        try:
            return cls(base64.b64decode(path.read_bytes()))
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"state.key.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)))
        try:
            os.link(draft, path)  # the first process wins; every other one reads its key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return cls(base64.b64decode(path.read_bytes()))

    def encrypt(self, text: str) -> str:
        """``text``, encrypted under a nonce of its own."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), None)).decode()

    def decrypt(self, sealed: str) -> str:
        """The text that :meth:`encrypt` was given; ``ByocError`` if it was encrypted under another key."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
        except InvalidTag:
            raise ByocError(
                "the sandbox's state was encrypted under another key than its state.key; "
                "'byoc sandbox stop' and 'byoc sandbox start' begin afresh"
            ) from None
