"""Fetched keys: kept when the issuer fails, fetched again when it changes, never in a stampede."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from server.errors import KeysUnavailable
from server.tokens.endpoint import Endpoint
from server.tokens.key_set import SET_BYTES_MAX
from server.tokens.keys import FetchedKeys
from tests.harness.waiting import wait_until
from tests.server.tokens.provider import IdentityProvider, answer, identity_provider, jwk, private_key

OLD, NEW = jwk(private_key("EC", "old"), "old"), jwk(private_key("EC", "new"), "new")
GOOD = b'{"keys": []}'


@asynccontextmanager
async def keys_of(provider: IdentityProvider, **times: Any) -> AsyncIterator[FetchedKeys]:
    keys = FetchedKeys("provider", Endpoint(provider.url), **times)
    running = asyncio.ensure_future(keys.run())
    try:
        yield keys
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_whoever_comes_before_the_first_keys_waits_for_them() -> None:
    async with identity_provider(OLD) as provider:
        provider.held.clear()
        async with keys_of(provider) as keys:
            waiting = [asyncio.ensure_future(keys.find("old")) for _ in range(100)]
            await wait_until(lambda: asked(provider, 1))
            provider.held.set()
            assert all(await asyncio.gather(*waiting))
        assert provider.requests == 1


async def test_a_thousand_unknown_ids_cause_one_fetch() -> None:
    async with identity_provider(OLD) as provider, keys_of(provider) as keys:
        assert await keys.find("old")
        found = await asyncio.gather(*(keys.find(f"unknown-{number}") for number in range(1_000)))
        assert set(found) == {None}
        assert provider.requests == 2
        assert await keys.find("another") is None
        assert provider.requests == 2


async def test_a_new_key_is_found_at_once_and_an_old_one_forgotten() -> None:
    async with identity_provider(OLD) as provider, keys_of(provider) as keys:
        assert await keys.find("old")
        provider.keys = [NEW]
        assert await keys.find("new")
        assert await keys.find("old") is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        answer(GOOD, "404 Not Found"),
        answer(GOOD, "500 Internal Server Error"),
        answer(b"", "302 Found", "Location: https://login.example/keys"),
        answer(b"", "307 Temporary Redirect", "Location: /keys"),
        answer(GOOD + b" " * SET_BYTES_MAX),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b" " * 65_535 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        answer(gzip.compress(b" " * 10_000_000), "200 OK", "Content-Encoding: gzip"),
        answer(b"<html>"),
        answer(b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "old", "alg": "HS256"}]}'),
    ],
    ids=range(12),
)
async def test_the_last_good_keys_stay_whatever_the_issuer_answers(raw: bytes) -> None:
    async with identity_provider(OLD) as provider, keys_of(provider, refresh_s=0.02, again_s=0.02) as keys:
        assert await keys.find("old")
        provider.raw = raw or b"\r\n"
        await wait_until(lambda: failed(keys, 2))
        assert await keys.find("old")
        with pytest.raises(KeysUnavailable):
            await keys.find("new")
        provider.raw, provider.keys = None, [OLD, NEW]
        await wait_until(lambda: present(keys, "new"))


async def test_an_issuer_that_is_down_or_silent_keeps_nobody_waiting_who_has_a_key() -> None:
    async with identity_provider(OLD) as provider, keys_of(provider, refresh_s=0.02, again_s=0.02) as keys:
        assert await keys.find("old")
        provider.held.clear()
        seen = provider.requests
        await wait_until(lambda: asked(provider, seen + 1))
        failures = keys.failures
        assert await keys.find("old")
        assert keys.failures == failures, "it has waited for the fetch that is under way"
        with pytest.raises(KeysUnavailable):  # in FETCH_S
            await keys.find("new")
        await provider.stop()
        provider.held.set()
        await wait_until(lambda: failed(keys, 2))
        assert await keys.find("old")


async def test_without_any_keys_it_says_that_it_cannot_say() -> None:
    async with identity_provider() as provider:
        provider.raw = answer(b"", "503 Service Unavailable")
        async with keys_of(provider) as keys:
            with pytest.raises(KeysUnavailable):
                await keys.find("old")


async def asked(provider: IdentityProvider, times: int) -> bool:
    return provider.requests >= times


async def failed(keys: FetchedKeys, times: int) -> bool:
    return keys.failures >= times


async def present(keys: FetchedKeys, key_id: str) -> bool:
    with suppress(KeysUnavailable):
        return await keys.find(key_id) is not None
    return False
