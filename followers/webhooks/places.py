"""Where each endpoint stands in the log, and what it is behind on from there: stored together, under its fence."""

from collections.abc import Mapping, Sequence

from followers.database.database import Database
from followers.database.leases import FENCED
from followers.webhooks.leased import Leased, Level, fences
from followers.webhooks.planning import Moved


class Places:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def positions(self, identifiers: Sequence[str]) -> dict[str, dict[int, tuple[str, int]]]:
        """Epoch and seq by shard, by endpoint."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "select endpoint, shard, epoch, seq from position where endpoint = any($1::text[])", list(identifiers)
            )
        found: dict[str, dict[int, tuple[str, int]]] = {identifier: {} for identifier in identifiers}
        for row in rows:
            found[row["endpoint"]][row["shard"]] = row["epoch"], row["seq"]
        return found

    async def moved(
        self, page: tuple[str, int, int], follow: Mapping[Leased, tuple[int, Mapping[Level, Moved]]]
    ) -> set[Leased]:
        """``page``: epoch, shard and last seq. ``follow``: where each endpoint stood, and what the page moves for it.

        Levels and positions in one transaction. Returns those for which it was done: all others have lost their lease,
        or stand elsewhere: what was done before is never done twice.
        """
        epoch, shard, last = page
        stood = [seq for seq, _ in follow.values()]
        async with self._database.transaction() as connection:
            done = await connection.fetch(_MOVE, *fences(follow), stood, epoch, shard, last)
            identifiers = {row["endpoint"] for row in done}
            found = {leased for leased in follow if leased.endpoint.id in identifiers}
            rows = [
                (leased.endpoint.id, *level, moved.first - 1, moved.last)
                for leased in found
                for level, moved in follow[leased][1].items()
            ]
            if rows:
                await connection.execute(_MARK, *map(list, zip(*sorted(rows), strict=True)), epoch, shard)
        return found

    async def begin_again(self, group: Sequence[Leased]) -> None:
        """What they are behind counts in a history that is no more."""
        async with self._database.transaction() as connection:
            await connection.execute(_BEGIN_AGAIN, *fences(group))

    async def compared(self, group: Sequence[Leased], epoch: str, rows: Sequence[tuple[str, str, int, int]]) -> None:
        """Each of ``rows``, location, sku, version and shard, is sent to all of them as it is now."""
        if rows:
            async with self._database.transaction() as connection:
                columns = list(map(list, zip(*sorted(rows), strict=True)))
                await connection.execute(_COMPARED, *fences(group), *columns, epoch)

    async def stand_at(self, group: Sequence[Leased], epoch: str, heads: Mapping[int, int]) -> None:
        """From here on they are followed."""
        async with self._database.transaction() as connection:
            await connection.execute(_STAND_AT, *fences(group), list(heads), list(heads.values()), epoch)


_MOVE = f"""
with {FENCED}
update position p set seq = $6
  from fenced f join unnest($1::text[], $3::bigint[]) as s(endpoint, seq) on s.endpoint = f.endpoint
 where p.endpoint = f.endpoint and p.shard = $5 and p.epoch = $4 and p.seq = s.seq
returning p.endpoint
"""
_MARK = """
insert into behind as b (endpoint, location, sku, sent_version, newest_version, epoch, shard)
select r.*, $6, $7 from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) as r
on conflict (endpoint, location, sku) do update set newest_version = greatest(b.newest_version, excluded.newest_version)
"""
_BEGIN_AGAIN = f"""
with {FENCED} delete from behind b using fenced f where b.endpoint = f.endpoint
"""
_COMPARED = f"""
with {FENCED}
insert into behind as b (endpoint, location, sku, sent_version, newest_version, shard, epoch)
select f.endpoint, r.location, r.sku, r.version - 1, r.version, r.shard, $7
  from fenced f, unnest($3::text[], $4::text[], $5::bigint[], $6::int[]) as r(location, sku, version, shard)
 order by f.endpoint, r.location, r.sku
on conflict (endpoint, location, sku) do update
   set newest_version = greatest(b.newest_version, excluded.newest_version), epoch = excluded.epoch
"""
_STAND_AT = f"""
with {FENCED},
gone as (delete from position p using fenced f where p.endpoint = f.endpoint and p.shard <> all($3::int[]))
insert into position as p (endpoint, shard, epoch, seq)
select f.endpoint, h.shard, $5, h.seq from fenced f, unnest($3::int[], $4::bigint[]) as h(shard, seq)
on conflict (endpoint, shard) do update set epoch = excluded.epoch, seq = excluded.seq
"""
