"""View versions are counted with the steps that the database has, or not at all."""

import asyncpg
import pytest

from ledger.commit import statements
from ledger.commit.decide import decide
from ledger.commit.failure import Failure, failure_of
from ledger.commit.stock import LevelKey
from ledger.migrations import set_public_steps
from tests.ledger.commit_path import commit_path, line, operation
from wire.availability import DEFAULT_STEPS, PublicSteps
from wire.shards import shard_of

OTHER = PublicSteps((1, 20, 50), 20)


async def test_what_was_decided_with_other_steps_is_not_written(database_url: str) -> None:
    """Also if this process has read the new ones in between: the batch names those that it was decided with."""
    async with commit_path(database_url) as path:
        await path.add_catalog(["A"], ["berlin"])
        await path.writers.submit(operation(line("A", "berlin", 12)))
        key = LevelKey(shard_of("berlin", 4), "berlin", "A")
        async with path.connected() as connection:
            levels = await statements.load(connection, [key])
        decided = decide([operation(line("A", "berlin", -3))], levels, DEFAULT_STEPS)
        await set_public_steps(database_url, OTHER)
        path.heads.steps = OTHER
        async with path.connected() as connection:
            with pytest.raises(asyncpg.DivisionByZeroError) as refused:
                await statements.write(connection, decided)
        assert failure_of(refused.value) is Failure.MOVED
        assert await path.on_hand("A") == 12


async def test_a_writer_that_knows_old_steps_only_reads_the_new_ones_and_goes_on(database_url: str) -> None:
    async with commit_path(database_url) as path:
        await path.add_catalog(["A"], ["berlin"])
        await path.writers.submit(operation(line("A", "berlin", 60)))
        await set_public_steps(database_url, OTHER)
        for sold in (9, 2):  # 51, 49: only the second crosses a step, of the new ones
            await path.writers.submit(operation(line("A", "berlin", -sold)))
        assert path.heads.steps == OTHER
        assert await path.scalar("select view_version from stock_level") == 2
        assert await path.audit() == []
