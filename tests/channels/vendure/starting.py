"""Vendure as a process of a test, over a database of its own in the run's PostgreSQL."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.channels.vendure.shop import USER, Shop
from tests.harness.node import NODE, environment
from tests.harness.node_peers import need_node_peer
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess, clean_environment
from tests.harness.source import ROOT

SERVER = Path(__file__).with_name("server.cjs")
PLUGIN = ROOT / "deploy" / "vendure" / "stockwire-plugin.js"


@contextmanager
def vendure(
    postgres: PostgresServer, folder: Path, *, notices_url: str = "", notices_secret: str = ""
) -> Iterator[Shop]:
    """``started``, for tests with an event loop each."""
    with asyncio.Runner() as runner:
        opened = started(postgres, folder, notices_url=notices_url, notices_secret=notices_secret)
        shop = runner.run(opened.__aenter__())
        try:
            yield shop
        finally:
            runner.run(opened.__aexit__(None, None, None))


@asynccontextmanager
async def started(
    postgres: PostgresServer, folder: Path, *, notices_url: str = "", notices_secret: str = ""
) -> AsyncIterator[Shop]:
    """A shop in which one can buy, of nothing yet. ``notices_url``: where our plugin sends; empty: it is not installed.

    Takes about 3 s of a processor. Skips the test where Vendure is not installed.
    """
    packages = need_node_peer("vendure") / "node_modules"
    database = postgres.create_database()
    password = secrets.token_urlsafe(16)
    url = urlsplit(postgres.url(database))
    settings = {
        "NODE_PATH": packages,
        "PGHOST": parse_qs(url.query)["host"][0],
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": database,
        "VENDURE_USER": USER,
        "VENDURE_PASSWORD": password,
        "VENDURE_DISABLE_TELEMETRY": "true",
        "PLUGIN": PLUGIN,
        "NOTICES_URL": notices_url,
        "NOTICES_SECRET": notices_secret,
    }
    variables = clean_environment({**environment(), **settings})
    process = ServerProcess("vendure", variables, folder, [str(SERVER)], program=NODE)
    try:
        await process.start()
        shop = Shop(process.url, password)
        async with shop:
            await shop.open()
        yield shop
        await process.stop()
    finally:
        process.kill()
        postgres.drop_database(database)
