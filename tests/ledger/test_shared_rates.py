"""An owner's rate limit over two ledgers and a real Valkey, which also dies."""

import asyncio
import re
import time

import httpx
import pytest
from redis.asyncio import Redis

from server.allowance import Policy
from server.rate_limits import AGAIN_S
from tests.conftest import StartLedger
from tests.ledger.api import Api, problem
from tests.processes import ServerProcess
from tests.system import System
from tests.valkey import ValkeyServer
from tests.waiting import wait_until

RATE = 20
POLICY = Policy(RATE)
SECONDS = 4.0


async def metric(ledger: ServerProcess, name: str) -> float:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        text = (await client.get(f"{ledger.admin}/metrics")).text
    found = re.search(rf"^stockwire_ledger_{name} (\S+)$", text, re.MULTILINE)
    assert found, f"no metric {name}"
    return float(found[1])


async def is_shared(ledger: ServerProcess) -> bool:
    return await metric(ledger, "rate_limits_shared") == 1


async def is_local(ledger: ServerProcess) -> bool:
    return not await is_shared(ledger)


async def taken_in(seconds: float, *apis: Api) -> tuple[int, float]:
    """Requests that were not refused while each caller sent without a pause, and how long that took."""
    started = time.monotonic()

    async def call(api: Api) -> int:
        taken = 0
        while time.monotonic() - started < seconds:
            taken += (await api.get("/v1/locations/nowhere")).status_code == 404
        return taken

    counts = await asyncio.gather(*(call(api) for api in apis))
    return sum(counts), time.monotonic() - started


async def test_two_ledgers_share_one_owners_limit(start_ledger: StartLedger, system: System) -> None:
    """Beyond the burst and the rate there is at most the documented overshoot for each ledger."""
    first, second = [await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=RATE) for _ in range(2)]
    key = await system.admin_key()
    async with Api(first.url, key) as one, Api(second.url, key) as other:
        taken, seconds = await taken_in(SECONDS, one, other)
    shared = POLICY.quota + RATE * seconds
    assert taken <= shared + 2 * POLICY.overshoot
    assert taken < 2 * shared, "each counted alone"
    assert taken >= RATE * seconds * 0.8, "what the limit allows is not taken away"
    assert await metric(first, "rate_limited_total") > 0
    assert await metric(first, "rate_leases_total") > 0
    assert await is_shared(first)


async def test_owners_do_not_take_from_each_other(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=1)
    async with (
        Api(ledger.url, await system.admin_key()) as noisy,
        Api(ledger.url, await system.key("quiet", "stock:read:*")) as quiet,
    ):
        answers = [await noisy.get("/v1/items") for _ in range(20)]
        assert problem(answers[-1]) == (429, "rate-limited")
        assert (await quiet.get("/v1/items")).is_success


async def test_without_redis_the_limit_is_local_and_then_shared_again(
    start_ledger: StartLedger, private_system: System, private_valkey: ValkeyServer
) -> None:
    ledger = await private_system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=RATE)
    async with Api(ledger.url, await private_system.admin_key()) as api:
        assert (await api.get("/v1/items")).is_success
        private_valkey.kill()

        async def refused_and_local() -> bool:
            await api.get("/v1/items")
            return await is_local(ledger)

        await wait_until(refused_and_local)
        taken, seconds = await taken_in(SECONDS, api)
        assert taken <= POLICY.quota + RATE * seconds + 1, "the limit is local, not absent"
        assert taken >= RATE * seconds * 0.8
        assert await metric(ledger, "rate_failed_total") >= 1
        private_valkey.start()
        await wait_until(lambda: is_shared(ledger))
        leases = await metric(ledger, "rate_leases_total")

        async def leased() -> bool:
            await api.get("/v1/items")
            return await metric(ledger, "rate_leases_total") > leases

        await wait_until(leased)
    log = ledger.stderr()
    assert log.count("rate limits are local") == 1
    assert log.count("rate limits are shared again") == 1


async def test_a_ledger_that_never_found_redis_limits_all_the_same(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=1, STOCKWIRE_REDIS_URL="redis://127.0.0.1:1")
    async with Api(ledger.url, await system.admin_key()) as api:
        answers = [await api.get("/v1/items") for _ in range(20)]
        assert problem(answers[-1]) == (429, "rate-limited")


async def test_a_redis_that_lets_nobody_count_is_told_once(
    start_ledger: StartLedger, system: System, valkey: ValkeyServer
) -> None:
    """It answers pings: the limit would be called shared and local by turns."""
    user = f"few-{system.channel_prefix}"
    async with Redis.from_url(valkey.url) as redis:
        rights = ["+@pubsub", "+@connection"]
        await redis.acl_setuser(user, enabled=True, passwords=["+secret"], channels=["*"], categories=rights)
    few = f"unix://{user}:secret@{valkey.socket}"
    ledger = await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=1, STOCKWIRE_REDIS_URL=few)
    async with Api(ledger.url, await system.admin_key()) as api:
        failed: float = 0
        for _ in range(3):
            await api.get("/v1/items")
            await asyncio.sleep(AGAIN_S)  # how often it asks again is what is looked at
            failed = await metric(ledger, "rate_failed_total")
    assert failed >= 1
    assert ledger.stderr().count("rate limits are local") == 1
    assert "shared again" not in ledger.stderr()


async def test_every_answer_of_an_owner_says_what_is_left(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=RATE, STOCKWIRE_ALLOWED_ORIGINS="https://shop.example")
    async with Api(ledger.url, await system.admin_key()) as api, Api(ledger.url, None) as nobody:
        answer = await api.get("/v1/items", headers={"Origin": "https://shop.example"})
        assert answer.headers["ratelimit-policy"] == f'"owner";q={POLICY.quota};w={POLICY.window_s}'
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(
            answer.headers["access-control-expose-headers"].split(", ")
        )
        assert 0 < left(answer) < POLICY.quota
        for _ in range(200):
            answer = await api.get("/v1/locations/nowhere")
            if answer.status_code == 429:
                break
        assert problem(answer) == (429, "rate-limited")
        assert answer.json()["quota"] == POLICY.quota
        assert answer.json()["window_s"] == POLICY.window_s
        assert int(answer.headers["retry-after"]) == answer.json()["retry_after_s"] >= 1
        assert left(answer) < POLICY.quota
        for refused in (await nobody.get("/v1/items"), await nobody.get("/healthz")):
            assert "ratelimit" not in refused.headers


def left(answer: httpx.Response) -> int:
    found = re.fullmatch(r'"owner";r=(\d+);t=\d+', answer.headers["ratelimit"])
    assert found, answer.headers["ratelimit"]
    return int(found[1])


async def test_without_a_limit_nothing_is_said_and_nothing_is_asked(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=0)
    async with Api(ledger.url, await system.admin_key()) as api:
        answer = await api.get("/v1/items")
    assert answer.is_success
    assert "ratelimit" not in answer.headers
    assert await metric(ledger, "rate_leases_total") == 0


@pytest.mark.parametrize(
    "name", ["LEDGER_CONNECTIONS_MAX", "LEDGER_IN_FLIGHT_MAX", "LEDGER_CONNECTIONS_PER_ADDRESS_MAX"]
)
async def test_a_bound_that_makes_no_sense_stops_the_start(
    system: System, start_ledger: StartLedger, name: str
) -> None:
    with pytest.raises(AssertionError, match=f"STOCKWIRE_{name}=-1 is out of range"):
        await start_ledger(**{f"STOCKWIRE_{name}": -1})
