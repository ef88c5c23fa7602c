"""docs/how-to/back-up-and-restore.md, followed to the letter on a database of its own, with clients watching."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from cli.wheels import postgres_programs
from stockwire import AsyncClient
from tests.docs.pages import HOW_TOS, block
from tests.docs.running import PROGRAMS, Reader, line_of, server_settings
from tests.faults.watcher import await_agreement, watching_hub
from tests.harness.postgres import PostgresServer
from tests.harness.source import ROOT
from tests.harness.system import System

logger = logging.getLogger(__name__)

PAGE = next(page for page in HOW_TOS if page.name == "back-up-and-restore.md")
PRINTED_DATA, PRINTED_BACKUP = "/var/lib/postgresql/data", "/backup/stockwire"


class Operator:
    """Follows the page: its paths are those of this machine, and what it writes belongs to PostgreSQL's user."""

    def __init__(self, reader: Reader, postgres: PostgresServer) -> None:
        self._reader = reader
        self._postgres = postgres
        reader.variables["PATH"] = f"{postgres_programs()}:{PROGRAMS}:{reader.variables['PATH']}"

    async def does(self, name: str, nth: int = 0) -> str:
        owner = self._postgres.data.stat()
        text = block(PAGE, "sh", name, nth)
        text = text.replace(PRINTED_DATA, str(self._postgres.data))
        text = text.replace(PRINTED_BACKUP, str(self._postgres.folder / "backup"))
        printed = await self._reader.shell(text)
        await asyncio.to_thread(self._postgres.give_data_to, owner.st_uid, owner.st_gid)
        return printed

    def browser(self, key: str) -> AbstractAsyncContextManager[asyncio.StreamReader]:
        """What the README's program for browsers shows."""
        text = block(ROOT / "README.md", "js", "subscribe").replace('"shop", ["85123A"]', '"berlin", ["A"]')
        return self._reader.script_running(text, READ_TOKEN=key)


@pytest.fixture
async def operator(private_system: System, private_postgres: PostgresServer, tmp_path: Path) -> Operator:
    await private_system.start(ledgers=1, hubs=2)
    reader = Reader.of_system(tmp_path, private_system, await private_system.admin_key())
    reader.variables.update(server_settings(private_system))  # as the page says under "Before you start"
    return Operator(reader, private_postgres)


async def test_after_a_restore_everybody_agrees_on_what_was_backed_up(
    operator: Operator, private_system: System, private_postgres: PostgresServer
) -> None:
    system, key = private_system, await private_system.admin_key()
    async with AsyncClient(system.ledger_url, key, max_retries=50) as client:
        await client.locations.put("berlin", "Berlin")
        await client.items.put("A", "A")
        await client.stock.receive("A", "berlin", 10)
        await client.stock.sell("A", "berlin", 1, key="before")
        await operator.does("back-up")
        async with (
            operator.browser(key) as shown,
            watching_hub(system.stream_urls[0], key, "berlin") as whole,
            watching_hub(system.stream_urls[1], key, "berlin", ["A"]) as one,
        ):
            for _ in range(3):
                await client.stock.sell("A", "berlin", 1)
            lost = await client.stock.sell("A", "berlin", 2, key="lost")
            await await_agreement(client, "berlin", [whole, one])
            before = whole.subscription.view.position

            await system.ledgers[0].stop()
            await asyncio.to_thread(private_postgres.stop)
            await operator.does("restore", 0)
            await asyncio.to_thread(private_postgres.start)
            assert "New epoch" in await operator.does("restore", 1)
            await system.ledgers[0].restart()

            assert (await client.stock.get("A", "berlin")).on_hand == 9
            assert (await client.stock.sell("A", "berlin", 1, key="before")).replayed
            again = await client.stock.sell("A", "berlin", 2, key="lost")
            assert not again.replayed
            assert again.operation == lost.operation
            await await_agreement(client, "berlin", [whole, one])
            assert whole.figures["berlin", "A"][:2] == (3, 7)
            while await line_of(shown) != "A 7":  # under a lower version than before
                pass
            after = whole.subscription.view.position
    assert before is not None
    assert after is not None
    assert before.epoch != after.epoch
    printed = await operator.does("restore", 2)
    logger.info("epoch %s became %s\n%s", before.epoch, after.epoch, printed)
    assert "every invariant holds" in printed
