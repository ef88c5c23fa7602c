"""Up to where the orders of a channel are known, in the database."""

from datetime import datetime

from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.orders.shelf import Shelf


class Polls:
    """Of a channel; every write under the fence of its lease. Raises LeaseLost, DatabaseAway."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def begin(self, leased: LeasedChannel) -> tuple[datetime, datetime]:
        """The moment up to which all orders are known, by the channel's clock, at first that at which the channel was
        added; and now, by the database's.
        """
        async with self._shelf.fenced(leased) as connection:
            row = await connection.fetchrow(_BEGIN, leased.id)
        return row["since"], row["now"]

    async def read(self, leased: LeasedChannel, began_at: datetime, newest: datetime) -> None:
        """All pages were read. ``began_at``: all that was changed there until then is in them. ``newest``: the last
        change in them: from there the next one begins.
        """
        async with self._shelf.fenced(leased) as connection:
            await connection.execute(_READ, leased.id, began_at, newest)

    async def booked(self, leased: LeasedChannel) -> bool:
        """Whether all that the last poll has read is booked, or known to be stuck: from now on ``polled_at`` is the
        beginning of it.
        """
        async with self._shelf.fenced(leased) as connection:
            return await connection.fetchval(_BOOKED, leased.id) is not None


_BEGIN = """
insert into channel_poll as p (channel, since)
select id, created_at from channel where id = $1
on conflict (channel) do update set since = p.since
returning since, clock_timestamp() as now
"""
_READ = """
update channel_poll set since = greatest(since, $3), began_at = $2, ended_at = clock_timestamp() where channel = $1
"""
_BOOKED = """
update channel_poll p set polled_at = began_at
 where channel = $1 and polled_at is distinct from began_at
   and not exists (select 1 from channel_order o
                    where o.channel = p.channel and o.due_at is not null and o.attempt = 0 and o.told_at <= p.ended_at)
returning 1
"""
