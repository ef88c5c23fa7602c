"""A database of schema 0001 as years of sales left it: many levels, each with a few events, all of them claimed.

Written in SQL, without looking at what it refers to: a million levels in a minute or two. The audit finds it clean.
"""

import asyncio
from dataclasses import dataclass

import asyncpg

from ledger.migrations import SHARDS_DEFAULT
from tests.ledger.migrations.databases import expand_to
from wire.shards import shard_of

LEVELS = 1_000_000
EVENTS_PER_LEVEL = 5
"""A receipt, and sales."""
LOCATIONS_PER_SHARD = 5
LINES = 100
"""Of one operation."""
RECEIVED = 1_000
"""Of each level: nobody sells it out."""

FAST = "set session_replication_role = replica; set synchronous_commit = off"
"""The first: no foreign key is looked up. What is wrong then the audit finds."""

ITEMS = "insert into item (sku, name) select format('sku-%s', lpad(n::text, 6, '0')), 'x' from generate_series(0, $1) n"

LEVEL_ROWS = """
insert into stock_level_{shard} (shard, location, sku, on_hand, version)
select {shard}, '{location}', sku, {on_hand}, {version} from item order by sku
"""

EVENT_ROWS = """
with made as (
  insert into operation (id, owner, key, request_hash, lines, shards, first_seqs, events, committed_at)
  select encode(substring(sha256(convert_to('till', 'UTF8') || '\\x00'::bytea || convert_to(key, 'UTF8')) for 16),
                'hex')::uuid,
         'till', key, sha256(convert_to(key, 'UTF8')),
         (select jsonb_agg(jsonb_build_object('sku', format('sku-%s', lpad(n::text, 6, '0')), 'location', '{location}',
                                              'kind', '{kind}', 'quantity', {quantity}))
            from generate_series(first, first + count - 1) n),
         array[{shard}], array[{base}::bigint + first + 1], array[count], now()
    from (select format('{location}-{version}-%s', first) as key, first, least({lines}, {skus} - first) as count
            from generate_series(0, {skus} - 1, {lines}) first) o
  returning id, first_seqs[1] - {base} - 1 as first, events[1] as count)
insert into stock_event_{shard} (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand,
                                 reserved, operation, actor, committed_at)
select {shard}, {base} + n + 1, {version}, format('sku-%s', lpad(n::text, 6, '0')), '{location}', '{kind}', {quantity},
       0, {on_hand}, 0, id, 'till', now()
  from made, generate_series(first, first + count - 1) n
"""


@dataclass(frozen=True, slots=True)
class Stocked:
    """What is there: every sku at every location. ``shards``: of each location."""

    skus: tuple[str, ...]
    shards: dict[str, int]

    @property
    def levels(self) -> int:
        return len(self.skus) * len(self.shards)


async def stock(url: str, levels: int, shards: int = SHARDS_DEFAULT) -> Stocked:
    """Fill the empty database at ``url``: about ``levels`` levels, each with EVENTS_PER_LEVEL events."""
    await expand_to(url, "0001")
    places = _places(shards)
    skus = max(1, levels // len(places))
    connection = await asyncpg.connect(url)
    await connection.execute(FAST)
    await connection.execute(ITEMS, skus - 1)
    await connection.executemany("insert into location values ($1, $1, $2)", list(places.items()))
    by_shard = [[place for place, of in places.items() if of == shard] for shard in range(shards)]
    await asyncio.gather(*(_fill_shard(url, shard, names, skus) for shard, names in enumerate(by_shard)))
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    await connection.close()
    return Stocked(tuple(f"sku-{number:06}" for number in range(skus)), places)


def _places(shards: int) -> dict[str, int]:
    """Locations with their shards, as many in each."""
    found: dict[str, int] = {}
    number = 0
    while len(found) < shards * LOCATIONS_PER_SHARD:
        name, number = f"shop-{number:03}", number + 1
        if [*found.values()].count(shard_of(name, shards)) < LOCATIONS_PER_SHARD:
            found[name] = shard_of(name, shards)
    return found


async def _fill_shard(url: str, shard: int, places: list[str], skus: int) -> None:
    """The log as it grew: all levels were moved once, then all a second time."""
    connection = await asyncpg.connect(url)
    await connection.execute(FAST)
    base = 0
    for version in range(1, EVENTS_PER_LEVEL + 1):
        kind, quantity = ("receipt", RECEIVED) if version == 1 else ("sale", -1)
        for location in places:
            values = {
                **{"shard": shard, "location": location, "version": version, "kind": kind, "quantity": quantity},
                **{"on_hand": RECEIVED + 1 - version, "base": base, "skus": skus, "lines": LINES},
            }
            await connection.execute(EVENT_ROWS.format(**values))
            if version == EVENTS_PER_LEVEL:
                await connection.execute(LEVEL_ROWS.format(**values))
            base += skus
    await connection.execute("update shard set head = $2 where id = $1", shard, base)
    await connection.close()
