"""A webhook of mode ``latest`` that was away while a million events came, against reading the same part of the log."""

import asyncio
import secrets
import time
from dataclasses import dataclass

from followers.log.follower import Follower
from followers.log.ledger import SCOPES, Ledger
from followers.webhooks.endpoints import Endpoints
from tests.bench.many_skus import stock
from tests.bench.ratio import Row
from tests.bench.senders import DEADLINE_S, Senders, senders, share
from tests.bench.shop import LOCATION, Shop
from tests.harness.waiting import wait_until

LEVELS = 1_000
EVENTS = share(1_000_000, LEVELS) // LEVELS * LEVELS


@dataclass(frozen=True, slots=True)
class Span:
    """Of the log: what came to the levels of ``skus`` behind ``after``, in one shard."""

    skus: list[str]
    epoch: str
    shard: int
    after: int
    head: int


async def webhooks_latest(shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        f"`latest` after {EVENTS:,} events of {LEVELS:,} levels",
        "s",
        "lower",
        "from when the webhook goes on until its last level was received",
        "the same pages of the log, read by the same client",
        target=1.3,
    )
    for _ in range(rounds):
        async with senders(shop) as sending:
            span = await _happened(sending)
            took_s, messages = await _caught_up(sending, span)
            row.ours.append(took_s)
            row.bare.append(await _read(sending.shop, span))
            row.notes["messages"] = f"{messages:,}"
    return [row]


async def _happened(sending: Senders) -> Span:
    """Behind the place of an endpoint, which is paused meanwhile."""
    name = f"latest-{secrets.token_hex(4)}"
    skus = [f"{name}-{number:03}" for number in range(LEVELS)]
    store = Endpoints(sending.database)
    async with sending.shop.http() as http:
        await stock(http, skus, 10**6)
        await sending.endpoints(["latest"], [skus], mode="latest")
        (endpoint,) = await store.page()
        await store.pause(endpoint.id)
        await sending.held(0)
        before = (await http.get("/v1/shards")).json()
        lines = [{"sku": sku, "location": LOCATION, "quantity": -1, "kind": "sale"} for sku in skus]
        for _ in range(EVENTS // LEVELS):
            headers = {"Idempotency-Key": secrets.token_hex(12)}
            (await http.post("/v1/movements", json={"lines": lines}, headers=headers)).raise_for_status()
        after = (await http.get("/v1/shards")).json()
    heads = [{one["shard"]: one["head"] for one in state["shards"]} for state in (before, after)]
    (shard,) = [shard for shard, head in heads[1].items() if head != heads[0][shard]]
    return Span(skus, after["epoch"], shard, heads[0][shard], heads[1][shard])


async def _caught_up(sending: Senders, span: Span) -> tuple[float, int]:
    """Seconds, and messages."""
    await sending.figures()
    (endpoint,) = await Endpoints(sending.database).page()
    came: int = 0
    began_s = time.monotonic()
    await Endpoints(sending.database).resume(endpoint.id)

    async def all_there() -> bool:
        nonlocal came
        came += (await sending.figures())["all"]
        return bool(came >= LEVELS)

    await wait_until(all_there, DEADLINE_S)
    took_s = time.monotonic() - began_s
    await asyncio.sleep(1.0)
    return took_s, came + (await sending.figures())["all"]


async def _read(shop: Shop, span: Span) -> float:
    async with Ledger(shop.system.ledger_url, await shop.system.key("channels", *SCOPES)) as ledger:
        began_s = time.monotonic()
        follower = Follower(ledger, span.epoch, span.shard, span.after)
        while follower.seq < span.head:
            await follower.page(wait=False)
        return time.monotonic() - began_s
