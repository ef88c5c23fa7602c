"""A system whose tokens are an identity provider's: ledger and hub take them, and those that a ledger signs itself."""

import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.harness.api_keys import make_token
from tests.harness.stream import open_stream
from tests.harness.system import ProcessSystem, System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.hub.shop import Shop
from tests.ledger.api import Api, problem
from tests.server.tls.certificates import Authority
from tests.server.tokens.provider import (
    ISSUER,
    IdentityProvider,
    identity_provider,
    jwk,
    pem,
    private_key,
    token,
)

RSA, NEW, LEDGER = private_key("RSA"), private_key("EC", "new"), private_key("EC", "ledger")
READ = "stock:read:berlin"


async def start(system: System, provider: IdentityProvider, signing_key: Path | None, **environment: object) -> None:
    settings: dict[str, Any] = {
        **environment,
        "STOCKWIRE_TOKEN_SECRET": None,
        "STOCKWIRE_TOKEN_JWKS_URL": provider.url,
        "STOCKWIRE_TOKEN_ISSUER": ISSUER.name,
        "STOCKWIRE_TOKEN_AUDIENCE": ISSUER.audience,
    }
    await system.start_ledger(**settings, STOCKWIRE_TOKEN_SIGNING_KEY_FILE=signing_key)
    await system.start_hub(**settings)


@pytest.fixture
def signing_key(tmp_path: Path) -> Path:
    file = tmp_path / "signing.pem"
    file.write_bytes(pem(LEDGER))
    return file


async def test_a_providers_token_opens_what_it_says_and_nothing_else(system: System) -> None:
    async with identity_provider(jwk(RSA, "r")) as provider:
        await start(system, provider, None)
        await Shop(system).open("berlin", "A", on_hand=3)
        good = token(RSA, "RS256", "r", READ, "admin", "hub")
        async with Api(system.ledger_url, good) as visitor:
            assert (await visitor.get("/v1/levels/berlin/A")).json()["on_hand"] == 3
            assert problem(await visitor.get("/v1/levels/paris/A")) == (403, "forbidden")
            assert problem(await visitor.get("/v1/keys")) == (403, "forbidden")
            assert problem(await visitor.post("/v1/keys/introspect", {"id": "x"})) == (403, "forbidden")
            assert problem(await visitor.post("/v1/tokens", {"scopes": [READ]})) == (401, "unauthorized")
        async with open_stream(system.hubs[0].stream, good) as stream:
            _, snapshot = await stream.subscribe("berlin")
            assert [level["on_hand"] for level in snapshot["levels"]] == [3]
            await stream.request("subscribe", location="paris")
            assert (await stream.expect("error"))["code"] == "forbidden"
            await stream.request("refresh", token=token(RSA, "RS256", "r", READ))
            await stream.expect("refreshed")
        bad = {
            "expired": token(RSA, "RS256", "r", READ, exp=int(time.time()) - 1),
            "none": token(None, "none", "r", READ),
            "another audience": token(RSA, "RS256", "r", READ, aud=["other.example"]),
            "another issuer": token(RSA, "RS256", "r", READ, iss="https://evil.example/"),
            "another key": token(private_key("RSA", "attacker"), "RS256", "r", READ),
            "no end": token(RSA, "RS256", "r", READ, exp=...),
            "a shared secret": make_token(READ),
            "kid that is a path": token(RSA, "RS256", "../r", READ),
        }
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            for name, forged in bad.items():
                headers = {"Authorization": f"Bearer {forged}"}
                for url in (f"{system.ledger_url}/v1/items", f"{system.hubs[0].url}/v1/levels?location=berlin"):
                    assert (await http.get(url, headers=headers)).status_code == 401, (name, url)
                async with open_stream(system.hubs[0].stream) as stream:
                    await stream.request("connect", token=forged)
                    assert await stream.closed() == (4104 if name == "expired" else 4001), name


async def test_a_stream_ends_with_its_token_however_it_was_signed(system: System, signing_key: Path) -> None:
    async with identity_provider(jwk(RSA, "r")) as provider:
        await start(system, provider, signing_key)
        url = system.hubs[0].stream
        key = await system.key("shop", READ)
        async with Api(system.ledger_url, key) as shop:
            minted = (await shop.post("/v1/tokens", {"scopes": [READ], "ttl_s": 600})).json()["token"]
        lasts = token(RSA, "RS256", "r", READ, exp=int(time.time()) + 10**9)
        async with open_stream(url, lasts) as lasting, open_stream(url, minted) as of_key, open_stream(url) as ending:
            # should the machine stand still here, it is refused with the same code
            await ending.request("connect", token=token(RSA, "RS256", "r", READ, exp=int(time.time()) + 3))
            assert await ending.closed() == 4104
            await Shop(system).revoke(key)
            assert await of_key.closed() == 4001
            await lasting.subscribe("berlin", ["A"])


async def test_a_ledger_signs_tokens_that_everybody_can_check(system: System, signing_key: Path) -> None:
    async with identity_provider(jwk(RSA, "r")) as provider:
        await start(system, provider, signing_key)
        async with Api(system.ledger_url, await system.key("shop", READ)) as shop:
            minted = (await shop.post("/v1/tokens", {"scopes": [READ]})).json()["token"]
            answer = await shop.get("/.well-known/jwks.json")
            assert answer.headers["cache-control"] == "public, max-age=300"
            assert "d" not in answer.json()["keys"][0]
            published = jwt.PyJWKSet.from_dict(answer.json())[jwt.get_unverified_header(minted)["kid"]]
            claims = jwt.decode(minted, published, algorithms=["ES256"], audience=ISSUER.audience, issuer="stockwire")
            assert (claims["sub"], claims["scope"]) == ("shop", READ)
        async with Api(system.ledger_url, minted) as browser:
            assert (await browser.get("/v1/items")).is_success
        async with open_stream(system.hubs[0].stream, minted) as stream:
            await stream.subscribe("berlin", ["A"])
        provided = token(RSA, "RS256", "r", READ, iss="stockwire", key="testkey", iat=int(time.time()))
        async with Api(system.ledger_url, provided) as thief:
            assert problem(await thief.get("/v1/items")) == (401, "unauthorized")


async def test_a_ledger_without_a_signing_key_says_which_setting_is_missing(system: System) -> None:
    async with identity_provider(jwk(RSA, "r")) as provider:
        await start(system, provider, None)
        async with Api(system.ledger_url, await system.key("shop", READ)) as shop:
            answer = await shop.post("/v1/tokens", {"scopes": [READ]})
            assert problem(answer) == (501, "not-configured")
            assert answer.json()["setting"] == "STOCKWIRE_TOKEN_SIGNING_KEY_FILE"
            assert (await shop.get("/.well-known/jwks.json")).json() == {"keys": []}


async def test_a_new_key_is_taken_while_running_and_a_provider_that_is_down_disturbs_nobody(system: System) -> None:
    async with identity_provider(jwk(RSA, "r")) as provider:
        await start(system, provider, None)
        old, new = token(RSA, "RS256", "r", READ), token(NEW, "ES256", "n", READ)
        async with open_stream(system.hubs[0].stream, old) as stream:
            provider.keys.append(jwk(NEW, "n"))
            await stream.request("refresh", token=new)
            await stream.expect("refreshed")
            assert await status(system, new) == [200, 200]
            await provider.stop()
            assert await status(system, old) == [200, 200]
            assert await status(system, token(NEW, "ES256", "unknown", READ)) == [401, 401]
            await stream.subscribe("berlin", ["A"])


@pytest.mark.parametrize(
    ("named", "trusted", "believed"),
    [((), "shown", True), ((), "another", False), (("login.example",), "shown", False)],
    ids=["known", "of an unknown authority", "of another host"],
)
async def test_a_provider_is_believed_by_its_certificate(
    process_system: ProcessSystem, tmp_path: Path, named: tuple[str, ...], trusted: str, believed: bool
) -> None:
    """In processes: SSL_CERT_FILE is OpenSSL's own, and of the whole process."""
    system = process_system
    authorities = {"shown": Authority(tmp_path / "shown", *named), "another": Authority(tmp_path / "another")}
    async with identity_provider(jwk(RSA, "r"), tls=authorities["shown"].showing()) as provider:
        await start(system, provider, None, SSL_CERT_FILE=authorities[trusted].file)
        assert await status(system, token(RSA, "RS256", "r", READ)) == ([200, 200] if believed else [503, 503])
        assert (provider.requests > 0) == believed
        for process in (*system.ledgers, *system.hubs):
            assert ("CERTIFICATE_VERIFY_FAILED" in process.stderr()) != believed


async def test_before_a_provider_answers_tokens_cannot_be_checked_and_keys_can(system: System) -> None:
    provider = IdentityProvider()
    await provider.start()
    await provider.stop()
    await start(system, provider, None)
    provider.keys.append(jwk(RSA, "r"))
    good = token(RSA, "RS256", "r", READ)
    assert await status(system, good) == [503, 503]
    assert await status(system, await system.admin_key()) == [200, 200]
    await provider.start()
    try:
        await wait_until(lambda: both_good(system, good))
    finally:
        await provider.stop()


async def both_good(system: System, credential: str) -> bool:
    return await status(system, credential) == [200, 200]


async def status(system: System, credential: str) -> list[int]:
    """What ledger and hub answer."""
    urls = (f"{system.ledger_url}/v1/items", f"{system.hubs[0].url}/v1/levels?location=berlin")
    async with httpx.AsyncClient(
        trust_env=False, verify=False, headers={"Authorization": f"Bearer {credential}"}
    ) as http:
        return [(await http.get(url, timeout=PATIENCE_S)).status_code for url in urls]
