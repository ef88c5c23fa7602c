"""A primary and a standby that follows it by streaming replication; either can be promoted, and the other follow."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cli.launch import Watchdog
from cli.wheels import postgres_programs
from tests.harness.postgres import PostgresServer
from tests.harness.waiting import PATIENCE_S, wait_until

OPTIONS = {"fsync": "off", "max_wal_size": "64MB", "wal_receiver_timeout": "5s", "wal_retrieve_retry_interval": "100ms"}
"""No test pulls the machine's plug."""
SYNCHRONOUS = "alter system set synchronous_standby_names = '*'"
ALONE = "alter system reset synchronous_standby_names"


class DatabasePair:
    """``first`` is the primary at the beginning. Both keep their addresses for their whole lives."""

    def __init__(self, folder: Path, watchdog: Watchdog) -> None:
        self.first = PostgresServer(folder / "a", watchdog, OPTIONS)
        (folder / "b").mkdir(parents=True)
        shutil.copy(folder / "a" / "postgres.password", folder / "b")
        self.second = PostgresServer(folder / "b", watchdog, OPTIONS)

    @property
    def url(self) -> str:
        """Names both, the first one first."""
        return f"{self.first.url()}&host={_socket_folder(self.second)}"

    async def follow(self, standby: PostgresServer, primary: PostgresServer) -> None:
        """``standby`` begins anew as a copy of ``primary``, which waits for it with every commit from then on."""
        await asyncio.to_thread(standby.stop)
        owner = primary.data.stat()
        await asyncio.to_thread(_copy, standby, primary)
        standby.give_data_to(owner.st_uid, owner.st_gid)
        await asyncio.to_thread(standby.start)
        await wait_until(lambda: _streams(primary), what="the standby streams", swallow=Exception)
        await _alter(primary, SYNCHRONOUS)

    async def promote(self, standby: PostgresServer) -> None:
        """It takes writes when this returns, alone until somebody follows it."""
        await standby.query("select pg_promote()")
        await _alter(standby, ALONE)


@contextmanager
def database_pair(folder: Path, watchdog: Watchdog) -> Iterator[DatabasePair]:
    """The first one running, the second not made yet."""
    pair = DatabasePair(folder, watchdog)
    try:
        pair.first.start()
        yield pair
    finally:
        pair.second.stop()
        pair.first.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _copy(standby: PostgresServer, primary: PostgresServer) -> None:
    shutil.rmtree(standby.data, ignore_errors=True)
    url = urlsplit(primary.url())
    program = postgres_programs() / "pg_basebackup"
    subprocess.run(
        [
            program,
            "-h",
            _socket_folder(primary),
            "-U",
            str(url.username),
            "-D",
            standby.data,
            "-c",
            "fast",
            "--no-sync",
        ],
        env={**os.environ, "PGPASSWORD": str(url.password)},
        check=True,
        timeout=PATIENCE_S,
    )
    (standby.data / "standby.signal").touch()
    source = f"host={_socket_folder(primary)} user={url.username} password={url.password}"
    with (standby.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"primary_conninfo = '{source}'\n")


def _socket_folder(server: PostgresServer) -> str:
    return parse_qs(urlsplit(server.url()).query)["host"][0]


async def _streams(primary: PostgresServer) -> bool:
    return bool(await primary.query("select 1 from pg_stat_replication where state = 'streaming'"))


async def _alter(server: PostgresServer, statement: str) -> None:
    await server.query(statement)
    await server.query("select pg_reload_conf()")
