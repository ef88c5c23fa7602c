"""Names of locations and skus for the shell's completion, from the ledger. Away or slow: nothing, and no word of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import typer

from stockwire.asyncio.client import AsyncClient
from stockwire.errors import NotFound, StockwireError
from stockwire.request import is_name

DEADLINE_S = 1.0
"""Somebody's cursor waits for it."""
NAMES_MAX = 200
"""More than a screen shows; whoever gets these types on."""


def complete_location(context: typer.Context, incomplete: str) -> list[str]:
    return _within_deadline(context, lambda client: _locations(client, incomplete))


def complete_sku(context: typer.Context, incomplete: str) -> list[str]:
    return _within_deadline(context, lambda client: _skus(client, incomplete))


async def _locations(client: AsyncClient, prefix: str) -> list[str]:
    async def whole() -> str:
        return (await client.locations.get(prefix)).location

    listed = (found.location async for found in client.locations.list(after=prefix or None))
    return await _beginning_with(prefix, whole, listed)


async def _skus(client: AsyncClient, prefix: str) -> list[str]:
    async def whole() -> str:
        return (await client.items.get(prefix)).sku

    listed = (found.sku async for found in client.items.list(after=prefix or None))
    return await _beginning_with(prefix, whole, listed)


async def _beginning_with(prefix: str, whole: Callable[[], Awaitable[str]], listed: AsyncIterator[str]) -> list[str]:
    """Listings are in order and begin behind the prefix: what it is itself is asked for, the rest follows at once."""
    names: list[str] = []
    try:
        if is_name(prefix):
            names.append(await whole())
    except NotFound:
        pass
    async for name in listed:
        if not name.startswith(prefix) or len(names) >= NAMES_MAX:
            break
        names.append(name)
    return names


def _within_deadline(context: typer.Context, ask: Callable[[AsyncClient], Awaitable[list[str]]]) -> list[str]:
    async def work() -> list[str]:
        async with asyncio.timeout(DEADLINE_S):
            async with AsyncClient(
                context.params.get("url"), context.params.get("key"), max_retries=0, timeout_s=DEADLINE_S
            ) as client:
                return await ask(client)

    try:
        return asyncio.run(work())
    except (StockwireError, TimeoutError, OSError):
        return []
