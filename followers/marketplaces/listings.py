"""Listings as a channel was last read to have them, and the reading of them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from followers.database.database import Connection, Database, DatabaseAway
from followers.marketplaces.adapter import Listing, RemoteAway
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.mapping.proposals import Unmapped

LOOK_EVERY_S = 1.0
AGAIN_S = 60.0
"""After a reading that broke off."""
PAGES_MAX = 100_000
"""Of all listings: a channel whose cursor never ends is at fault."""
TEXT_CHARACTERS_MAX = 500
Which = Literal["all", "unmapped", "mapped", "dead", "waiting"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """``quantity``: as last read; ``sent``: as last sent or read back; None: not known. ``state``: of what goes out;
    None: it is not mapped. ``reason``: of what is dead or in doubt."""

    remote: str
    listed_sku: str
    barcode: str
    title: str
    quantity: int | None
    read_at: datetime | None
    sku: str | None
    location: str | None
    state: str | None
    sent: int | None
    sent_at: datetime | None
    wanted: int | None
    available: int | None
    reason: str | None


class ListingStore:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, channel: str, which: str, after: str, limit: int) -> list[Shown]:
        """By remote id."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"{_SHOWN} and {_WHICH[which]} order by remote limit $3", channel, after, limit
            )
        return [Shown(**row) for row in rows]

    async def unmapped(self, channel: str, after: str, limit: int) -> list[Unmapped]:
        found = await self.page(channel, "unmapped", after, limit)
        return [Unmapped(one.remote, one.listed_sku, one.barcode, one.title) for one in found]

    async def counts(self, channel: str) -> dict[str, int]:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_COUNTS, channel)
        return {name: int(value) for name, value in row.items()}

    async def ask(self, channel: str) -> None:
        """They are read by whoever holds the channel."""
        async with self._database.transaction() as connection:
            await connection.execute("update channel set listings_asked_at = now() where id = $1", channel)

    async def asked(self, channel: str) -> bool:
        """Whether they are to be read: never were, or somebody asked since."""
        async with self._database.transaction() as connection:
            return bool(
                await connection.fetchval(
                    "select listings_read_at is null or listings_asked_at > listings_read_at from channel"
                    " where id = $1",
                    channel,
                )
            )


class ListingsReading:
    """A Work: reads all listings of a channel at first, and when somebody asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = ListingStore(database)

    def loops(self, leased: LeasedChannel) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {"listings": lambda: self._run(leased)}

    async def _run(self, leased: LeasedChannel) -> None:
        while True:
            await leased.ready()
            wait_s = LOOK_EVERY_S
            try:
                if await self._store.asked(leased.id):
                    await self._read(leased)
            except DatabaseAway:
                wait_s = AGAIN_S
            except RemoteAway as error:
                log.warning("the listings of a channel are not read channel=%s reason=%r", leased.id, str(error))
                wait_s = AGAIN_S
            await asyncio.sleep(wait_s)

    async def _read(self, leased: LeasedChannel) -> None:
        async with leased.writing(self._database) as connection:
            begun_at: datetime = await connection.fetchval("select clock_timestamp()")
        async for listings in all_of(leased):
            async with leased.writing(self._database) as connection:
                await store(connection, leased.id, listings)
        async with leased.writing(self._database) as connection:
            await connection.execute("delete from listing where channel = $1 and read_at < $2", leased.id, begun_at)
            await connection.execute("update channel set listings_read_at = $2 where id = $1", leased.id, begun_at)


async def all_of(leased: LeasedChannel) -> AsyncIterator[Sequence[Listing]]:
    """As the channel has them now, a page at a time. Raises RemoteAway."""
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        page = await leased.ask(leased.adapter.levels, cursor)
        yield page.listings
        cursor = page.cursor
        if cursor is None:
            return
    raise RemoteAway(f"has more than {PAGES_MAX} pages of listings")


async def store(connection: Connection, channel: str, listings: Sequence[Listing]) -> None:
    """As they were read just now."""
    await connection.execute(_TAKE, channel, *_columns(listings))


def _columns(listings: Sequence[Listing]) -> list[list[Any]]:
    newest = {one.remote: asdict(one) for one in listings}
    texts = [[_storable(one[name]) for one in newest.values()] for name in ("remote", "sku", "barcode", "title")]
    return [*texts, [one["quantity"] for one in newest.values()]]


def _storable(text: str) -> str:
    """Somebody typed it there: PostgreSQL stores no NUL and no half of a pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:TEXT_CHARACTERS_MAX]


_TAKE = """
insert into listing (channel, remote, sku, barcode, title, quantity, read_at)
select $1, l.*, clock_timestamp()
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[]) as l(remote, sku, barcode, title, quantity)
on conflict (channel, remote) do update
   set sku = excluded.sku, barcode = excluded.barcode, title = excluded.title, quantity = excluded.quantity,
       read_at = excluded.read_at
"""
_SHOWN = """
select * from (
  select coalesce(l.remote, m.remote) as remote, coalesce(l.sku, '') as listed_sku, coalesce(l.barcode, '') as barcode,
         coalesce(l.title, '') as title, l.quantity, l.read_at, m.sku, m.location, o.state, o.sent_quantity as sent,
         o.sent_at, o.wanted_quantity as wanted, o.available, o.last_reason as reason
    from (select * from listing where channel = $1) l
    full join (select * from mapping where channel = $1) m on m.remote = l.remote
    left join outgoing o on o.channel = $1 and o.remote = m.remote) s
 where remote > $2
"""
_WHICH = {
    "all": "true",
    "unmapped": "sku is null",
    "mapped": "sku is not null",
    "dead": "state = 'dead'",
    "waiting": "state in ('due', 'accepted', 'unknown')",
}
WHICH = tuple(_WHICH)
_COUNTS = """
select (select count(*) from mapping where channel = $1) as mapped,
       (select count(*) from listing l where l.channel = $1
          and not exists (select 1 from mapping m where m.channel = $1 and m.remote = l.remote)) as unmapped,
       (select count(*) from outgoing where channel = $1 and state = 'due') as due,
       (select count(*) from outgoing where channel = $1 and state in ('accepted', 'unknown')) as in_doubt,
       (select count(*) from outgoing where channel = $1 and state = 'dead') as dead
"""
