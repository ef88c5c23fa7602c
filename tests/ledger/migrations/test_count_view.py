"""What the trigger counts for ledgers that do not is what a ledger that counts decides, whatever is booked."""

import random
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import asyncpg
from msgspec.structs import replace

from ledger import migrations
from ledger.commit import statements
from ledger.commit.decide import decide
from ledger.commit.line import COUNT, SIGNS, Line
from ledger.commit.operation import Operation, operation_id
from ledger.commit.stock import LevelKey, Stock
from tests.harness.chance import SEED
from tests.ledger.migrations.databases import OldLedger, expand_to
from wire.availability import DEFAULT_STEPS, PublicSteps

BATCHES = 60
PLACES = {"rome": 0, "oslo": 1}
SKUS = ("A", "B", "C")
QUANTITY_MAX = 13
"""Around the steps, so that a few sales cross several of them, and some cross none."""
OTHER_STEPS = (PublicSteps((3,), 3), PublicSteps((1, 2, 3, 4, 6, 8), 4), DEFAULT_STEPS)


class Stopped(Exception):
    pass


def stop_at_the_backfill(line: str) -> None:
    if "first view" in line:
        raise Stopped


@dataclass
class Shop:
    """``levels``: as a ledger that counts knows them."""

    chance: random.Random
    levels: dict[LevelKey, Stock]
    steps: PublicSteps = DEFAULT_STEPS

    def batch(self) -> list[Operation]:
        return [self._operation() for _ in range(self.chance.randint(1, 4))]

    def _operation(self) -> Operation:
        key = token_hex(8)
        kinds = [COUNT] if self.chance.random() < 0.3 else [*SIGNS]
        places = self.chance.sample([*self.levels], self.chance.randint(1, 3))
        # A count stands alone on its level; movements of one level add up, and make one event.
        repeats = 1 if kinds == [COUNT] else self.chance.randint(1, 3)
        lines = tuple(self._line(place, self.chance.choice(kinds)) for place in places for _ in range(repeats))
        return Operation(operation_id("till", key), "till", key, b"hash", lines)

    def _line(self, place: LevelKey, kind: str) -> Line:
        quantity = self.chance.randint(0 if kind == COUNT else 1, QUANTITY_MAX)
        if kind != COUNT:
            quantity *= SIGNS[kind] or self.chance.choice((1, -1))
        return Line(place.sku, place.location, place.shard, kind, quantity)

    def as_backfilled(self) -> None:
        """A level that has moved before it was counted is in its first view."""
        self.levels = {key: replace(stock, view_version=min(stock.version, 1)) for key, stock in self.levels.items()}


async def book(shop: Shop, old: OldLedger, counting: "asyncpg.Connection | None") -> None:
    """By a ledger that does not count, or by one that does."""
    decision = decide(shop.batch(), shop.levels, shop.steps)
    if not decision.stored:
        return
    if counting is None:
        await old.write(decision)
    else:
        await statements.write(counting, decision)
    shop.levels.update(decision.after)


async def counted(connection: "asyncpg.Connection") -> dict[Any, int]:
    rows = await connection.fetch("select shard, location, sku, view_version from stock_level")
    return {LevelKey(*row[:3]): row[3] for row in rows}


async def test_the_trigger_counts_as_a_ledger_does(empty_database_url: str) -> None:
    chance = random.Random(SEED)
    await expand_to(empty_database_url, "0001")
    connection = await asyncpg.connect(empty_database_url)
    counting = await asyncpg.connect(empty_database_url)
    try:
        await connection.executemany("insert into location values ($1, $1, $2)", [*PLACES.items()])
        await connection.executemany("insert into item (sku, name) values ($1, $1)", [(sku,) for sku in SKUS])
        keys = [LevelKey(shard, location, sku) for location, shard in PLACES.items() for sku in SKUS]
        await connection.executemany("insert into stock_level (shard, location, sku) values ($1, $2, $3)", keys)
        shop, old = Shop(chance, {key: Stock(0, 0, 0) for key in keys}), OldLedger(connection)
        for _ in range(5):
            await book(shop, old, None)
        shop.as_backfilled()
        try:
            await migrations.expand(empty_database_url, say=stop_at_the_backfill)
        except Stopped:
            await book(shop, old, None)
        await migrations.expand(empty_database_url)
        for number in range(BATCHES):
            if number % 10 == 9:
                shop.steps = chance.choice(OTHER_STEPS)
                await connection.execute("update ledger_meta set public_steps = $1", list(shop.steps.steps))
            await book(shop, old, counting if chance.random() < 0.3 else None)
            assert await counted(connection) == {key: stock.view_version for key, stock in shop.levels.items()}
    finally:
        await counting.close()
        await connection.close()
