"""A listing of which something else stands there than was thought is read before all but a smaller number is sent.

A smaller number may be sent before it was read: whatever becomes of that, the listing must not wait for ever.
"""

from datetime import UTC, datetime, timedelta

import pytest

from followers.database.database import Connection, Database
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.outgoing import Dead, Sending
from followers.sealing import Seal, new_sealing_key


@pytest.fixture
async def database_of_one(database: Database) -> Database:
    """With a listing that is to be read first, of which a smaller number is being sent, and which has changed since."""
    wish = Wish({}, ("shop",))
    await Channels(database, Seal([new_sealing_key()])).add("here", "ebay", "owner", wish, {}, "epoch", {0: 0})
    async with database.transaction() as connection:
        await connection.execute("insert into mapping values ('here', 'mug', 'mug', null, 'us')")
        await connection.execute("insert into outgoing (channel, remote) values ('here', 'mug')")
        await outgoing.unexpected(connection, "here", ["mug"])
        sendings = [Sending("mug", 4, 9, "key", 0, datetime.now(UTC))]
        await outgoing.begin(connection, "here", sendings, UTC)
        await connection.execute("update outgoing set changes = sent_changes + 1")
    return database


@pytest.mark.parametrize("became", ["throttled", "refused", "taken"])
async def test_whatever_becomes_of_a_smaller_number_nothing_waits_for_ever(
    database_of_one: Database, became: str
) -> None:
    async with database_of_one.transaction() as connection:
        await become(connection, became)
        state, after, now = await connection.fetchrow("select state, polled_after, clock_timestamp() from outgoing")
    if became == "taken":
        assert state == "due"
        assert now - timedelta(minutes=5) < after <= now
    else:
        assert state == "unknown", "it is read back, and then waits for a poll"
    async with database_of_one.transaction() as connection:
        await outgoing.read_back(connection, "here", [("mug", 7, False)], datetime.now(UTC))
        after, now = await connection.fetchrow("select polled_after, clock_timestamp() from outgoing")
    assert after <= now


async def become(connection: Connection, became: str) -> None:
    match became:
        case "throttled":
            await outgoing.not_done(connection, "here", [("mug", 0.0)])
        case "refused":
            await outgoing.dead(connection, "here", [Dead("mug", 4, "no")])
        case _:
            await outgoing.applied(connection, "here", [("mug", 4)])
