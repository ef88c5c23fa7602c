"""What whoever operates the process is told of channels: how they stand, what is wrong, and what to do."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from followers.database.database import Database
from followers.database.leases import Lease
from followers.log.ledger import Ledger
from followers.marketplaces.backlog import Backlogs
from followers.marketplaces.breaker import FAILURES_MAX
from followers.marketplaces.channels import Channel, Channels, Wish, checked, stop
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.mapping.lines import Line
from followers.marketplaces.mapping.mappings import Mappings
from followers.marketplaces.marketplaces import Marketplaces
from followers.marketplaces.operated import OperatedMarketplaces, Parts
from followers.marketplaces.pushing.pushes import Pushes
from followers.marketplaces.reconciling import drifts, runs
from followers.marketplaces.reconciling.comparing import Difference, DriftClass, Repair
from followers.marketplaces.reconciling.drifts import Seen
from followers.marketplaces.remote import Remote
from followers.marketplaces.terms import Applied, Stale, Throttled
from followers.outward.addresses import Addresses
from followers.sealing import Seal, new_sealing_key
from tests.followers.marketplaces.orders.stall import Stall
from tests.harness.metrics import described_metrics, exported_metrics

SEAL = Seal([new_sealing_key()])
DRIFTED = Seen("listing:1", "A", Difference(DriftClass.QUANTITY, 8, 5, "3 fewer than we set", Repair.PUSH), "v1")
MASS = "60 of 100 differ, more than 5%"
ORDERS = """
insert into channel_order (channel, id, number, state, placed_at, updated_at, told, is_ours, unmapped, due_at)
values ('web', '7', '7', 'paid', now(), now(), '{}', true, '{9}', null),
       ('web', '8', '8', 'paid', now(), now(), '{}', true, '{}', now())
"""
OVERSOLD = """
insert into oversold (channel, order_id, sku, units, resolved_at)
values ('web', '8', 'A', 2, null), ('web', '8', 'B', 1, now())
"""
NOTICE = "insert into channel_notice (channel, id, headers, body, said) values ('web', 'n', '{}', '', '{}')"


async def add(database: Database, name: str) -> Channel:
    made = await Channels(database, SEAL).add(name, "shopify", "seller", Wish({}, ("berlin",)), {}, "e", {0: 0})
    assert made is not None
    return made


@pytest.fixture
async def market(database: Database) -> AsyncIterator[Marketplaces]:
    """Not running: it holds what a test gives it, and its ledger is away."""
    async with Ledger("http://127.0.0.1:9", "key") as ledger:
        yield Marketplaces(database, ledger, SEAL, Addresses(), [], name="one", lease_s=30)


def counted(operated: OperatedMarketplaces) -> Mapping[tuple[str, ...], float]:
    prefix = "stockwire_channels_marketplace"
    return {
        (sample.name.removeprefix(prefix), *sample.labels.values()): sample.value
        for one in operated.collect()
        for sample in one.samples
    }


async def test_what_is_wrong_with_channels_is_told_with_its_fix(database: Database, market: Marketplaces) -> None:
    for name in ("amazon", "ebay", "web"):
        await add(database, name)
    await Mappings(database).put("web", [Line("1", "A"), Line("2", "B")], "seller")
    operated = market.operated
    assert await operated.troubles() == []
    async with database.transaction() as connection:
        await stop(connection, "amazon", "takes our token no more")
        await stop(connection, "amazon", "another reason")
        await checked(
            connection, "ebay", ["out-of-stock control is off: switch it on", "its address is unknown: set it"]
        )
        await connection.execute("update outgoing set state = 'dead'")
        await connection.execute(ORDERS)
        await connection.execute(OVERSOLD)
        for stopped in ("was broken off", MASS):
            run = await runs.ask(connection, "web", "the schedule", repairs=True)
            await runs.end(connection, run.id, 60, 0, stopped)
    assert [(one.detail, one.fix) for one in await operated.troubles()] == [
        (
            "channel amazon is stopped: takes our token no more",
            "mend it with `stockwire channel set amazon`: it goes on by itself",
        ),
        ("channel ebay: out-of-stock control is off: switch it on", "then `stockwire channel check ebay`"),
        ("channel ebay: its address is unknown: set it", "then `stockwire channel check ebay`"),
        (f"channel web was not reconciled: {MASS}", "see `stockwire reconcile web`, which says what differs"),
        (
            "2 listings are refused for good: web (2)",
            "see `stockwire channel dead NAME`, mend the listings there, then `stockwire channel retry NAME`",
        ),
        (
            "1 line of orders is oversold and settled by nobody: web (1)",
            "`stockwire channel oversold NAME` shows them, and books each or gives it up",
        ),
        (
            "1 order has lines that are mapped to nothing: web (1)",
            "`stockwire channel unmapped NAME` shows them, `stockwire channel map NAME` says what they are",
        ),
    ]
    async with database.transaction() as connection:
        run = await runs.ask(connection, "web", "the schedule", repairs=True)
        await runs.end(connection, run.id, 0, 0, None)
    assert not any(MASS in one.detail for one in await operated.troubles()), "the last run was well"


async def test_how_channels_stand_is_counted_by_channel(database: Database, market: Marketplaces) -> None:
    await add(database, "web")
    await add(database, "ebay")
    await Mappings(database).put("web", [Line("1", "A"), Line("2", "B"), Line("3", "C")], "seller")
    operated = market.operated
    await operated.refresh()
    before = counted(operated)
    async with database.transaction() as connection:
        await stop(connection, "ebay", "takes our token no more")
        await connection.execute("update outgoing set state = 'due' where remote <> '3'")
        await connection.execute("update outgoing set state = 'dead' where remote = '1'")
        for row in (ORDERS, OVERSOLD, NOTICE):
            await connection.execute(row)
        await connection.execute("update channel_poll set ended_at = now() - interval '1 hour' where channel = 'web'")
        for _ in range(2):
            await drifts.seen(connection, "web", [DRIFTED])
    await operated.refresh()
    after = counted(operated)
    assert after.keys() == before.keys(), "each is there from the start"
    assert {
        name: value for name, value in after.items() if value != before[name] and name[0] != "_poll_age_seconds"
    } == {
        ("s", "enabled"): 1,
        ("s", "stopped"): 1,
        ("_listings", "web", "due"): 1,
        ("_listings", "web", "dead"): 1,
        ("_listings", "web", "unknown"): 1,
        ("_orders_waiting", "web"): 1,
        ("_orders_unmapped", "web"): 1,
        ("_oversold", "web"): 1,
        ("_notices_waiting", "web"): 1,
        ("_drift", "web", "quantity"): 1,
    }
    assert after["_poll_age_seconds", "web"] >= 3_600 > after["_poll_age_seconds", "ebay"]


async def test_a_channel_that_is_left_alone_and_what_became_of_pushes_is_told_by_who_holds_it(
    database: Database, market: Marketplaces
) -> None:
    remote: Any = Remote(market.sessions, ())
    leased = LeasedChannel(await add(database, "web"), Stall(), remote, Lease(1, time.monotonic() + 3_600))
    market.held.channels["web"] = leased
    market.following.away = None
    assert await market.operated.troubles() == []
    for _ in range(FAILURES_MAX):
        leased.breaker.failed()
    await market.operated.refresh()
    exported = exported_metrics(generate_latest(cast(CollectorRegistry, market.operated)).decode())
    described = {name: one for name, one in described_metrics("Channels").items() if "_marketplace" in name}
    assert exported == described
    found = counted(market.operated)
    assert (found["_away", "web"], found["s_held",]) == (1, 1)
    assert found["_pushes_total", "web", "applied"] == 0
    (told,) = await market.operated.troubles()
    assert told.detail == "channels that are away: web"
    leased.breaker.succeeded()
    leased.left_out.update({"7", "8"})
    (told,) = await market.operated.troubles()
    assert told.detail == "orders that cannot be kept, and are booked nowhere: web (2)"


def test_pushes_are_counted_for_channels_that_are_there() -> None:
    pushes = Pushes()
    pushes.add("gone", [Applied()])
    pushes.add("web", [Applied(), Applied(), Stale(), Throttled(0.0)])
    assert {name: count for name, count in pushes.by_outcome(["web"]).items() if count} == {
        ("web", "applied"): 2,
        ("web", "stale"): 1,
        ("web", "throttled"): 1,
    }
    assert pushes.by_outcome(["gone"])["gone", "applied"] == 0


async def test_a_key_that_cannot_book_orders_is_told_with_what_it_lacks(
    database: Database, market: Marketplaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = Channels(database, SEAL)
    await channels.add("web", "shopify", "seller", Wish({}, ("berlin", "hamburg")), {}, "e", {0: 0})
    await channels.add("paused", "shopify", "seller", Wish({}, ("paris",)), {}, "e", {0: 0})
    await channels.pause("paused", None)
    scopes = ["hub", "stock:read:*", "stock:write:berlin"]

    async def told() -> list[str]:
        return scopes

    async def good(ids: Sequence[str]) -> set[str]:
        return set(ids)

    operated = OperatedMarketplaces(Parts(market.held, market.following, Pushes(), Backlogs(database), told, good))
    (found,) = await operated.troubles()
    assert found.detail == "orders of channels cannot be booked: STOCKWIRE_CHANNELS_KEY lacks stock:write:hamburg"
    assert found.fix.startswith("make one with `stockwire key create channels --scope hub --scope 'stock:read:*'")
    scopes.append("stock:write:*")
    assert await operated.troubles() == []


async def test_channels_of_a_revoked_key_go_on_and_are_told(database: Database, market: Marketplaces) -> None:
    channels = Channels(database, SEAL)
    for name, owner in (("ebay", "theirs"), ("paused", "theirs"), ("web", "ours")):
        await channels.add(name, "shopify", owner, Wish({}, ("berlin",)), {}, "e", {0: 0})
    await channels.pause("paused", None)
    keys = {"ours", "theirs"}

    async def good(ids: Sequence[str]) -> set[str]:
        return keys & set(ids)

    async def scopes() -> list[str]:
        return ["stock:read:*", "stock:write:*"]

    operated = OperatedMarketplaces(Parts(market.held, market.following, Pushes(), Backlogs(database), scopes, good))
    assert await operated.troubles() == []
    keys.remove("theirs")
    (found,) = await operated.troubles()
    assert found.detail == "channels go on whose API key was revoked or has ended: ebay"
