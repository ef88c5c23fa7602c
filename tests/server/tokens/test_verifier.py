"""Attacks on tokens of an identity provider: each meets BadToken, and nobody is asked but the issuer."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import jwt
import pytest

from server.tokens.key_set import ALGORITHMS
from server.tokens.keys import FixedKeys
from server.tokens.signing_keys import public_keys_of, read_signing_keys
from server.tokens.token_settings import Provider
from server.tokens.verifier import Verifier
from tests.server.tokens.provider import (
    ISSUER,
    IdentityProvider,
    identity_provider,
    jwk,
    pem,
    private_key,
    public_pem,
    token,
)
from wire.tokens import BadToken, ExpiredToken, Issuer, Principal, mint, shared_secret

RSA, EC, OKP, ATTACKER = private_key("RSA"), private_key("EC"), private_key("OKP"), private_key("RSA", "attacker")
OURS = Issuer("stockwire", ISSUER.audience, names_key=True)
(SIGNING,) = read_signing_keys(pem(private_key("EC", "ledger")))
READ = "stock:read:berlin"
NOW = int(time.time())


@asynccontextmanager
async def verifier(provider: IdentityProvider, *algorithms: str) -> AsyncIterator[Verifier]:
    settings = Provider(provider.url, ISSUER, algorithms or ALGORITHMS, OURS)
    verifier = Verifier(settings, FixedKeys(public_keys_of([SIGNING])))
    running = asyncio.ensure_future(verifier.run())
    try:
        yield verifier
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def confused(public: bytes, kid: str, algorithm: str = "HS256") -> str:
    """Signed with the public key's text as if it were a shared secret: by hand, since PyJWT refuses to."""
    claims = {"iss": ISSUER.name, "aud": ISSUER.audience, "sub": "x", "exp": NOW + 3_600, "scope": READ}
    parts = [{"alg": algorithm, "kid": kid, "typ": "JWT"}, claims]
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(public, signed, hashlib.sha256)).rstrip(b"=")
    return (signed + b"." + signature).decode()


def ours(**change: Any) -> str:
    principal = Principal("shop", "ab12cd34ef56", frozenset({READ}), NOW + 3_600)
    return mint(principal, NOW, change.get("signer", SIGNING.signer), change.get("issuer", OURS))


async def test_good_tokens_of_both_issuers_say_who_is_there() -> None:
    keys = jwk(RSA, "r"), jwk(EC, "e"), jwk(OKP, "o")
    async with identity_provider(*keys) as provider, verifier(provider) as verify:
        for key, algorithm, kid in ((RSA, "RS256", "r"), (RSA, "PS256", "r"), (EC, "ES256", "e"), (OKP, "EdDSA", "o")):
            found = await verify.principal(token(key, algorithm, kid, READ, exp=NOW + 3_600))
            assert found == Principal("visitor", None, frozenset({READ}), NOW + 3_600)
        assert (await verify.principal(ours())).key == "ab12cd34ef56"
        with pytest.raises(ExpiredToken):
            await verify.principal(token(RSA, "RS256", "r", READ, exp=NOW - 1))


def swapped(good: str, other: str) -> str:
    """Head and signature of one, claims of the other."""
    head, _, signature = good.split(".")
    return f"{head}.{other.split('.')[1]}.{signature}"


FORGED = {
    "alg none": token(None, "none", "r", READ),
    "alg none, empty kid": token(None, "none", "", READ),
    "public key as secret": confused(public_pem(RSA), "r"),
    "public key as secret, without its end of line": confused(public_pem(RSA).strip(), "r"),
    "public key of the ledger as secret": confused(public_pem(private_key("EC", "ledger")), "r"),
    "public key as secret, under the right algorithm": confused(public_pem(RSA), "r", "RS256"),
    "a shared secret": mint(Principal("x", "k", frozenset({READ}), NOW + 3_600), NOW, shared_secret("x" * 32), ISSUER),
    "another key": token(ATTACKER, "RS256", "r", READ),
    "another algorithm than the key's": token(RSA, "PS256", "only-rs256", READ),
    "another kind than the key": token(EC, "ES256", "r", READ),
    "an algorithm that is not listed": token(RSA, "RS512", "r", READ),
    "no kid": token(RSA, "RS256", None, READ),
    "empty kid": token(RSA, "RS256", "", READ),
    "unknown kid": token(RSA, "RS256", "nobody", READ),
    "kid that is a path": token(ATTACKER, "RS256", "../../../../dev/null", READ),
    "kid that is SQL": token(ATTACKER, "RS256", "r' or '1'='1", READ),
    "kid that is an address": token(ATTACKER, "RS256", "http://127.0.0.1:1/keys#r", READ),
    "kid of the ledger": token(ATTACKER, "RS256", SIGNING.signer.key_id, READ),
    "iss of another": token(RSA, "RS256", "r", READ, iss="https://evil.example/"),
    "iss almost": token(RSA, "RS256", "r", READ, iss=ISSUER.name.rstrip("/")),
    "no iss": token(RSA, "RS256", "r", READ, iss=...),
    "aud of another": token(RSA, "RS256", "r", READ, aud="other.example"),
    "aud a list of others": token(RSA, "RS256", "r", READ, aud=["other.example", "third.example"]),
    "aud empty": token(RSA, "RS256", "r", READ, aud=[]),
    "no aud": token(RSA, "RS256", "r", READ, aud=...),
    "no exp": token(RSA, "RS256", "r", READ, exp=...),
    "not yet": token(RSA, "RS256", "r", READ, nbf=NOW + 360_000),
    "no sub": token(RSA, "RS256", "r", READ, sub=...),
    "the provider as the ledger": token(RSA, "RS256", "r", READ, iss="stockwire", key="ab12cd34ef56", iat=NOW),
    "the ledger as the provider": ours(issuer=ISSUER),
    "a ledger of another system": ours(signer=read_signing_keys(pem(private_key("EC", "other")))[0].signer),
    "a ledger's for another audience": ours(issuer=Issuer("stockwire", "other.example", names_key=True)),
    "the claims of another": swapped(token(RSA, "RS256", "r", READ), token(RSA, "RS256", "r", "stock:read:*")),
}


async def test_forged_tokens_open_nothing() -> None:
    keys = jwk(RSA, "r"), jwk(RSA, "only-rs256", alg="RS256"), jwk(EC, "e")
    async with identity_provider(*keys) as provider, verifier(provider) as verify:
        assert (await verify.principal(token(RSA, "RS256", "r", READ))).owner == "visitor"
        for name, forged in FORGED.items():
            with pytest.raises(BadToken):
                pytest.fail(f"{name}: {await verify.principal(forged)}")
        assert provider.requests == 2, "the first keys, and once for an unknown id"


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
async def test_keys_that_a_token_brings_along_are_not_looked_at(name: str) -> None:
    async with identity_provider(jwk(RSA, "r")) as provider, identity_provider(jwk(ATTACKER, "r")) as evil:
        brought = {"jku": evil.url, "x5u": evil.url, "jwk": jwk(ATTACKER, "r"), "x5c": ["MIIB"]}[name]
        async with verifier(provider) as verify:
            for kid in ("r", "evil"):
                with pytest.raises(BadToken):
                    await verify.principal(token(ATTACKER, "RS256", kid, READ, headers={name: brought}))
            assert await verify.principal(token(RSA, "RS256", "r", READ, headers={name: brought}))
        assert evil.requests == 0


async def test_an_algorithm_that_is_not_chosen_is_not_taken() -> None:
    async with identity_provider(jwk(RSA, "r"), jwk(EC, "e")) as provider, verifier(provider, "ES256") as verify:
        assert await verify.principal(token(EC, "ES256", "e", READ))
        with pytest.raises(BadToken, match="alg must be one of ES256"):
            await verify.principal(token(RSA, "RS256", "r", READ))
        assert await verify.principal(ours())


async def test_a_token_whose_issuer_is_a_list_is_bad() -> None:
    signed = jwt.PyJWS().encode(
        json.dumps({"iss": [ISSUER.name], "aud": ISSUER.audience, "sub": "x", "exp": NOW + 60}).encode(),
        RSA,
        algorithm="RS256",
        headers={"kid": "r"},
    )
    async with identity_provider(jwk(RSA, "r")) as provider, verifier(provider) as verify:
        with pytest.raises(BadToken):
            await verify.principal(signed)
