"""The level locks over real contention: a row that was waited for comes back, as it is now."""

import asyncio

from ledger.commit import statements
from ledger.commit.stock import LevelKey, Stock
from tests.ledger.commit_path import SHARDS, commit_path, line, operation
from wire.shards import shard_of


async def test_a_level_that_was_waited_for_is_not_lost(database_url: str) -> None:
    """With a kept plan over all partitions, PostgreSQL must not drop the row that another writer has just moved."""
    keys = sorted(LevelKey(shard_of("berlin", SHARDS), "berlin", sku) for sku in ("A", "B"))
    async with commit_path(database_url) as path:
        await path.add_catalog(["A", "B"], ["berlin"])
        await path.writers.submit(operation(line("A", "berlin", 5), line("B", "berlin", 5)))
        async with path.connected() as first, path.connected() as second:
            for connection in (first, second):
                await connection.execute("set lock_timeout = '30s'")
            for number in range(8):
                async with second.transaction():
                    async with first.transaction():
                        await statements.lock(first, keys)
                        waiting = asyncio.create_task(statements.lock(second, keys))
                        await first.execute("update stock_level set version = version + 1 where sku = 'A'")
                        done, _ = await asyncio.wait([waiting], timeout=0.1)
                        assert not done, "nobody waited: this proved nothing"
                    assert await waiting == {keys[0]: Stock(5, 0, 2 + number, 1), keys[1]: Stock(5, 0, 1, 1)}
