"""Where each channel stands in the log, and which of its listings are due from there: stored together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from followers.database.database import Database
from followers.marketplaces.leased import LeasedChannel


@dataclass(frozen=True, slots=True)
class Moved:
    """Events behind ``before`` up to ``last`` have moved ``levels``: by location and sku, when the newest was.

    ``fell``: when the oldest was that took from what is available there, where one did.
    """

    epoch: str
    shard: int
    before: int
    last: int
    levels: Mapping[tuple[str, str], datetime]
    fell: Mapping[tuple[str, str], datetime]


class Positions:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, leased: LeasedChannel) -> dict[int, tuple[str, int]]:
        """Epoch and seq by shard."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "select shard, epoch, seq from channel_position where channel = $1", leased.id
            )
        return {row["shard"]: (row["epoch"], row["seq"]) for row in rows}

    async def moved(self, moved: Moved, group: Sequence[LeasedChannel]) -> set[LeasedChannel]:
        """Positions and what is due in one transaction. Returns those for which it was done: all others have lost their
        lease, or stand elsewhere."""
        locations, skus = [location for location, _ in moved.levels], [sku for _, sku in moved.levels]
        fell = [moved.fell.get(level) for level in moved.levels]
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                _MOVE,
                *([one.id for one in group], [one.lease.fence for one in group]),
                *(moved.epoch, moved.shard, moved.before, moved.last),
            )
            done = [row["channel"] for row in rows]
            if done:
                await connection.execute(_MARK, done, locations, skus, list(moved.levels.values()), fell)
        return {one for one in group if one.id in done}

    async def compare(self, leased: LeasedChannel, epoch: str, heads: Mapping[int, int]) -> bool:
        """All of its listings are due, and it stands at ``heads``. What happened meanwhile nobody has looked at: raises
        wait for a poll of orders from after now. False: its lease is lost."""
        async with self._database.transaction() as connection:
            held = await connection.fetchval(
                "select true from channel_lease where channel = $1 and fence = $2 for share",
                leased.id,
                leased.lease.fence,
            )
            if held:
                await connection.execute(_ALL, leased.id)
                await connection.execute(_STAND_AT, leased.id, epoch, list(heads), list(heads.values()))
        return bool(held)


_MOVE = """
with fenced as (
  select l.channel from channel_lease l join unnest($1::text[], $2::bigint[]) as f(channel, fence)
      on l.channel = f.channel and l.fence = f.fence
   order by l.channel for share of l)
update channel_position p set seq = $6 from fenced f
 where p.channel = f.channel and p.shard = $4 and p.epoch = $3 and p.seq = $5
returning p.channel
"""
DUE = "case when o.state in ('rest', 'dead') then 'due' else o.state end"
"""What waits to be read back stays so: what it shall offer is computed then."""
_MARK = f"""
with moved as (
  select * from unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) as m(location, sku, at, fell_at)),
listings as (
  select m.channel, m.remote, max(v.at) as at, min(v.fell_at) as fell_at
    from mapping m join channel c on c.id = m.channel join moved v on v.sku = m.sku
   where m.channel = any($1::text[]) and (m.location = v.location
     or m.location is null and v.location = any(c.locations))
   group by m.channel, m.remote order by m.channel, m.remote)
update outgoing o
   set state = {DUE}, changed_at = greatest(o.changed_at, l.at), fell_at = least(o.fell_at, l.fell_at),
       due_at = case when o.state in ('rest', 'dead') then now() else o.due_at end, changes = o.changes + 1,
       attempt = case when o.state = 'dead' then 0 else o.attempt end
  from listings l where o.channel = l.channel and o.remote = l.remote
"""
_ALL = f"""
update outgoing o
   set state = {DUE}, due_at = case when o.state = 'rest' then now() else o.due_at end, changes = o.changes + 1,
       changed_at = now(), fell_at = coalesce(o.fell_at, now())
 where o.channel = $1
"""
_STAND_AT = """
with gone as (delete from channel_position where channel = $1 and shard <> all($3::int[]))
insert into channel_position (channel, shard, epoch, seq)
select $1, h.shard, $2, h.seq from unnest($3::int[], $4::bigint[]) as h(shard, seq)
on conflict (channel, shard) do update set epoch = excluded.epoch, seq = excluded.seq
"""
