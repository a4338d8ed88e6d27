"""Values that Pulumi's passphrase provider encrypted, read and written as the Pulumi CLI does.

A stack file holds ``encryptionsalt: v1:<salt>:v1:<nonce>:<ciphertext>``: a salt, and the word ``pulumi`` encrypted
under the passphrase, by which a wrong one is noticed. Each secret value stands as ``secure: v1:<nonce>:<ciphertext>``.
The key is PBKDF2-HMAC-SHA256 of the passphrase, 1,000,000 rounds; the cipher is AES-256-GCM (Pulumi's sources:
``config/crypt.go``, ``secrets/passphrase/manager.go``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from byoc.errors import InputError

_ROUNDS = 1_000_000
_KEY_BYTES = 32
_SALT_BYTES = 8
_NONCE_BYTES = 12
_VERSION = "v1"
_WITNESS = "pulumi"


class PassphraseCrypter:
    """Encrypts and decrypts the values of one stack file."""

    def __init__(self, key: bytes) -> None:
        """``key``: 32 bytes, as :func:`derive_key` gives them."""
        self._cipher = AESGCM(key)

    @classmethod
    def of_salt(cls, encryption_salt: str, passphrase: str) -> PassphraseCrypter:
        """The crypter of a stack file with this ``encryptionsalt``.

        Raises :class:`~byoc.errors.InputError` if the passphrase is another one, or the salt is none.
        """
        version, _, rest = encryption_salt.partition(":")
        salt, _, witness = rest.partition(":")
        if version != _VERSION or not salt or not witness:
            raise InputError(
                "encryptionsalt: not of the form v1:<salt>:v1:<nonce>:<ciphertext>, which Pulumi's passphrase "
                "provider writes; "
                "restore the line from version control"
            )
        crypter = cls(derive_key(passphrase, _decoded(salt, "encryptionsalt")))
        try:
            matches = crypter.decrypt(witness) == _WITNESS
        except InvalidTag:
            matches = False
        if not matches:
            raise InputError(
                "the passphrase does not fit the stack's encryptionsalt; set PULUMI_CONFIG_PASSPHRASE (or the "
                "file that "
                "PULUMI_CONFIG_PASSPHRASE_FILE names) to the one that its secrets were encrypted with"
            )
        return crypter

    def encrypt(self, text: str) -> str:
        """``text`` as ``v1:<nonce>:<ciphertext>``, under a nonce of its own."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return f"{_VERSION}:{_encoded(nonce)}:{_encoded(self._cipher.encrypt(nonce, text.encode(), None))}"

    def decrypt(self, sealed: str) -> str:
        """The text of a ``v1:<nonce>:<ciphertext>``.

        Raises :class:`~byoc.errors.InputError` for text of another form, and
        :class:`cryptography.exceptions.InvalidTag` for what was encrypted under another key or altered since.
        """
        parts = sealed.split(":")
        if len(parts) != 3 or parts[0] != _VERSION:
            raise InputError(
                "a secure value is not of the form v1:<nonce>:<ciphertext>, which Pulumi's passphrase provider writes; "
                "set it again with pulumi config set --secret"
            )
        nonce, ciphertext = _decoded(parts[1], "a secure value"), _decoded(parts[2], "a secure value")
        if len(nonce) != _NONCE_BYTES:
            raise InputError(
                "a secure value's nonce is not 12 bytes long; set it again with pulumi config set --secret"
            )
        return self._cipher.decrypt(nonce, ciphertext, None).decode()


def new_salt(passphrase: str) -> str:
    """An ``encryptionsalt`` for a new stack file, with a random salt."""
    salt = secrets.token_bytes(_SALT_BYTES)
    witness = PassphraseCrypter(derive_key(passphrase, salt)).encrypt(_WITNESS)
    return f"{_VERSION}:{_encoded(salt)}:{witness}"


@lru_cache(maxsize=8)
def derive_key(passphrase: str, salt: bytes) -> bytes:
    """The 32 bytes of the key. It takes about half a second, on purpose; the same pair is computed once per process."""
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, _ROUNDS, _KEY_BYTES)


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(
            f"{what} holds text that is not base64; restore it from version control, or set it again"
        ) from None
