"""Reads over HTTP are limited: each owner over all hubs, whoever shows no key by the address."""

import asyncio
import re
import time

import httpx
import pytest

from server.allowance import Policy
from tests.hub.reader import client, in_memory, read_port
from tests.hub.test_read_openapi import NAMES, status
from tests.system import System

RATE = 20
POLICY = Policy(RATE)
SECONDS = 5.0
READ, PUBLIC = "stock:read:berlin", "/v1/availability/berlin/A"


async def limited(reader: httpx.AsyncClient, path: str) -> httpx.Response:
    """The first answer that says so."""
    for _ in range(3 * POLICY.quota):
        answer = await reader.get(path)
        if answer.status_code == 429:
            return answer
    raise AssertionError(f"{3 * POLICY.quota} reads at once were all answered")


@pytest.mark.parametrize("name", NAMES)
async def test_an_owner_over_its_rate_meets_429_on_every_path(name: str) -> None:
    async with read_port(rate_per_s=RATE) as app, in_memory(app) as reader:
        answer = await limited(reader, "/v1/levels?limit=0")
        assert await status(reader, name, "berlin") == 429
    problem = answer.json()
    assert problem["type"] == "rate-limited"
    assert (problem["quota"], problem["window_s"]) == (POLICY.quota, POLICY.window_s)
    assert int(answer.headers["retry-after"]) == problem["retry_after_s"] >= 1
    assert answer.headers["ratelimit-policy"] == f'"owner";q={POLICY.quota};w={POLICY.window_s}'
    assert re.fullmatch(r'"owner";r=\d+;t=1', answer.headers["ratelimit"])


async def test_two_hubs_share_one_owners_limit_and_anybody_has_that_of_the_address(system: System) -> None:
    await system.start_ledger()
    for _ in range(2):
        await system.start_hub(STOCKWIRE_HUB_PUBLIC_LOCATIONS="berlin", STOCKWIRE_HUB_RATE_PER_S=RATE)
    first, second = system.hubs
    await a_shared_cache_learns_nothing(first.url)
    async with client(first.url, READ) as one, client(second.url, READ) as other:
        taken, seconds = await taken_in(SECONDS, "/v1/levels/berlin/A", one, other)
    shared = POLICY.quota + RATE * seconds
    assert taken <= shared + 2 * POLICY.overshoot
    assert taken < 2 * shared, "each counted alone"
    assert taken >= RATE * seconds * 0.8, "what the limit allows is not taken away"
    metrics = [await _metrics(hub.admin) for hub in system.hubs]
    await anybody_is_limited(first.url)
    assert all(one["rate_limited_total"] > 0 and one["rate_leases_total"] > 0 for one in metrics)
    assert [one["rate_limits_shared"] for one in metrics] == [1, 1]


async def a_shared_cache_learns_nothing(url: str) -> None:
    """Of who asked, and how much they have left."""
    async with client(url) as anybody, client(url, "stock:public:berlin") as known, client(url, READ) as other:
        for reader in (anybody, known):
            answer = await reader.get(PUBLIC)
            assert answer.headers["cache-control"].startswith("public")
            assert "ratelimit" not in answer.headers
        assert "ratelimit" in (await other.get("/v1/levels/berlin/A")).headers


async def anybody_is_limited(url: str) -> None:
    """By the address: another one is another's."""
    elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2", verify=False)
    async with client(url) as noisy, httpx.AsyncClient(transport=elsewhere, base_url=url) as quiet:
        answer = await limited(noisy, PUBLIC)
        assert answer.json()["detail"].startswith("an address without a key may send")
        assert answer.headers["ratelimit-policy"] == f'"address";q={POLICY.quota};w={POLICY.window_s}'
        assert re.fullmatch(r'"address";r=\d+;t=1', answer.headers["ratelimit"])
        assert (await quiet.get(PUBLIC)).is_success


async def taken_in(wanted_s: float, path: str, *readers: httpx.AsyncClient) -> tuple[int, float]:
    """Reads that were not refused while each reader asked without a pause, and how long that took."""
    started = time.monotonic()

    async def ask(reader: httpx.AsyncClient) -> int:
        taken = 0
        while time.monotonic() - started < wanted_s:
            taken += (await reader.get(path)).is_success
        return taken

    counts = await asyncio.gather(*(ask(reader) for reader in readers))
    return sum(counts), time.monotonic() - started


async def _metrics(admin: str) -> dict[str, float]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as reader:
        text = (await reader.get(f"{admin}/metrics")).text
    return {name: float(value) for name, value in re.findall(r"^stockwire_hub_(rate_\w+) (\S+)$", text, re.MULTILINE)}
