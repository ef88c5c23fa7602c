"""How long the way out is: from a fall here until a number that knows it stands there, as a zero would go."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from followers.database.database import Connection, Database
from followers.database.leases import Lease
from followers.log.follower import Page
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.following import moved_by
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.orders.pages import OrderPages
from followers.marketplaces.positions import Positions
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.outgoing import Dead, Doubt, Outgoing, Row, Sending
from followers.marketplaces.remote import Remote
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from followers.sealing import Seal, new_sealing_key
from tests.followers.marketplaces.orders.stall import Stall

NOW = datetime.now(UTC)
"""All that happens here happened before."""


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@dataclass
class Mug:
    """The one listing of a channel ``here``: 9 of it stand there."""

    database: Database
    leased: LeasedChannel
    seq: int = 0

    async def moves(self, *events: tuple[float, int]) -> None:
        """One page of the log: how long ago, and by how much what is available changed."""
        said = [
            {
                "seq": number,
                "location": "shop",
                "sku": "mug",
                "committed_at": ago(seconds).isoformat(),
                "on_hand_delta": 0,
                "reserved_delta": -units,
            }
            for number, (seconds, units) in enumerate(events, self.seq + 1)
        ]
        page = Page("epoch", 0, self.seq + len(said), said)
        assert await Positions(self.database).moved(moved_by(page), [self.leased])
        self.seq += len(said)

    async def read(self) -> Row:
        (row,) = await Outgoing(self.database).due("here")
        return row

    async def begins(self, row: Row, quantity: int) -> None:
        async with self.database.transaction() as connection:
            sending = Sending("mug", quantity, quantity, "key", row.changes, row.changed_at)
            assert set(await outgoing.begin(connection, "here", [sending], UTC)) == {"mug"}

    async def applied(self, quantity: int) -> None:
        async with self.database.transaction() as connection:
            await outgoing.applied(connection, "here", [("mug", quantity)])

    async def found(self, quantity: int) -> None:
        async with self.database.transaction() as connection:
            await outgoing.read_back(connection, "here", [("mug", quantity, True)], datetime.now(UTC))

    async def falls(self) -> tuple[datetime | None, datetime | None]:
        """That no number knows, and that the number knows which is under way."""
        async with self.database.transaction() as connection:
            row = await connection.fetchrow("select fell_at, sent_fell_at from outgoing")
        return row["fell_at"], row["sent_fell_at"]

    async def out_s(self) -> float | None:
        """As the window shows it."""
        return (await OrderPages(self.database).window("here")).way_out_s


@pytest.fixture
async def mug(database: Database) -> Mug:
    made = await Channels(database, Seal([new_sealing_key()])).add(
        "here", "stall", "owner", Wish({}, ("shop",)), {}, "epoch", {0: 0}
    )
    assert made is not None
    async with database.transaction() as connection:
        await connection.execute("insert into mapping values ('here', 'mug', 'mug', null, 'us')")
        await connection.execute(
            "insert into outgoing (channel, remote, state, sent_quantity, changed_at)"
            " values ('here', 'mug', 'rest', 9, $1)",
            ago(3_600),
        )
    remote = Remote(Sessions(Addresses(), {}, timeout_s=1.0), ())
    return Mug(database, LeasedChannel(made, Stall(), remote, Lease(0, time.monotonic() + 3_600)))


async def test_a_fall_is_on_its_way_until_a_number_that_knows_it_stands_there(mug: Mug) -> None:
    await mug.moves((90, +1))
    assert await mug.out_s() is None, "what rises is offered too low"
    await mug.moves((60, -1), (50, -1), (40, +1))
    assert await mug.falls() == (ago(60), None)
    await mug.begins(await mug.read(), 8)
    await mug.moves((30, -1), (20, -1))
    assert await mug.falls() == (ago(30), ago(60)), "the number that is under way does not know of it"
    assert (await mug.out_s() or 0) >= 60
    await mug.applied(8)
    assert await mug.falls() == (ago(30), None)
    async with mug.database.transaction() as connection:
        await connection.execute("insert into way_out values ('here', now() - interval '3 hours', 900)")
    await mug.begins(await mug.read(), 6)
    await mug.applied(6)
    assert await mug.falls() == (None, None)
    async with mug.database.transaction() as connection:
        longest_s = await connection.fetchval("select max(longest_s) from way_out")
    assert 60 <= longest_s == await mug.out_s(), "it stays known for an hour, and for no three"


async def test_a_fall_that_comes_while_a_number_is_computed_is_in_the_next_one(mug: Mug) -> None:
    """It may be in this one as well, which nobody can tell."""
    await mug.moves((60, -1), (50, -1))
    row = await mug.read()
    await mug.moves((10, -1))
    await mug.begins(row, 7)
    assert await mug.falls() == (ago(50), ago(60)), "no later than it was, and no earlier than what was known"
    await mug.applied(7)
    assert (await mug.read()).changes > row.changes


async def test_what_became_of_a_number_says_whether_a_fall_has_arrived(mug: Mug) -> None:
    await mug.moves((60, -1))
    await mug.begins(await mug.read(), 8)
    await mug.found(9)
    assert await mug.falls() == (None, ago(60)), "it is not there"
    await mug.moves((30, -1))
    await mug.begins(await mug.read(), 7)
    assert await mug.falls() == (None, ago(60)), "nor was it sent by itself"
    await mug.found(6)
    assert await mug.falls() == (None, None), "less than that stands there: somebody has bought meanwhile"
    assert (await mug.out_s() or 0) >= 60
    await mug.moves((20, -1))
    await mug.begins(await mug.read(), 5)
    async with mug.database.transaction() as connection:
        await outgoing.in_doubt(connection, "here", "accepted", [Doubt("mug", 60.0)])
    await mug.moves((10, -1))
    await mug.begins(await mug.read(), 4)
    assert await mug.falls() == (None, ago(10)), "what was accepted arrives by itself"


async def test_a_fall_has_arrived_where_a_listing_offers_what_it_shall(mug: Mug) -> None:
    """The number that stands there may know it from before the log told of it; or it stands there whatever there is."""
    await mug.moves((60, -1))
    async with mug.database.transaction() as connection:
        await outgoing.at_rest(connection, "here", [("mug", (await mug.read()).changes)])
    assert await mug.falls() == (None, None)
    assert (await mug.out_s() or 0) >= 60


@pytest.mark.parametrize("became", ["waits for orders", "is refused", "compares"])
async def test_what_a_zero_does_not_wait_for_is_not_on_its_way(mug: Mug, became: str) -> None:
    await mug.moves((60, -1))
    row = await mug.read()

    async def become(connection: Connection) -> None:
        if became == "is refused":
            await outgoing.dead(connection, "here", [Dead("mug", 8, "no")])
        elif became == "compares":
            await outgoing.unexpected(connection, "here", ["mug"])
        else:
            await outgoing.wait_for_orders(connection, "here", [("mug", row.changes)])

    if became != "waits for orders":
        await mug.begins(row, 8)
    async with mug.database.transaction() as connection:
        await become(connection)
    assert (await mug.falls(), await mug.out_s()) == ((None, None), None)


async def test_a_fall_that_comes_while_it_is_seen_that_it_waits_is_on_its_way(mug: Mug) -> None:
    """It may be the one to zero."""
    await mug.moves((60, -1))
    row = await mug.read()
    await mug.moves((30, -8))
    async with mug.database.transaction() as connection:
        await outgoing.wait_for_orders(connection, "here", [("mug", row.changes)])
        await outgoing.at_rest(connection, "here", [("mug", row.changes)])
    assert await mug.falls() == (ago(60), None)
