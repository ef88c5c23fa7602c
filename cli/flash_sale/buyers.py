"""Buyers of a flash sale: each wants one unit, over HTTP, under a key of its own, all at the same moment."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum

from cli.running_system import RunningSystem
from stockwire import AsyncClient
from stockwire.errors import Later, OutOfStock, UnexpectedAnswer

IN_FLIGHT_MAX = 64  # more would queue in this process, on the processor that the servers share
POOLS_MAX = 8  # one HTTP pool of 64 connections costs three times the processor time of eight small ones
TRIES_MAX = 20
RETRY_FOR_S = 60.0  # longer than any part of an `up` takes to come back
TRY_TIMEOUT_S = 10.0


class Outcome(StrEnum):
    SOLD = "sold"
    REFUSED = "refused"
    NEVER_PAID = "never paid"
    """It was held, and let go of when its time was over."""
    UNKNOWN = "unknown"
    """No answer after every retry with the same key."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """``took_s``: from the request to its last answer, retries included. ``answered_at``: monotonic seconds."""

    outcome: Outcome
    took_s: float
    answered_at: float


def callers(buyers: int) -> int:
    """How many ask at once; the others take the places of those that were answered."""
    return min(buyers, IN_FLIGHT_MAX)


async def buy(
    system: RunningSystem, sku: str, location: str, buyers: int, answered: Callable[[Purchase], None]
) -> list[Purchase]:
    """Returns when every buyer has an answer, or has given up. ``answered`` is called with each, at once.

    Connections are open before the first request, and nobody asks before everybody is there.
    """
    waiting = iter(range(buyers))
    at_once = callers(buyers)
    start = asyncio.Barrier(at_once)
    purchases: list[Purchase] = []

    async def stand_in_line(client: AsyncClient) -> None:
        await client.stock.get(sku, location)
        await start.wait()
        for number in waiting:
            purchases.append(await _purchase(client, sku, location, number))
            answered(purchases[-1])

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(system)) for _ in range(min(at_once, POOLS_MAX))]
        async with asyncio.TaskGroup() as tasks:
            for number in range(at_once):
                tasks.create_task(stand_in_line(clients[number % len(clients)]), name="buyers")
    return purchases


def client_of(system: RunningSystem) -> AsyncClient:
    return AsyncClient(
        system.ledger, system.key, max_retries=TRIES_MAX, retry_for_s=RETRY_FOR_S, timeout_s=TRY_TIMEOUT_S
    )


async def _purchase(client: AsyncClient, sku: str, location: str, number: int) -> Purchase:
    began = time.monotonic()
    try:
        await client.stock.sell(sku, location, key=f"{sku}:{number}", reference=f"buyer {number}")
        outcome = Outcome.SOLD
    except OutOfStock:
        outcome = Outcome.REFUSED
    except (Later, UnexpectedAnswer):
        outcome = Outcome.UNKNOWN
    now = time.monotonic()
    return Purchase(outcome, now - began, now)
