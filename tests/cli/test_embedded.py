"""The embedded servers: real, private, durable, and gone when we are gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
import psutil
import pytest
import redis

from cli.embedded import Postgres, Valkey, is_leftover
from cli.launch import Launch, Watchdog
from cli.watchdog import Child, end, start_time
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    with Watchdog() as watchdog:
        yield watchdog


async def test_what_was_committed_is_there_again_at_the_same_address(tmp_path: Path, watchdog: Watchdog) -> None:
    with Postgres(tmp_path, watchdog) as postgres:
        connection = await asyncpg.connect(postgres.url)
        await connection.execute("create table kept (n int)")
        assert await connection.fetchval("select current_setting('fsync')") == "on"
        await connection.close()
        assert postgres.process is not None
        postgres.process.kill()
        postgres.process.wait()
        postgres.start()
        connection = await asyncpg.connect(postgres.url)
        assert await connection.fetchval("select count(*) from kept") == 0
        await connection.close()


async def test_nobody_gets_in_without_the_password(tmp_path: Path, watchdog: Watchdog) -> None:
    with Postgres(tmp_path, watchdog) as postgres:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.url.replace("stockwire:", "stockwire:x", 1))
        assert (tmp_path / "postgres").stat().st_mode & 0o027 == 0
        assert (tmp_path / "postgres.password").stat().st_mode & 0o777 == 0o600
        for sockets in (tmp_path / "sockets").glob("*"):
            assert sockets.stat().st_mode & 0o007 == 0


async def test_a_folder_too_deep_for_a_socket_path(tmp_path: Path, watchdog: Watchdog) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with Postgres(deep, watchdog) as postgres, Valkey(deep, watchdog) as valkey:
        connection = await asyncpg.connect(postgres.url)
        await connection.close()
        with redis.Redis.from_url(valkey.url) as client:
            assert client.ping()
        sockets = Path(valkey.url.removeprefix("unix://")).parent
        assert sockets.exists()
    watchdog.close()
    assert not sockets.exists()


def test_a_first_start_that_was_cut_off_begins_again(tmp_path: Path, watchdog: Watchdog) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    postgres = Postgres(tmp_path, watchdog)
    # We write nothing where the user that it runs as may have put a link: this is in the way of whoever would
    (Path(unquote(urlsplit(postgres.url).query.removeprefix("host="))) / "initdb").mkdir()
    with postgres:
        assert postgres.answers()
    assert not half.exists()


def test_valkey_starts_beside_the_socket_of_a_killed_one(tmp_path: Path, watchdog: Watchdog) -> None:
    with Valkey(tmp_path, watchdog) as valkey:
        assert valkey.process is not None
        valkey.process.kill()
        valkey.process.wait()
        valkey.start()
        assert valkey.answers()


@pytest.mark.parametrize(
    ("difference", "ours"),
    [
        ({}, True),
        ({"create_time": 1_000.0 + 3_600}, False),  # its number was given to another since
        ({"uids": SimpleNamespace(effective=1)}, False),
        ({"uids": None}, False),
        ({"pid": 8}, False),
        ({"cwd": "/elsewhere"}, False),
        ({"cwd": "/data", "pid": 8, "create_time": 0.0}, True),
    ],
    ids=str,
)
def test_only_the_server_that_a_lock_file_means_is_stopped(difference: dict[str, Any], ours: bool) -> None:
    """Others call theirs postgres too, and where a process stands may be hidden."""
    process = {"pid": 7, "name": "postgres", "cwd": "", "uids": SimpleNamespace(effective=5), "create_time": 1_000.0}
    lock = ["7", "/proc/self/cwd", "1004", "5432"]
    assert is_leftover({**process, **difference}, lock, Path("/data"), uid=5) is ours


@pytest.mark.parametrize("lock", [[], ["7"], ["7", "/data"], ["7", "/data", "soon"]], ids=str)
def test_a_lock_file_that_was_cut_off_means_nobody(lock: list[str]) -> None:
    process = {"pid": 7, "cwd": "", "uids": SimpleNamespace(effective=5), "create_time": 0.0}
    assert not is_leftover(process, lock, Path("/data"), uid=5)


PARENT = """
import asyncio, sys
from pathlib import Path
import asyncpg
from cli.embedded import Postgres, Valkey
from cli.launch import Watchdog

async def main():
    watchdog = Watchdog()
    postgres, valkey = Postgres(Path(sys.argv[1]), watchdog), Valkey(Path(sys.argv[1]), watchdog)
    postgres.start()
    valkey.start()
    busy = await asyncpg.connect(postgres.url)
    asyncio.ensure_future(busy.execute("select count(*) from generate_series(1, 1000000000)"))
    probe = await asyncpg.connect(postgres.url)
    while not await probe.fetchval("select count(*) from pg_stat_activity where query like '%000000000)'"):
        await asyncio.sleep(0.01)
    print("up", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_sigkill_of_the_parent_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with subprocess.Popen([sys.executable, "-c", PARENT, str(deep)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        names, words = set(), []
        for child in children:
            with suppress(psutil.NoSuchProcess):  # some of PostgreSQL's come and go
                names.add(child.name())
                words += child.cmdline()
        sockets = [word.partition("=")[2] for word in words if "unix_socket_dir" in word]
        parent.kill()
    assert {"postgres", "valkey-server"} <= names
    assert sockets
    _, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
    assert not alive
    assert not Path(sockets[0]).exists()


def test_a_pid_that_was_given_to_somebody_else_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        end([Child(bystander.pid, "started at another time", signal.SIGKILL)])
        assert bystander.poll() is None
        end([Child(bystander.pid, start_time(bystander.pid), signal.SIGKILL)])
        assert bystander.wait(PATIENCE_S) == -signal.SIGKILL


def test_the_watchdog_removes_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    watchdog = Watchdog()
    watchdog.remove_at_end(folder)
    watchdog.close()
    assert not folder.exists()


def test_a_killed_watchdog_is_replaced_and_still_ends_everything(tmp_path: Path) -> None:
    watchdog = Watchdog()
    child = watchdog.spawn(Launch("sleeper", ("sleep", "600"), tmp_path / "log"))
    deadline = time.monotonic() + 20
    while psutil.Process(child.pid).name() != "sleep":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(watchdog.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while watchdog.alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    watchdog.open()
    watchdog.close()
    assert child.wait(PATIENCE_S) == -signal.SIGKILL
