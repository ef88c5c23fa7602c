"""What is under fire: two ledgers and two hubs over a PostgreSQL and a Valkey of their own, a cable on every link."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.launch import Watchdog
from ledger import migrations
from tests.harness.moved_clock import faketime
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import Proxy, proxy_to, proxy_to_socket
from tests.harness.system import ProcessSystem
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import PATIENCE_S

DISK_MIB = 400
"""Enough for a new cluster and some minutes of log; filled up in a moment."""
SPREAD = 2
"""Ledgers, and hubs."""


@dataclass(eq=False)
class Field:
    """``ledgers`` and ``hubs``: cables that clients come by. ``disk``: None if none of its own could be mounted.

    ``clock``: the file that says how far the clocks of ledgers and hubs are off; None where they cannot be moved.
    """

    postgres: PostgresServer
    valkey: ValkeyServer
    system: ProcessSystem
    database: Proxy
    broker: Proxy
    disk: Path | None
    clock: Path | None
    ledgers: list[Proxy] = field(default_factory=list)
    hubs: list[Proxy] = field(default_factory=list)

    @property
    def ledger_urls(self) -> list[str]:
        return [f"http://127.0.0.1:{cable.port}" for cable in self.ledgers]

    @property
    def stream_urls(self) -> list[str]:
        return [f"ws://127.0.0.1:{cable.port}/v1/stream" for cable in self.hubs]

    @property
    def cables(self) -> list[Proxy]:
        return [self.database, self.broker, *self.ledgers, *self.hubs]


@asynccontextmanager
async def open_field(folder: Path, watchdog: Watchdog, disk_mib: int = DISK_MIB) -> AsyncIterator[Field]:
    """``folder``: a short path, open to the user that PostgreSQL runs as. Everything is ended and unmounted again.

    ``disk_mib`` 0: no file system of its own for PostgreSQL.
    """
    with ExitStack() as servers:
        (folder / "pg").mkdir()
        disk = servers.enter_context(_disk(folder / "pg", disk_mib))
        postgres = PostgresServer(folder / "pg", watchdog, {"max_wal_size": "96MB", "wal_keep_size": "0"})
        valkey = ValkeyServer(folder / "valkey", watchdog)
        servers.callback(valkey.stop)
        servers.callback(postgres.stop)
        postgres.start()
        valkey.start()
        await migrations.expand(postgres.url())
        async with AsyncExitStack() as cables:
            database = await cables.enter_async_context(proxy_to_socket(postgres.socket))
            broker = await cables.enter_async_context(proxy_to_socket(valkey.socket))
            system = ProcessSystem(folder, postgres.url(), valkey.url, "chaos")
            under_fire = Field(postgres, valkey, system, database, broker, disk, _clock(folder))
            try:
                await _start(under_fire, cables)
                yield under_fire
            finally:
                for cable in under_fire.cables:
                    cable.heal()
                await system.stop()


async def _start(under_fire: Field, cables: AsyncExitStack) -> None:
    system = under_fire.system
    settings: dict[str, Any] = {
        "STOCKWIRE_REDIS_URL": under_fire.valkey.proxied_url(under_fire.broker.port),
        "STOCKWIRE_LEDGER_RATE_PER_S": 0,
    }
    if under_fire.clock is not None:
        settings |= {
            "LD_PRELOAD": faketime(),
            "FAKETIME_TIMESTAMP_FILE": under_fire.clock,
            "FAKETIME_NO_CACHE": 1,
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
        }
    database = under_fire.postgres.proxied_url(under_fire.database.port)
    for _ in range(SPREAD):
        ledger = await system.start_ledger(**{**settings, "STOCKWIRE_DATABASE_URL": database})
        under_fire.ledgers.append(await cables.enter_async_context(proxy_to(*_address(ledger.url))))
    del settings["STOCKWIRE_LEDGER_RATE_PER_S"]
    for _ in range(SPREAD):
        hub = await system.start_hub(**settings)
        under_fire.hubs.append(await cables.enter_async_context(proxy_to(*_address(hub.stream))))


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@contextmanager
def _disk(folder: Path, size_mib: int) -> Iterator[Path | None]:
    """A file system of its own for PostgreSQL, so small that it can be filled up; None where none may be mounted."""
    mounted = bool(size_mib) and not _run("mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(folder))
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            _run("umount", "-l", str(folder))


def _clock(folder: Path) -> Path | None:
    if faketime() is None:
        return None
    clock = folder / "clock"
    clock.write_text("+0\n")
    return clock


def _run(*command: str) -> int:
    try:
        return subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False).returncode
    except FileNotFoundError:
        return 127
