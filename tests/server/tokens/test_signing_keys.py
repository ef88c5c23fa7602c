"""Signing keys: what one of them signs, its published half proves; the private half is never shown."""

import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from server.tokens.key_set import read_key_set
from server.tokens.signing_keys import SIGNING_KEYS_MAX, BadSigningKey, key_set_of, public_keys_of, read_signing_keys
from tests.server.tokens.provider import pem, private_key, public_pem
from wire.tokens import OURS, Principal, mint, verify

PRINCIPAL = Principal("shop", "ab12cd34ef56", frozenset({"stock:read:berlin"}), int(time.time()) + 10_800)
KINDS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
EC = private_key("EC")


@pytest.mark.parametrize(("kind", "algorithm"), KINDS.items())
def test_the_published_half_proves_what_was_signed(kind: str, algorithm: str) -> None:
    (key,) = read_signing_keys(pem(private_key(kind)))
    published = read_key_set(json.dumps(key_set_of([key])).encode())
    assert key.signer.key_id
    assert published.keys() == {key.signer.key_id}
    for keys in (published, public_keys_of([key])):
        found = keys[key.signer.key_id]
        assert found.algorithms == (algorithm,)
        token = mint(PRINCIPAL, int(time.time()), key.signer)
        assert verify(token, found.key, algorithm, OURS, time.time()) == PRINCIPAL


def test_the_id_of_a_key_follows_from_the_key() -> None:
    """Two ledgers with the same file name it alike (RFC 7638)."""
    first, again = (read_signing_keys(pem(EC))[0] for _ in range(2))
    assert first.signer.key_id == again.signer.key_id == first.public["kid"]
    assert len(first.public["kid"]) == 43


def test_the_first_of_several_signs_and_all_are_published() -> None:
    keys = read_signing_keys(b"# new\n" + pem(EC) + b"\n# old\n" + pem(private_key("RSA")))
    assert [key.signer.algorithm for key in keys] == ["ES256", "RS256"]
    assert len(public_keys_of(keys)) == 2


def test_keys_as_openssl_writes_them_are_read() -> None:
    for key in (EC, private_key("RSA")):
        traditional = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        (read,), (plain,) = read_signing_keys(parameters + traditional), read_signing_keys(pem(key))
        assert read.public == plain.public


def test_nothing_private_is_shown() -> None:
    (key,) = read_signing_keys(pem(EC))
    private = EC.private_numbers().private_value
    assert "d" not in key.public
    assert "PrivateKey" not in repr(key)
    assert str(private) not in repr(key)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        public_pem(EC),
        pem(EC)[:-40],
        pem(EC).replace(b"M", b"N"),
        pem(EC) * (SIGNING_KEYS_MAX + 1),
        pem(rsa.generate_private_key(65537, 1024)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")),
    ],
    ids=range(9),
)
def test_a_file_that_holds_no_usable_key_is_refused_and_not_shown(content: bytes) -> None:
    with pytest.raises(BadSigningKey) as refused:
        read_signing_keys(content)
    assert "BEGIN" not in str(refused.value)
    assert content.hex()[-60:-2] not in str(refused.value) or not content
