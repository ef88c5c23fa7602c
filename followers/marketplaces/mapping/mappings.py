"""Mappings as they are stored: a line for each listing that is mapped, with its row of what goes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from followers.database.database import Database
from followers.marketplaces.mapping.lines import Line


@dataclass(frozen=True, slots=True)
class Mapped:
    """``by``: the id of the key that said so."""

    remote: str
    sku: str
    location: str | None
    by: str
    at: datetime


class Mappings:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, channel: str, lines: Sequence[Line], by: str, *, whole: bool = False) -> int:
        """Lines that are new or say something else; ``whole``: what they do not name is mapped no more. Returns how
        many were added, changed and removed. What is new is read at the channel before anything is sent to it."""
        columns = (
            [line.remote for line in lines],
            [line.sku for line in lines],
            [line.location for line in lines],
        )
        async with self._database.transaction() as connection:
            changed = await connection.fetch(_PUT, channel, *columns, by)
            await connection.execute(_OUTGOING, channel, [row["remote"] for row in changed])
            removed = await connection.fetch(_KEEP_ONLY, channel, columns[0]) if whole else []
        return len(changed) + len(removed)

    async def remove(self, channel: str, remotes: Sequence[str]) -> int:
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "delete from mapping where channel = $1 and remote = any($2::text[]) returning remote",
                *(channel, list(remotes)),
            )
        return len(rows)

    async def page(self, channel: str, after: str, limit: int) -> list[Mapped]:
        """By remote id."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "select remote, sku, location, by, at from mapping where channel = $1 and remote > $2"
                " order by remote limit $3",
                *(channel, after, limit),
            )
        return [Mapped(**row) for row in rows]

    async def titled(self, channel: str, limit: int) -> list[tuple[str, str, str | None, str]]:
        """Remote id, sku, location and title, by remote id."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "select m.remote, m.sku, m.location, coalesce(l.title, '') as title from mapping m"
                " left join listing l on l.channel = m.channel and l.remote = m.remote"
                " where m.channel = $1 order by m.remote limit $2",
                *(channel, limit),
            )
        return [(row["remote"], row["sku"], row["location"], row["title"]) for row in rows]


_PUT = """
insert into mapping as m (channel, remote, sku, location, by)
select $1, l.remote, l.sku, l.location, $5 from unnest($2::text[], $3::text[], $4::text[]) as l(remote, sku, location)
on conflict (channel, remote) do update
   set sku = excluded.sku, location = excluded.location, by = excluded.by, at = now()
 where (m.sku, m.location) is distinct from (excluded.sku, excluded.location)
returning m.remote
"""
_OUTGOING = """
insert into outgoing as o (channel, remote, state) select $1, r.remote, 'unknown' from unnest($2::text[]) as r(remote)
on conflict (channel, remote) do update
   set state = case when o.state in ('rest', 'dead') then 'due' else o.state end, due_at = now(), changed_at = now(),
       changes = o.changes + 1
"""
_KEEP_ONLY = """
delete from mapping m
 where m.channel = $1 and not exists (select 1 from unnest($2::text[]) as kept(remote) where kept.remote = m.remote)
returning m.remote
"""
