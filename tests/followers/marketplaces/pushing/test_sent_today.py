"""How often a listing was sent on a day is counted where every process finds it, by the days of its channel."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from followers.database.database import Database
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.outgoing import Begun, Sending
from followers.marketplaces.terms import DAY_S
from followers.sealing import Seal, new_sealing_key
from tests.harness.waiting import PATIENCE_S

WHERE_IT_IS_NOON = timezone(timedelta(hours=12 - datetime.now(UTC).hour))
"""So that no day ends meanwhile."""


@pytest.fixture
async def listing(database: Database) -> str:
    wish = Wish({}, ("shop",))
    await Channels(database, Seal([new_sealing_key()])).add("here", "ebay", "owner", wish, {}, "epoch", {0: 0})
    async with database.transaction() as connection:
        await connection.execute("insert into mapping values ('here', 'mug', 'mug', null, 'us')")
        await connection.execute("insert into outgoing (channel, remote) values ('here', 'mug')")
    return "mug"


async def begun(database: Database, listing: str, days: timezone = WHERE_IT_IS_NOON) -> Begun:
    async with database.transaction() as connection:
        sendings = [Sending(listing, 4, 9, "key", 0, datetime.now(UTC))]
        return (await outgoing.begin(connection, "here", sendings, days))[listing]


async def test_what_was_sent_counts_answered_or_not_and_what_was_throttled_does_not(
    database: Database, listing: str
) -> None:
    assert [(await begun(database, listing)).sent_today for _ in range(3)] == [0, 1, 2]
    async with database.transaction() as connection:
        await outgoing.not_done(connection, "here", [(listing, 0.0)])
    assert (await begun(database, listing)).sent_today == 2


async def test_a_new_day_counts_anew(database: Database, listing: str) -> None:
    first = await begun(database, listing)
    assert 10 * 3600 < first.day_left_s < 13 * 3600 < DAY_S
    async with database.transaction() as connection:
        sent_on = await connection.fetchval("select sent_on from outgoing")
        assert sent_on == datetime.now(WHERE_IT_IS_NOON).date()
        await connection.execute("update outgoing set sent_on = sent_on - 1")
    assert [(await begun(database, listing)).sent_today for _ in range(2)] == [0, 1]


async def test_days_begin_where_the_channel_says(database: Database, listing: str) -> None:
    for hours in (-11, -8, 0, 14):
        there = timezone(timedelta(hours=hours))
        before = datetime.now(there)
        found = await begun(database, listing, there)
        midnight = (before + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        left_s = (midnight - before).total_seconds()
        assert left_s - PATIENCE_S < found.day_left_s <= left_s or found.day_left_s > DAY_S - PATIENCE_S
