"""A real PostgreSQL 18 with its own data folder, for tests: start, kill, restart on the same address, restore."""

import asyncio
import os
import secrets
import shutil
import signal
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

from cli.embedded import Postgres
from cli.launch import Watchdog
from ledger.database.engine import SERVER_SETTINGS
from tests.harness.embedded_server import EmbeddedServer
from tests.harness.waiting import PATIENCE_S

T = TypeVar("T")

PATIENT = {**SERVER_SETTINGS, "idle_in_transaction_session_timeout": "0"}
"""For an engine of the tests' own: however long this machine stands still, PostgreSQL does not end its transactions."""
SHARED_MEMORY = {"dynamic_shared_memory_type": "mmap"}
"""In files of the data folder, which goes with the test. A server that is killed leaves the other kind in /dev/shm, a
megabyte each time, until one starts on the same folder again."""


class PostgresServer(EmbeddedServer[Postgres]):
    """``kill`` and ``pause`` are for the postmaster: connections that are open go on while it is paused, new ones hang.

    All methods but ``query`` block: inside a test that has other things going on, call them by ``asyncio.to_thread``.
    """

    def __init__(self, folder: Path, watchdog: Watchdog, options: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, Postgres(folder, watchdog, {**SHARED_MEMORY, **(options or {})}))
        self.data = folder / "postgres"

    @property
    def socket(self) -> Path:
        """For ``proxy_to_socket``."""
        return Path(parse_qs(urlsplit(self._server.url).query)["host"][0]) / ".s.PGSQL.5432"

    def url(self, database: str = "stockwire") -> str:
        return self._server.url_of(database)

    def proxied_url(self, port: int, database: str = "stockwire") -> str:
        """By a proxy that listens on 127.0.0.1 at ``port`` and leads to ``socket``."""
        parts = urlsplit(self._server.url)
        return f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{port}/{database}"

    def kill(self) -> None:
        """SIGKILL to the postmaster, as a fault; returns when its backends have noticed and gone too."""
        super().kill()
        if self._server.process is not None:
            self._await_backends_gone()

    def signal_all(self, number: signal.Signals) -> None:
        """To the postmaster and everything under it: SIGSTOP freezes the whole database, SIGCONT lets it go on."""
        for pid in _processes_over(self.data):
            with suppress(ProcessLookupError):  # one that has ended meanwhile
                os.kill(pid, number)

    def save(self, name: str) -> None:
        """Copy the data folder aside, as a disk snapshot would. The server is stopped for it, and not started again."""
        self.stop()
        shutil.copytree(self.data, self.folder / f"saved-{name}", symlinks=True)

    def restore(self, name: str) -> None:
        """Put a saved data folder back. The server is killed first if it runs, and not started."""
        self.kill()
        owner = self.data.stat()
        shutil.rmtree(self.data)
        shutil.copytree(self.folder / f"saved-{name}", self.data, symlinks=True)
        self.give_data_to(owner.st_uid, owner.st_gid)

    def give_data_to(self, user: int, group: int) -> None:
        """PostgreSQL runs only on a data folder of its own user, which differs from ours when we are root."""
        for path in (self.data, *self.data.rglob("*")):
            shutil.chown(path, user, group)

    def execute(self, statement: str, database: str = "stockwire") -> list[asyncpg.Record]:
        """Run one statement on its own connection, from outside any event loop or inside one."""
        return run_apart(self.query(statement, database))

    async def query(self, statement: str, database: str = "stockwire", *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url(database), timeout=PATIENCE_S)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    def create_database(self, template: str | None = None) -> str:
        """Returns the new database's name."""
        name = f"test_{secrets.token_hex(6)}"
        # The other strategy writes each page to the log as well
        self.execute(f"create database {name}" + (f" template {template} strategy file_copy" if template else ""))
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"drop database if exists {name} with (force)")

    def _await_backends_gone(self) -> None:
        """A postmaster refuses to start while an orphaned backend still holds its shared memory."""
        deadline = time.monotonic() + PATIENCE_S
        while left := _processes_over(self.data):
            assert time.monotonic() < deadline, f"backends outlive their postmaster: {left}"
            time.sleep(0.02)


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread of its own: works inside and outside of a running loop."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


def _processes_over(data: Path) -> list[int]:
    """Processes whose working directory is the data folder: every PostgreSQL process changes into it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == data:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
