"""Reads over HTTP are limited: each owner over all hubs, whoever shows no key by the address."""

import re
from functools import partial

import httpx
import pytest

from server.rates.allowance import Policy
from tests.harness.rate_rounds import taken_at
from tests.harness.system import System
from tests.harness.waiting import wait_until
from tests.hub.reader import client, in_memory, read_port
from tests.hub.reads.test_openapi import OF_LEVELS, status

RATE = 10
POLICY = Policy(RATE)
TRIES_MAX = 20 * POLICY.quota
READ, PUBLIC = "stock:read:berlin", "/v1/availability/berlin/A"


async def limited(reader: httpx.AsyncClient, path: str) -> httpx.Response:
    """The first answer that says so."""
    for _ in range(TRIES_MAX):
        answer = await reader.get(path)
        if answer.status_code == 429:
            return answer
    raise AssertionError(f"{TRIES_MAX} reads at once were all answered")


@pytest.mark.parametrize("name", OF_LEVELS)
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
    await system.await_fresh()
    await a_shared_cache_learns_nothing(first.url)
    async with client(first.url, READ) as one, client(second.url, READ) as other:
        taken, seconds = await taken_at(partial(is_taken, one), partial(is_taken, other))
    assert taken <= POLICY.quota + RATE * seconds + 2 * POLICY.overshoot
    metrics = [await _metrics(hub.admin) for hub in system.hubs]
    await anybody_is_limited(first.url)
    assert all(one["rate_limited_total"] > 0 and one["rate_leases_total"] > 0 for one in metrics)
    await wait_until(partial(are_shared, system))


async def a_shared_cache_learns_nothing(url: str) -> None:
    """Of who asked, and how much they have left."""
    async with client(url) as anybody, client(url, "stock:public:berlin") as known:
        for reader, control in ((anybody, "public"), (known, "private")):
            answer = await reader.get(PUBLIC)
            assert answer.headers["cache-control"].startswith(control)
            assert ("ratelimit" in answer.headers) is (control == "private")


async def anybody_is_limited(url: str) -> None:
    """By the address: another one is another's."""
    elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2", verify=False)
    async with client(url) as noisy, httpx.AsyncClient(transport=elsewhere, base_url=url) as quiet:
        answer = await limited(noisy, PUBLIC)
        assert answer.json()["detail"].startswith("an address without a key may send")
        assert answer.headers["ratelimit-policy"] == f'"address";q={POLICY.quota};w={POLICY.window_s}'
        assert re.fullmatch(r'"address";r=\d+;t=1', answer.headers["ratelimit"])
        assert (await quiet.get(PUBLIC)).is_success


async def is_taken(reader: httpx.AsyncClient) -> bool:
    return (await reader.get("/v1/levels/berlin/A")).is_success


async def are_shared(system: System) -> bool:
    return all([(await _metrics(hub.admin))["rate_limits_shared"] == 1 for hub in system.hubs])


async def _metrics(admin: str) -> dict[str, float]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as reader:
        text = (await reader.get(f"{admin}/metrics")).text
    return {name: float(value) for name, value in re.findall(r"^stockwire_hub_(rate_\w+) (\S+)$", text, re.MULTILINE)}
