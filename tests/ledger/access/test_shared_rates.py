"""An owner's rate limit over two ledgers and a real Valkey, which also dies."""

import re
from functools import partial

import httpx
from redis.asyncio import Redis

from server.rates.allowance import Policy
from tests.conftest import StartLedger
from tests.harness.rate_rounds import taken_at
from tests.harness.servers import Server
from tests.harness.system import System
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, problem

RATE = 10
POLICY = Policy(RATE)
TRIES_MAX = 2_000


async def metric(ledger: Server, name: str) -> float:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        text = (await client.get(f"{ledger.admin}/metrics")).text
    found = re.search(rf"^stockwire_ledger_{name} (\S+)$", text, re.MULTILINE)
    assert found, f"no metric {name}"
    return float(found[1])


async def is_shared(ledger: Server) -> bool:
    return await metric(ledger, "rate_limits_shared") == 1


async def is_local(ledger: Server) -> bool:
    return not await is_shared(ledger)


async def failed(*ledgers: Server) -> float:
    return sum([await metric(ledger, "rate_failed_total") for ledger in ledgers])


async def is_taken(api: Api) -> bool:
    return (await api.get("/v1/locations/nowhere")).status_code == 404


async def refusal(api: Api) -> httpx.Response:
    """The first answer that is not what was asked for."""
    for _ in range(TRIES_MAX):
        answer = await api.get("/v1/items")
        if not answer.is_success:
            return answer
    raise AssertionError(f"{TRIES_MAX} requests were all taken")


async def test_two_ledgers_share_one_owners_limit(start_ledger: StartLedger, system: System) -> None:
    """Beyond the burst and the rate there is at most the documented overshoot for each ledger; that nothing of the
    limit is taken away, ``tests/server/rates/test_shared_leases.py`` judges on a virtual clock."""
    first, second = [await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=RATE) for _ in range(2)]
    key = await system.admin_key()
    async with Api(first.url, key) as one, Api(second.url, key) as other:
        taken, seconds = await taken_at(partial(is_taken, one), partial(is_taken, other))
    assert taken <= POLICY.quota + RATE * seconds + 2 * POLICY.overshoot
    assert await metric(first, "rate_limited_total") > 0
    assert await metric(first, "rate_leases_total") > 0
    await wait_until(lambda: is_shared(first))


async def test_owners_do_not_take_from_each_other(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=1)
    async with (
        Api(ledger.url, await system.admin_key()) as noisy,
        Api(ledger.url, await system.key("quiet", "stock:read:*")) as quiet,
    ):
        assert problem(await refusal(noisy)) == (429, "rate-limited")
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
        taken, seconds = await taken_at(partial(is_taken, api))
        assert taken <= POLICY.quota + RATE * seconds + 1, "the limit is local, not absent"
        assert await failed(ledger) >= 1
        assert ledger.stderr().count("rate limits are local") == 1
        private_valkey.start()
        await wait_until(lambda: is_shared(ledger))
        leases = await metric(ledger, "rate_leases_total")

        async def leased() -> bool:
            await api.get("/v1/items")
            return await metric(ledger, "rate_leases_total") > leases

        await wait_until(leased)
    assert "rate limits are shared again" in ledger.stderr()


async def test_a_ledger_that_never_found_redis_limits_all_the_same(start_ledger: StartLedger, system: System) -> None:
    ledger = await start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=1, STOCKWIRE_REDIS_URL="redis://127.0.0.1:1")
    async with Api(ledger.url, await system.admin_key()) as api:
        assert problem(await refusal(api)) == (429, "rate-limited")


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
    async with Api(ledger.url, await system.admin_key()) as api, Redis.from_url(valkey.url) as redis:
        await api.get("/v1/items")

        async def asked_again() -> bool:
            entries = [entry for entry in await redis.acl_log() if entry["username"] == user]
            return sum(int(str(entry["count"])) for entry in entries) >= 3

        await wait_until(asked_again)
    assert await failed(ledger) >= 1
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
        answer = await refusal(api)
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
