"""Every program on a page that watches stock, through a kill of its hubs: in the end it says what the ledger says.

A new one is found by itself (``watching_blocks``). It prints a line with the sku whenever that has changed.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stockwire import AsyncClient
from tests.docs.pages import Block, watching_blocks
from tests.docs.running import Reader
from tests.harness.metrics import metric_of
from tests.harness.node import PACKAGE
from tests.harness.source import ROOT
from tests.harness.system import Grounds, ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

STOCK = {"shop": ("85123A", "71053"), "berlin": ("TEA-1", "A-100", "B-100"), "web": ("A-100", "B-200")}
"""What the pages watch. Each begins with BEGIN units: two of the programs sell one of them first."""
BEGIN, DELIVERED = 6, 9
OLD = re.compile(r"\(old\)|as far as we know")
PROGRAMS = watching_blocks()


def name_of(found: Block) -> str:
    return f"{found.page.relative_to(ROOT)}-{found.language}-{found.name}"


@dataclass
class Watching:
    """A program of a page, its lines so far, and what it said when there was time to: by moment, what was wrong."""

    program: Block
    lines: list[str] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def skus(self) -> list[tuple[str, str]]:
        """By location and sku; those that the program names, else all of the location that it names."""
        every = [(location, sku) for location, skus in STOCK.items() for sku in skus]
        named = [(location, sku) for location, sku in every if f'"{sku}"' in self.program.text]
        return named or [key for key in every if f'"{key[0]}"' in self.program.text]

    async def read(self, lines: asyncio.StreamReader) -> None:
        while line := await lines.readline():
            self.lines.append(line.decode().rstrip())

    def differs(self, available: Mapping[tuple[str, str], int]) -> list[str]:
        """Each sku of which the last line says another thing than the ledger."""
        found = []
        for key in self.skus:
            said = next((line for line in reversed(self.lines) if key[1] in line), "nothing")
            if OLD.search(said) or not truths(self.program, available[key]) & words(said, key[1]):
                found.append(f"{key[1]}: {available[key]} available, it says {said!r}")
        return found


def truths(program: Block, available: int) -> set[str]:
    """What a program may say of so many units. "Back in stock" says nothing of what is gone, and
    what was low when it began has not become so."""
    if "when=AtLeast(1)" in program.text:
        return {"back"} if available else {"nothing", "for", "back"}
    if "when=AtMost(5" in program.text:
        return {"low", "nothing"} if available <= 5 else {"full"}
    if "subscribe_public" in program.text:
        return {"5+" if available < 10 else "10+"} if available >= 5 else {"1+" if available else "0"}
    return {str(available)} if available else {"0", "out"}


def words(line: str, sku: str) -> set[str]:
    return set(line.replace(sku, "").replace(":", " ").split())


@pytest.fixture(scope="module")
def watched(grounds: Grounds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Watching]]:
    """All of them at once, through the same two kills; the tests look at each."""
    with grounds.system(ProcessSystem) as system:
        yield asyncio.run(_watch(system, tmp_path_factory.mktemp("watching")))


async def _watch(system: ProcessSystem, folder: Path) -> dict[str, Watching]:
    key = await system.admin_key()
    reader = Reader.of_system(folder, system, key)
    reader.variables |= {"STOCKWIRE_URL": system.ledger_url, "STOCKWIRE_API_KEY": key, "PYTHONUNBUFFERED": "1"}
    # As if the client were installed: that it can be is shown where the page is followed from its beginning
    reader.meant = {'from "@stockwire/client"': f'from "{(PACKAGE / "src" / "index.js").as_uri()}"'}
    runs = [Watching(program) for program in PROGRAMS]
    async with AsyncClient(system.ledger_url, key) as client, AsyncExitStack() as stack:
        await _fill(client)
        for one in runs:
            if one.program.language == "js":
                running = reader.script_running(one.program.text, READ_TOKEN=key)
            else:
                running = reader.python_running(one.program.text)
            lines = await stack.enter_async_context(running)
            task = asyncio.create_task(one.read(lines))
            stack.callback(task.cancel)
        await wait_until(lambda: _all_subscribed(system, len(runs)), PATIENCE_S, what="every program has subscribed")
        await _sell(client, 1)
        for hub in system.hubs:
            hub.kill()
        await _sell(client, BEGIN)
        await asyncio.gather(*(hub.restart() for hub in system.hubs))
        await _judge(client, runs, "sold out while both hubs were dead")
        for hub in system.hubs:
            hub.kill()
        for location, sku in _every():
            await client.stock.receive(sku, location, DELIVERED)
        await asyncio.gather(*(hub.restart() for hub in system.hubs))
        await _judge(client, runs, "delivered while both hubs were dead")
    return {name_of(one.program): one for one in runs}


def _every() -> list[tuple[str, str]]:
    return [(location, sku) for location, skus in STOCK.items() for sku in skus]


async def _fill(client: AsyncClient) -> None:
    for location, skus in STOCK.items():
        await client.locations.put(location, location)
        for sku in skus:
            await client.items.put(sku, sku)
            await client.stock.receive(sku, location, BEGIN)


async def _sell(client: AsyncClient, units: int) -> None:
    """At most what is there."""
    for location, sku in _every():
        if there := (await client.stock.get(sku, location)).available:
            await client.stock.sell(sku, location, min(units, there))


async def _all_subscribed(system: ProcessSystem, number: int) -> bool:
    """Each has one subscription, and its first snapshot."""
    return sum([await metric_of(hub, "stockwire_hub_subscriptions") for hub in system.hubs]) >= number


async def _judge(client: AsyncClient, runs: list[Watching], moment: str) -> None:
    """Waits until all are right, or the time is up."""
    available = {key: (await client.stock.get(key[1], key[0])).available for key in _every()}

    async def all_right() -> bool:
        return not any(one.differs(available) for one in runs)

    try:
        await wait_until(all_right, PATIENCE_S)
    except AssertionError:
        for one in runs:
            if differs := one.differs(available):
                one.wrong[moment] = differs


@pytest.mark.parametrize("program", PROGRAMS, ids=name_of)
def test_a_program_of_a_page_ends_equal_to_the_ledger(program: Block, watched: dict[str, Watching]) -> None:
    one = watched[name_of(program)]
    assert one.skus, "it names no sku and no location of STOCK: add what the page watches there"
    assert one.wrong == {}, one.lines
