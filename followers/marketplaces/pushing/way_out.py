"""How long it takes from a fall of what is available here until a number that knows it stands there.

It is how long a channel goes on selling when the last unit is gone, and is kept by minute for an hour. So what a zero
does not wait for is left out: a number that waits for orders, and one that the channel compares with another than
expected.
"""

from collections.abc import Iterable
from datetime import datetime

from followers.database.database import Connection


async def note(connection: Connection, channel: str, fell_at: Iterable[datetime | None]) -> None:
    """Numbers stand there now that know of these falls; None: of none. Locks what all pushes to the channel write:
    the last thing in a transaction."""
    if known := [at for at in fell_at if at is not None]:
        await connection.execute(_NOTE, channel, min(known))


_NOTE = """
with old as (delete from way_out where channel = $1 and minute < now() - interval '2 hours')
insert into way_out as w (channel, minute, longest_s)
select $1, date_trunc('minute', n.at), greatest(0, extract(epoch from n.at - $2::timestamptz))
  from (select clock_timestamp() as at) n
on conflict (channel, minute) do update set longest_s = greatest(w.longest_s, excluded.longest_s)
"""
