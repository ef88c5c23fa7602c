"""I8 can fail: holds, transfers and what is reserved for them are broken on purpose by SQL, in each way, and named."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

import cli.checks.database
from cli.findings import FindingState
from ledger.holds.decide import Cancel, Commit, Extend, Fulfil, Resize
from ledger.holds.reserve import Wanted
from tests.ledger.commit_path import CommitPath, commit_path, line, operation
from tests.ledger.hold_requests import asking, at, reserving
from tests.ledger.migrations.databases import expand_to
from tests.ledger.transfer_requests import add_transit, sending


@pytest.fixture
async def path(database_url: str) -> AsyncIterator[CommitPath]:
    """One hold that is pending, of two levels on two shards, one that was paid for, one that left, one that ended; and
    a transfer.
    """
    async with commit_path(database_url) as path:
        await path.add_catalog(["A", "B"], ["berlin", "paris"])
        await add_transit(path, "paris")
        await path.writers.submit(operation(line("A", "berlin", 20), line("B", "berlin", 10), line("A", "paris", 5)))
        levels = [at("A"), at("A", "paris")]
        pending, committed, fulfilled, cancelled = [
            (await path.writers.submit(reserving(Wanted((at("A"),), 2), Wanted((at("A", "paris"),), 1)))).operation
            for _ in range(4)
        ]
        for plan in (
            Extend(pending, levels, ttl_s=99),
            Resize(pending, levels, {at("A"): 5}),
            Commit(committed, levels),
            Commit(fulfilled, levels),
            Fulfil(fulfilled, levels),
            Cancel(cancelled, levels),
        ):
            await path.writers.submit(asking(plan))
        await path.writers.submit(sending({"B": 2}, "berlin", "paris"))
        assert await path.audit() == []
        yield path


PENDING = "(select id from hold where state = 'pending')"
COMMITTED = "(select id from hold where state = 'committed' and target is null)"
TRANSFER = "(select id from hold where target is not null)"
CANCELLED = "(select id from hold where state = 'cancelled')"

BREAKS = [
    ({"I8 holds", "I1 balance"}, "update stock_level set reserved = reserved + 1 where location = 'paris'"),
    ({"I8 holds", "I1 balance"}, "update stock_level set reserved = reserved - 1 where location = 'paris'"),
    ({"I8 holds"}, f"update hold_line set pending = pending + 1 where hold = {PENDING} and location = 'berlin'"),
    ({"I8 holds"}, f"update hold_line set committed = committed - 1 where hold = {COMMITTED} and location = 'berlin'"),
    ({"I8 holds"}, f"update hold set state = 'committed' where id = {PENDING}"),
    ({"I8 holds"}, f"update hold set state = 'expired' where id = {CANCELLED}"),
    ({"I8 holds"}, f"delete from hold where id = {CANCELLED}"),
    ({"I8 holds"}, f"delete from hold_line where hold = {CANCELLED}"),
    ({"I8 holds"}, f"delete from hold_line where hold = {PENDING} and location = 'paris'"),
    ({"I8 holds"}, "insert into hold_line select gen_random_uuid(), 0, shard, location, sku, 0, 0, 0, 0, 1"
                   " from stock_level where sku = 'B'"),
    ({"I8 transit"}, f"update hold set target = 'berlin' where id = {TRANSFER}"),
    ({"I8 transit"}, f"update hold set target = null, source = null where id = {TRANSFER}"),
    ({"I8 transit"}, f"update hold set source = null where id = {TRANSFER}"),
    ({"I8 transit"}, "update location set transit_of = null where location = 'transit:paris'"),
    ({"I8 transit", "I1 balance"}, "update stock_level set on_hand = on_hand + 1 where location = 'transit:paris'"),
    ({"I8 holds"}, f"update hold_line set committed = 1, fulfilled = 1 where hold = {TRANSFER}"),
    ({"I1 balance", "I3 torn"}, "update stock_event set reserved_delta = 1 where kind = 'transit'"),
    ({"I8 holds"}, f"update hold_line set shard = shard + 1 where hold = {PENDING} and location = 'paris'"),
    ({"I8 holds"}, f"update hold_line set sku = 'C' where hold = {COMMITTED} and location = 'berlin'"),
    ({"I8 holds"}, f"update hold_line set pending = pending - 1, cancelled = cancelled + 1 where hold = {PENDING}"),
    ({"I8 holds"}, f"update hold_line set expires_at = null where hold = {PENDING} and location = 'paris'"),
    ({"I8 holds"}, f"update hold set expires_at = expires_at + interval '1 s' where id = {PENDING}"),
    ({"I1 balance", "I3 torn"}, "update stock_event set reserved_delta = reserved_delta + 1 where kind = 'hold'"
                                " and version = 2 and location = 'berlin'"),
    ({"I1 balance", "I3 torn"}, "update stock_event set reserved_delta = -1 where kind = 'commit'"
                                " and location = 'paris' and version = (select min(version) from stock_event"
                                " where kind = 'commit' and location = 'paris')"),
]  # fmt: skip


@pytest.mark.parametrize(("invariants", "sabotage"), BREAKS)
async def test_a_hold_that_does_not_add_up_is_named(
    path: CommitPath, database_url: str, invariants: set[str], sabotage: str
) -> None:
    async with path.engine.begin() as connection:
        assert (await connection.execute(text(sabotage))).rowcount > 0
    found = await cli.checks.database.audit(database_url)
    assert {finding.check.removeprefix("audit ") for finding in found} == invariants
    assert {finding.state for finding in found} == {FindingState.FAILED}


async def test_a_database_of_before_there_were_holds_is_audited_too(empty_database_url: str) -> None:
    await expand_to(empty_database_url, "0003")
    async with commit_path(empty_database_url) as path:
        await path.add_catalog(["A"], ["rome"])
        async with path.engine.begin() as connection:
            assert [finding.state for finding in await cli.checks.database.audit(empty_database_url)] == [
                FindingState.GOOD
            ]
            await connection.execute(
                text("insert into stock_level (shard, location, sku, on_hand, reserved) values (0, 'rome', 'A', 1, 1)")
            )
    found = await cli.checks.database.audit(empty_database_url)
    assert {finding.check for finding in found} == {"audit I1 balance", "audit I8 holds"}
