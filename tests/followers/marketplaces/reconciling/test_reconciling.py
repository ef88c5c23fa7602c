"""Drift of every class, planted, found, proposed and mended; and what is no drift."""

import json

import pytest

from followers.log.ledger import Ledger
from followers.marketplaces.mapping.mappings import Mapped
from followers.marketplaces.pushing.offers import Offers
from followers.marketplaces.targets import QUANTITY_MAX
from tests.followers.marketplaces.orders.conftest import rig as rig
from tests.followers.marketplaces.orders.rig import PLACES, Rig
from tests.followers.marketplaces.reconciling.shop import Bench
from tests.harness.waiting import wait_until

APPLIED = "update outgoing set state = 'rest', sent_quantity = $3 where channel = $1 and remote = $2"
BROKEN_OFF = "insert into reconciliation (channel, asked_by, repairs, started_at) values ($1, 'o', false, now())"


@pytest.fixture
async def bench(rig: Rig) -> Bench:
    """A channel that is an hour old, with a listing that agrees: 10 units, 8 of them offered."""
    made = Bench(rig)
    await made.execute("update channel set buffer = 2, created_at = now() - interval '1 hour' where id = $1")
    await rig.stock(10)
    await made.listing("r1", rig.sku, 8)
    return made


async def found(bench: Bench) -> list[tuple[str, str, int | None, int | None, str | None]]:
    return [(row.subject, row.kind, row.ours, row.theirs, row.repair) for row in await bench.drift()]


async def test_what_agrees_is_no_drift(bench: Bench) -> None:
    async with bench.running():
        run = await bench.run()
    assert (run.compared, run.differing, run.stopped) == (1, 0, None)
    assert await bench.drift("suspect", "open") == []


async def test_drift_of_every_class_is_found_proposed_and_mended(bench: Bench) -> None:
    rig, other = bench.rig, f"{bench.rig.sku}-2"
    await bench.execute("update channel set policy = $2 where id = $1", json.dumps({"stop_share": 1}))
    await rig.stock(5, sku=other)
    bench.shop.set("r1", 6)
    await bench.listing("r2", other, 5, sent=3)
    await bench.listing("r3", other, 3)
    del bench.shop.listings["r3"]
    bench.shop.offer("r4", 4, other)
    await bench.listing("r5", rig.sku, 8)
    bench.shop.offer("r5", 8, other)
    bench.shop.say("lost", "paid", r1=2)
    async with bench.running():
        run = await bench.run()
        assert (run.compared, run.differing, run.stopped) == (6, 6, None)
        assert await found(bench) == [
            ("listing:r1", "quantity", 8, 6, "push"),
            ("listing:r2", "buffer-not-kept", 3, 5, "push"),
            ("listing:r4", "unknown-here", None, 4, "map"),
            ("listing:r5", "mapping-broken", 8, 8, "map"),
            ("listing:r3", "missing-there", 3, None, "unmap"),
            ("order:lost", "order-not-booked", 0, 2, "book"),
        ]
        assert all(row.cause and row.reads == 2 for row in await bench.drift())
        await bench.accept(identifiers=[row.id for row in await bench.drift()])
        said = {row.subject: row.outcome for row in await bench.mended()}
        assert said == {
            "listing:r1": "our number is sent again",
            "listing:r2": "our number is sent again",
            "listing:r4": f"mapped to {other}",
            "listing:r5": f"mapped to {other}",
            "listing:r3": "the mapping is dropped",
            "order:lost": "the order was fetched, and is booked",
        }
        rows = await rig.rows("select remote, state, sent_quantity from outgoing where channel = $1 order by remote")
        assert [tuple(row) for row in rows] == [
            *(("r1", "due", 6), ("r2", "due", 5), ("r4", "due", None), ("r5", "due", 8)),
        ]
        unpolled = await rig.rows("select remote from outgoing where channel = $1 and polled_after is not null")
        assert {row["remote"] for row in unpolled} == {"r1", "r2"}  # it may be a sale that nobody told us of
        async with rig.desk():
            await rig.settled()
        assert await rig.available() == 8
        for remote, sku, quantity in (("r1", rig.sku, 6), ("r2", other, 3), ("r4", other, 3), ("r5", other, 3)):
            await bench.execute(APPLIED, remote, quantity)
            bench.shop.offer(remote, quantity, sku)
        run = await bench.run()
        assert (run.differing, run.stopped) == (0, None)
    states = {row.subject: row.state for row in await bench.drift("repaired", "gone", "suspect", "accepted")}
    assert set(states.values()) == {"repaired"}
    assert len(states) == 6


async def test_a_sale_or_a_push_in_between_is_no_drift(bench: Bench) -> None:
    bench.shop.set("r1", 6)
    async with bench.running():
        await bench.execute("update outgoing set state = 'due' where channel = $1")
        assert (await bench.run()).differing == 0  # our number is on its way
        await bench.execute("update outgoing set state = 'rest' where channel = $1")
        bench.shop.say("o1", "paid", r1=1)
        await bench.rig.learn(bench.shop.words[-1])
        assert (await bench.run()).differing == 0  # so is an order
        async with bench.rig.desk():
            await bench.rig.settled()
        assert [row.theirs for row in await bench.drift("suspect", "open")] == []
        assert (await bench.run()).differing == 0  # and what is to be looked at again, since it was ordered
        await bench.execute("update outgoing set state = 'rest' where channel = $1")
        assert (await bench.run()).differing == 1


async def test_what_was_dismissed_is_left_alone_until_it_is_another_difference(bench: Bench) -> None:
    bench.shop.set("r1", 6)
    async with bench.running():
        await bench.run()
        await bench.execute("update drift set state = 'dismissed' where channel = $1")
        assert (await bench.run()).differing == 0
        bench.shop.set("r1", 5)
        assert (await bench.run()).differing == 1


async def test_the_policy_mends_within_its_limits_and_a_person_the_rest(bench: Bench) -> None:
    policy = {"classes": ["quantity"], "units_max": 2, "older_than_s": 0, "quiet_s": 0}
    await bench.execute("update channel set policy = $2 where id = $1", json.dumps(policy))
    await bench.listing("r2", bench.rig.sku, 8)
    bench.shop.set("r1", 6)
    bench.shop.set("r2", 5)
    async with bench.running():
        assert (await bench.run()).repaired == 0  # nobody asked for it
        run = await bench.run(repairs=True)
        assert (run.differing, run.repaired) == (2, 1)
        (row,) = await bench.mended()
        assert (row.subject, row.decided_by, row.why) == ("listing:r1", "the policy", "within its limits")
    assert [row.subject for row in await bench.drift()] == ["listing:r2"]


async def test_a_mass_of_drift_is_a_fault_and_stops_repairs(bench: Bench) -> None:
    policy = {"classes": ["quantity"], "units_max": 100, "older_than_s": 0, "quiet_s": 0}
    await bench.execute("update channel set policy = $2 where id = $1", json.dumps(policy))
    for number in range(2, 8):
        await bench.listing(f"r{number}", bench.rig.sku, 8)
        bench.shop.set(f"r{number}", 1)
    async with bench.running():
        run = await bench.run(repairs=True)
        assert (run.compared, run.differing, run.repaired) == (7, 6, 0)
        assert run.stopped is not None
        assert run.stopped.startswith("6 of 7 differ, more than 5%")
    assert await bench.drift("accepted") == []


async def test_a_channel_that_goes_away_breaks_a_run_off_and_what_is_known_stays(bench: Bench) -> None:
    bench.shop.set("r1", 6)
    async with bench.running():
        await bench.run()
        bench.shop.away = True
        run = await bench.run()
        assert run.stopped == "broken off: does not answer"
        assert len(await bench.drift()) == 1


async def test_the_schedule_begins_a_run_and_a_killed_one_is_begun_again(bench: Bench) -> None:
    await bench.execute("update channel set policy = $2 where id = $1", json.dumps({"every_s": 3600}))
    await bench.execute(BROKEN_OFF)

    async def ended(times: int) -> bool:
        rows = await bench.rig.rows("select 1 from reconciliation where channel = $1 and ended_at is not null")
        return len(rows) == times

    async with bench.running():
        await wait_until(lambda: ended(1))
        await bench.execute("update reconciliation set started_at = now() - interval '2 hours' where channel = $1")
        await wait_until(lambda: ended(2))
    rows = await bench.rig.rows("select asked_by from reconciliation where channel = $1 order by id")
    assert [row["asked_by"] for row in rows] == ["o", "the schedule"]


async def test_what_lies_at_several_places_is_stored_in_32_bits_also_where_it_is_more(bench: Bench) -> None:
    rig, plenty = bench.rig, f"{bench.rig.sku}-2"
    for place in PLACES:
        await rig.stock(2_000_000_000, place, sku=plenty)
    async with Ledger(rig.system.ledger_url, await rig.system.key("offers", "hub")) as ledger:
        offers = await Offers(ledger).of(
            rig.leased.channel, [Mapped("r9", plenty, None, "o", rig.leased.channel.created_at)]
        )
    assert (offers["r9"].quantity, offers["r9"].available) == (QUANTITY_MAX, 2**31 - 1)
