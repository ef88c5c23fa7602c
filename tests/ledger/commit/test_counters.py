"""What took long is told apart: waiting for a writer, the statement, the whole batch."""

import asyncio
import time

from sqlalchemy import text

from tests.harness.waiting import wait_until
from tests.ledger.commit_path import commit_path, line, operation

HELD_S = 0.1
HELD_S_SURE = 1.0
"""A statement that has waited for a row for two seconds is given up, and the locks are waited for by another."""
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


async def test_a_row_that_somebody_holds_shows_in_the_statement_and_in_the_wait_of_who_comes_next(
    database_url: str,
) -> None:
    async with commit_path(database_url) as path:
        await path.add_catalog(["A"], ["berlin"])
        await path.writers.submit(operation(line("A", "berlin", 2)))
        counters = path.writers.counters
        parts = counters.waits, counters.statements, counters.took
        before = [one.sum for one in parts]
        async with path.engine.connect() as elsewhere:
            await elsewhere.execute(text("select from stock_level where sku = 'A' for update"))
            first = path.writers.enqueue(operation(line("A", "berlin", -1)))

            async def waits() -> bool:
                return await path.scalar(WAITING) > 0

            await wait_until(waits)
            held_at = time.monotonic()
            second = path.writers.enqueue(operation(line("A", "berlin", -1)))
            await asyncio.sleep(HELD_S)
            held_s = min(time.monotonic() - held_at, HELD_S_SURE)
            await elsewhere.rollback()
        await asyncio.gather(first, second, return_exceptions=True)
        assert all(now - then >= held_s for now, then in zip([one.sum for one in parts], before, strict=True))
        assert (sum(counters.waits.counts), sum(counters.took.counts)) == (3, 3), "each in a batch of its own"
        assert counters.statements.sum <= counters.took.sum
