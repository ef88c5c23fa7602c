"""Operations sent until each is decided, several requests in flight. Never twice: every one has its own key."""

import asyncio
import random
from collections.abc import Awaitable, Iterable, Sequence

from stockwire.asyncio.client import AsyncClient
from stockwire.errors import IdempotencyMismatch, Invalid, Later, StockwireError
from stockwire.operation import Operation, Outcome
from stockwire.retry import RetryPolicy, Tries

IN_FLIGHT_MAX = 4
"""Requests of hundreds of lines: one commits, one waits for its turn, two are on their way."""
RETRY_FOR_S = 60.0
"""How long one operation is sent again: ledger, database and broker may all be killed and come back meanwhile."""
RETRIES_MAX = 10_000
"""The time counts, not the number."""


async def send(client: AsyncClient, operations: Sequence[Operation]) -> list[Outcome]:
    """One outcome for each, in their order, none of them a Later. Raises StockwireError for what concerns them all.

    Safe to repeat. The operations of one call must not depend on one another: one that could not be decided yet is
    sent again after the others.
    """
    outcomes: dict[str, Outcome] = {}
    todo = list(operations)
    clock = asyncio.get_running_loop().time
    begun, tries = clock(), Tries(RetryPolicy(RETRIES_MAX, RETRY_FOR_S), writes=True)
    while todo:
        outcomes |= {outcome.key: outcome for outcome in await _sent(client, todo)}
        todo = [operation for operation in todo if isinstance(outcomes[operation.key].error, Later)]
        if todo:
            error = outcomes[todo[0].key].error
            assert error is not None
            wait_s = tries.wait_s(error, clock() - begun, random.random())
            if wait_s is None:
                raise tries.verdict(error)
            await asyncio.sleep(wait_s)
    return [outcomes[operation.key] for operation in operations]


async def _sent(client: AsyncClient, operations: Sequence[Operation]) -> list[Outcome]:
    """One that no ledger takes refuses its whole request, before anything is booked: it is looked for by halves."""
    try:
        return await client.operations(operations)
    except Invalid as error:
        if isinstance(error, IdempotencyMismatch):
            raise
        if len(operations) == 1:
            return [Outcome(operations[0].key, None, replayed=False, error=error)]
    middle = len(operations) // 2
    return [*await _sent(client, operations[:middle]), *await _sent(client, operations[middle:])]


async def in_flight(work: Iterable[Awaitable[None]]) -> None:
    """Begin each in order, at most `IN_FLIGHT_MAX` unfinished. The first error stops all and is raised as it is."""
    slots = asyncio.Semaphore(IN_FLIGHT_MAX)

    async def one(piece: Awaitable[None]) -> None:
        try:
            await piece
        finally:
            slots.release()

    try:
        async with asyncio.TaskGroup() as group:
            for piece in work:
                await slots.acquire()
                group.create_task(one(piece))
    except* StockwireError as failures:
        raise _first(failures) from None


def _first(failures: BaseExceptionGroup[StockwireError]) -> StockwireError:
    first: BaseException = failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, StockwireError)
    return first
