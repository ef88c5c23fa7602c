"""A listing whose own budget is spent holds up no other, and its zero waits for nothing."""

from datetime import UTC, datetime

import pytest

from followers.database.database import Database
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.outgoing import Outgoing, Sending
from followers.marketplaces.pushing.rounds import pause_s
from followers.marketplaces.terms import Applied, Outcome, Refused, Throttled
from followers.sealing import Seal, new_sealing_key


@pytest.mark.parametrize(
    ("outcomes", "seconds"),
    [
        ([Applied(), Refused("no")], 0.0),
        ([Applied(), Throttled(600.0, alone=True)], 0.0),
        ([Throttled(600.0, alone=True), Throttled(3.0), Throttled(2.0)], 3.0),
    ],
)
def test_a_channel_pauses_for_what_all_of_it_waits_for(outcomes: list[Outcome], seconds: float) -> None:
    assert pause_s(outcomes) == seconds


async def due(database: Database) -> list[str]:
    return [row.remote for row in await Outgoing(database).due("here")]


async def test_what_waits_is_due_again_at_once_when_it_shall_offer_something_else(database: Database) -> None:
    wish = Wish({}, ("shop",))
    await Channels(database, Seal([new_sealing_key()])).add("here", "ebay", "owner", wish, {}, "epoch", {0: 0})
    async with database.transaction() as connection:
        for remote in ("mug", "cap"):
            await connection.execute("insert into mapping values ('here', $1, $1, null, 'us')", remote)
            await connection.execute("insert into outgoing (channel, remote) values ('here', $1)", remote)
        now = datetime.now(UTC)
        sendings = [Sending(remote, 4, 9, f"key-{remote}", 0, now) for remote in ("mug", "cap")]
        assert set(await outgoing.begin(connection, "here", sendings, UTC)) == {"mug", "cap"}
        await outgoing.not_done(connection, "here", [("mug", 600.0), ("cap", 600.0)])
    assert await due(database) == []
    async with database.transaction() as connection:
        await connection.execute("update outgoing set changes = changes + 1 where remote = 'mug'")
    assert await due(database) == ["mug"]


async def test_a_poll_says_what_may_be_raised_for_a_while_only(database: Database) -> None:
    wish = Wish({}, ("shop",))
    await Channels(database, Seal([new_sealing_key()])).add("here", "ebay", "owner", wish, {}, "epoch", {0: 0})
    async with database.transaction() as connection:
        await connection.execute("insert into mapping values ('here', 'mug', 'mug', null, 'us')")
        await connection.execute("insert into outgoing (channel, remote) values ('here', 'mug')")
        await connection.execute("update outgoing set changed_at = now() - interval '2 hours'")

    async def polled(ended_ago_s: float) -> bool:
        async with database.transaction() as connection:
            await connection.execute(
                "update channel_poll set polled_at = now() - interval '1 hour',"
                " ended_at = now() - make_interval(secs => $1::float8)",
                ended_ago_s,
            )
        (row,) = await Outgoing(database).due("here")
        return row.polled

    assert [await polled(0.0), await polled(outgoing.POLLED_S + 60.0)] == [True, False]
