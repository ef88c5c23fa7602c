"""What orders say of the number that stands at a channel: it is another one than was sent."""

from datetime import UTC, datetime

from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.outgoing import Doubt, Outgoing, Row, Sending
from tests.followers.marketplaces.orders.rig import Rig


async def offers(rig: Rig, units: int) -> None:
    """Sent a moment ago, and at rest."""
    await rig.rows("insert into outgoing (channel, remote) values ($1, 'r1') on conflict do nothing")
    async with rig.database.transaction() as connection:
        await outgoing.begin(connection, rig.leased.id, [Sending("r1", units, units, "key", 0, datetime.now(UTC))], UTC)
        await outgoing.applied(connection, rig.leased.id, [("r1", units)])


async def due(rig: Rig) -> list[Row]:
    return await Outgoing(rig.database).due(rig.leased.id)


async def test_what_is_sold_there_moves_what_was_sent_until_it_is_sent_again(rig: Rig) -> None:
    """Though as many came here meanwhile, and the number is the same."""
    await rig.stock(5)
    await offers(rig, 5)
    await rig.learn(rig.stall.say("1", "paid", r1=2))
    await rig.booker.book(rig.leased, "1")
    await rig.stock(2)
    (row,) = await due(rig)
    assert (row.sent, row.moved) == (5, True)
    assert not row.polled
    await offers(rig, 5)
    assert await due(rig) == []
    await rig.learn(rig.stall.say("1", "cancelled"))
    await rig.booker.book(rig.leased, "1")
    assert [row.moved for row in await due(rig)] == [True]


async def test_who_pays_later_moves_nothing(rig: Rig) -> None:
    await rig.stock(5)
    await rig.learn(rig.stall.say("1", "unpaid", r1=2))
    await rig.booker.book(rig.leased, "1")
    await offers(rig, 3)
    await rig.learn(rig.stall.say("1", "paid", r1=2))
    await rig.booker.book(rig.leased, "1")
    assert await due(rig) == []


async def test_what_is_cancelled_there_and_was_never_booked_is_looked_at(rig: Rig) -> None:
    """It may stand there again, with nothing here to sell."""
    await offers(rig, 2)
    await rig.learn(rig.stall.say("1", "paid", r1=2))
    await rig.booker.book(rig.leased, "1")
    await offers(rig, 0)
    await rig.learn(rig.stall.say("1", "cancelled", r1=2))
    await rig.booker.book(rig.leased, "1")
    assert [(row.sent, row.moved) for row in await due(rig)] == [(0, True)]


async def test_what_was_read_there_after_the_order_was_told_is_known(rig: Rig) -> None:
    await rig.stock(5)
    await offers(rig, 5)
    await rig.learn(rig.stall.say("1", "paid", r1=2))
    await rig.booker.book(rig.leased, "1")
    async with rig.database.transaction() as connection:
        await outgoing.in_doubt(connection, rig.leased.id, "unknown", [Doubt("r1", 0.0)])
    (row,) = await Outgoing(rig.database).to_read(rig.leased.id, 1)
    async with rig.database.transaction() as connection:
        await outgoing.read_back(connection, rig.leased.id, [("r1", 3, True)], row.read_at)
    assert [(row.sent, row.moved) for row in await due(rig)] == [(3, False)]
