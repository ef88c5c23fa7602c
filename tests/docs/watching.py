"""Published programs that watch stock, run through the death of every hub: they end equal to the ledger."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

from stockwire import AsyncClient
from tests.system import System
from tests.waiting import wait_until

UNITS = 1_000
HEAL_S = 60.0
"""A client is back within seconds of its hub; on a machine that others use too."""
_NUMBER_LAST = re.compile(r"(\d+)\D*$")


@dataclass(frozen=True, slots=True)
class Program:
    """``run`` starts it; each line it prints that ends in a number (and words) shows ``sku`` at ``location``."""

    name: str
    location: str
    sku: str
    run: Callable[[], AbstractAsyncContextManager[asyncio.StreamReader]]


class Shown:
    """What a running program has shown last."""

    def __init__(self, program: Program, lines: asyncio.StreamReader) -> None:
        self.program = program
        self.number: int | None = None
        self._lines = lines

    async def follow(self) -> None:
        """To the end of what it prints."""
        while line := await self._lines.readline():
            if found := _NUMBER_LAST.search(line.decode()):
                self.number = int(found[1])


async def end_equal_to_the_ledger(system: System, client: AsyncClient, programs: Sequence[Program]) -> None:
    """Sell, kill every hub, sell, bring the hubs back. Raises AssertionError naming the programs that stay wrong."""
    for program in programs:
        await client.locations.put(program.location, program.location)
        await client.items.put(program.sku, program.sku)
        await client.stock.count(program.sku, program.location, UNITS, if_version=None)
    async with _running(programs) as screens:
        await wait_until(lambda: _each_has_shown(client, screens), HEAL_S, what="every program shows a sale")
        await wait_until(lambda: _none_differs(client, screens), HEAL_S, what="every program shows the last sale")
        for hub in system.hubs:
            hub.kill()
        for program in programs:
            await client.stock.sell(program.sku, program.location)
        await asyncio.gather(*(hub.restart() for hub in system.hubs))
        await wait_until(lambda: _none_differs(client, screens), HEAL_S, what="no program shows what is not so")


@contextlib.asynccontextmanager
async def _running(programs: Sequence[Program]) -> AsyncIterator[list[Shown]]:
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        screens = [Shown(program, await stack.enter_async_context(program.run())) for program in programs]
        following = [tasks.create_task(screen.follow(), name=screen.program.name) for screen in screens]
        try:
            yield screens
        finally:
            for task in following:
                task.cancel()


async def _each_has_shown(client: AsyncClient, screens: Sequence[Shown]) -> bool:
    """What was sold before a program had its first snapshot is no change to it: sell until it has seen one."""
    silent = [screen for screen in screens if screen.number is None]
    for screen in silent:
        await client.stock.sell(screen.program.sku, screen.program.location)
    return not silent


async def _none_differs(client: AsyncClient, screens: Sequence[Shown]) -> bool:
    differing = {}
    for screen in screens:
        available = (await client.stock.get(screen.program.sku, screen.program.location)).available
        if screen.number != available:
            differing[screen.program.name] = f"shows {screen.number}, the ledger says {available}"
    if differing:
        raise DifferError(differing)
    return True


class DifferError(OSError):
    """For now: `wait_until` asks again."""
