"""What a shop has written long ago: levels and events that a backfill has to go through, and that no till touches."""

from stockwire import AsyncClient, receipt
from tests.harness.size import SIZE
from tests.upgrades.field import Field

LOCATION = "archive"
LEVELS = 300
OPERATIONS = SIZE.of(100)
"""Each an event of each level."""


async def fill_archive(field: Field) -> None:
    await field.query("insert into item (sku, name) select 'F' || n, 'old' from generate_series(1, $1) n", LEVELS)
    async with AsyncClient(field.system.ledger_url, field.key, timeout_s=30.0) as client:
        await client.locations.put(LOCATION, LOCATION)
        for number in range(OPERATIONS):
            lines = [receipt(f"F{n}", LOCATION, 1) for n in range(1, LEVELS + 1)]
            await client.operation(lines, key=f"archive-{number}")
