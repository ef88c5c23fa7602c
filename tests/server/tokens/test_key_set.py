"""A key set: only what is a public key for signatures, by an algorithm that fits it, proves anything."""

import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import HMACAlgorithm, RSAAlgorithm

from server.tokens.key_set import KEYS_MAX, SET_BYTES_MAX, BadKeySet, read_key_set
from tests.server.tokens.provider import jwk, private_key

RSA, EC, OKP = (private_key(kind) for kind in ("RSA", "EC", "OKP"))


def read(*keys: Any) -> dict[str, tuple[str, ...]]:
    """The algorithms that each key may be used with, by its id."""
    found = read_key_set(json.dumps({"keys": keys}).encode())
    return {kid: key.algorithms for kid, key in found.items()}


def test_each_type_has_its_algorithms() -> None:
    assert read(jwk(RSA, "r"), jwk(EC, "e"), jwk(OKP, "o")) == {
        "r": ("RS256", "PS256"),
        "e": ("ES256",),
        "o": ("EdDSA",),
    }
    assert read(jwk(RSA, "r", alg="PS256", use=...)) == {"r": ("PS256",)}


@pytest.mark.parametrize(
    "key",
    [
        jwk(RSA, "k", alg="HS256"),
        jwk(RSA, "k", alg="ES256"),
        jwk(RSA, "k", alg="none"),
        jwk(RSA, "k", alg=["RS256"]),
        jwk(EC, "k", alg="RS256"),
        jwk(OKP, "k", alg="ES256"),
        jwk(RSA, "k", use="enc"),
        jwk(RSA, "k", use=None),
        jwk(RSA, "k", key_ops=["sign"]),
        jwk(RSA, "k", key_ops="verify"),
        jwk(RSA, "k", kty="EC"),
        jwk(RSA, "k", kty="oct"),
        jwk(RSA, "k", kty=["RSA"]),
        jwk(EC, "k", crv="P-384"),
        jwk(EC, "k", y=...),
        jwk(EC, "k", x="AAAA"),
        jwk(OKP, "k", crv="X25519"),
        jwk(OKP, "k", x=5),
        jwk(RSA, "k", n="!"),
        jwk(RSA, "k", e="AA"),
        {**jwk(RSA, "k"), "kid": None},
        jwk(RSA, ""),
        jwk(RSA, "k" * 257),
        {**jwk(RSA, "k"), "kid": 5},
        jwk(ec.generate_private_key(ec.SECP384R1()), "k"),
        jwk(ed448.Ed448PrivateKey.generate(), "k"),
        jwk(rsa.generate_private_key(65537, 1024), "k"),
        jwk(RSA, "k", n="A" * 22_000 + "B"),
        {**RSAAlgorithm.to_jwk(RSA, as_dict=True), "kid": "private", "key_ops": ["verify"]},
        {**HMACAlgorithm.to_jwk("x" * 32, as_dict=True), "kid": "secret", "alg": "HS256"},
        "k",
        None,
    ],
    ids=range(32),
)
def test_a_key_that_does_not_fit_is_passed_over(key: Any) -> None:
    assert read(key, jwk(EC, "good")) == {"good": ("ES256",)}
    with pytest.raises(BadKeySet, match="none of its 1 keys"):
        read(key)


def test_of_two_keys_with_one_id_the_first_counts() -> None:
    assert read(jwk(EC, "k"), jwk(RSA, "k")) == {"k": ("ES256",)}


def test_a_set_without_keys_is_a_statement() -> None:
    assert read() == {}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": null}',
        b"\xff",
        b"[" * 100_000,
        b'{"keys": ' + b"[" * 100_000,
        json.dumps({"keys": [jwk(EC, str(number)) for number in range(KEYS_MAX + 1)]}).encode(),
        b'{"keys": []}' + b" " * SET_BYTES_MAX,
    ],
    ids=range(11),
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(BadKeySet):
        read_key_set(document)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(key=st.sampled_from([jwk(RSA, "k"), jwk(EC, "k"), jwk(OKP, "k")]), data=st.data())
def test_whatever_a_member_is_the_answer_is_a_key_set_or_a_refusal(key: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*sorted(key), "alg", "key_ops", "d", "crv"]))
    with suppress(BadKeySet):
        read({**key, name: data.draw(VALUES)})


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_the_answer_is_a_key_set_or_a_refusal(document: bytes) -> None:
    with suppress(BadKeySet):
        read_key_set(document)
