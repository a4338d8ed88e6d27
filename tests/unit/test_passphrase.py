from __future__ import annotations

import base64

import pytest
from cryptography.exceptions import InvalidTag

from byoc.errors import ByocError
from byoc.project.passphrase import PassphraseCrypter, derive_key, new_salt

# Written with the crypter of Pulumi's own Go SDK (sdk/v3 3.190, resource/config), not with the code under test.
PULUMI_PASSPHRASE = "a passphrase for tests"
PULUMI_SALT = "v1:YnlvY2RlbW8=:v1:ZsPlD3NOMIzqJG0t:g7jANv7BlrqEzIvvbnhfalqHFNGQRQ=="
PULUMI_VALUE = "v1:pfh3ViWIslZuYIb7:C5sqyHJAoFcA0OnS2JuQufJ7/F2xpL76TLVzi+p/KxTb"


@pytest.fixture(scope="module")
def crypter() -> PassphraseCrypter:
    return PassphraseCrypter.of_salt(PULUMI_SALT, PULUMI_PASSPHRASE)


def test_a_salt_that_pulumi_wrote_is_accepted_with_its_passphrase(crypter: PassphraseCrypter) -> None:
    witness = PULUMI_SALT.split(":", 2)[2]
    assert crypter.decrypt(witness) == "pulumi"


def test_a_value_that_pulumi_encrypted_is_decrypted(crypter: PassphraseCrypter) -> None:
    assert crypter.decrypt(PULUMI_VALUE) == 'grüße, "quoted"'


def test_what_is_encrypted_comes_back(crypter: PassphraseCrypter) -> None:
    for text in ("", "secret", '{"KEY": "välue"}', "x" * 10_000):
        sealed = crypter.encrypt(text)
        version, nonce, ciphertext = sealed.split(":")
        assert version == "v1"
        assert len(base64.b64decode(nonce)) == 12
        assert text not in ciphertext or not text
        assert crypter.decrypt(sealed) == text


def test_the_same_text_is_never_encrypted_alike_twice(crypter: PassphraseCrypter) -> None:
    assert crypter.encrypt("secret") != crypter.encrypt("secret")


def test_a_new_salt_has_pulumis_form_and_opens_with_its_passphrase_alone() -> None:
    salt = new_salt("byoc-demo")
    parts = salt.split(":")
    assert [parts[0], parts[2], len(parts)] == ["v1", "v1", 5]
    assert len(base64.b64decode(parts[1])) == 8
    assert PassphraseCrypter.of_salt(salt, "byoc-demo").decrypt(salt.split(":", 2)[2]) == "pulumi"
    with pytest.raises(ByocError, match="PULUMI_CONFIG_PASSPHRASE"):
        PassphraseCrypter.of_salt(salt, "another")


def test_a_wrong_passphrase_is_said_so_without_showing_it() -> None:
    with pytest.raises(ByocError, match="the passphrase does not fit the stack's encryptionsalt") as caught:
        PassphraseCrypter.of_salt(PULUMI_SALT, "not-this-one")
    assert "not-this-one" not in str(caught.value)


@pytest.mark.parametrize(
    "salt", ["", "v1", "v2:a:b", "v1::v1:a:b", "v1:YnlvY2RlbW8=", "v1:YnlvY2RlbW8=:", "v1:***:v1:a:b"]
)
def test_a_damaged_salt_is_said_so(salt: str) -> None:
    with pytest.raises(ByocError, match="restore"):
        PassphraseCrypter.of_salt(salt, PULUMI_PASSPHRASE)


@pytest.mark.parametrize("sealed", ["", "plain", "v2:AAAA:AAAA", "v1:AAAA", "v1:AAAA:AAAA", "v1:***:AAAA", "v1:a:b:c"])
def test_a_value_of_another_form_is_said_so(crypter: PassphraseCrypter, sealed: str) -> None:
    with pytest.raises(ByocError, match="set it again"):
        crypter.decrypt(sealed)


def test_an_altered_value_is_noticed(crypter: PassphraseCrypter) -> None:
    version, nonce, ciphertext = crypter.encrypt("secret").split(":")
    raw = bytearray(base64.b64decode(ciphertext))
    raw[0] ^= 1
    with pytest.raises(InvalidTag):
        crypter.decrypt(":".join((version, nonce, base64.b64encode(raw).decode())))


def test_the_key_is_derived_once_for_a_passphrase_and_salt() -> None:
    before = derive_key.cache_info().hits
    derive_key(PULUMI_PASSPHRASE, b"12345678")
    derive_key(PULUMI_PASSPHRASE, b"12345678")
    assert derive_key.cache_info().hits > before
    assert len(derive_key(PULUMI_PASSPHRASE, b"12345678")) == 32
