"""Real PostgreSQL and Valkey from wheels, for one machine and for tests: no network port, fsync on, gone with us.

    with Watchdog() as watchdog, Postgres(folder, watchdog) as postgres, Valkey(folder, watchdog) as valkey:
        postgres.url, valkey.url        # synchronous; both accept connections here

The supervisor runs the same parts by hand: ``prepare()``, ``watchdog.spawn(server.launch)``, ``answers()`` until true,
and again at the same address when one has died.

Both listen on Unix sockets in folders that only their user may enter; PostgreSQL wants a SCRAM password besides. Where
we are root, PostgreSQL runs as somebody else: ``cli.system_user``.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from cli.launch import Launch, Watchdog, stop
from cli.system_user import SystemUser, take_back
from cli.wheels import copied_programs, copy_postgres, postgres_programs, valkey_program

READY_TIMEOUT_S = 120.0  # crash recovery replays at most max_wal_size (1 GB) of log
_POLL_S = 0.03
_INITDB_TIMEOUT_S = 120.0
_PROBE_TIMEOUT_S = 2.0
_LEFTOVER_TIMEOUT_S = 30.0
_ASKED = ("pid", "name", "cwd", "uids", "create_time")
_LOCK_BYTES_MAX = 4_096  # PostgreSQL writes eight short lines
_STARTED_WITHIN_S = 30.0  # from a process's beginning to the time that PostgreSQL notes, on a busy machine
_DATA_MODE = 0o710  # as root: that user's, and ours to enter; PostgreSQL takes no more than u=rwx,g=rx


class EmbeddedFailed(Exception):
    """A database or broker of ours did not start; the message ends with the last lines of its log."""


class Server(ABC):
    """One embedded server. ``folder`` belongs to the caller; the server's files stand below it."""

    launch: Launch
    url: str

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Makes the files that a first start needs and clears what a killed run left. Idempotent; may take seconds."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server takes connections now. One probe, at most 2 s."""

    def start(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Prepares, starts and waits until it answers. Raises EmbeddedFailed, SettingsError."""
        self.prepare()
        self.process = self._watchdog.spawn(self.launch)
        deadline = time.monotonic() + timeout_s
        while not self.answers():
            if self.process.poll() is not None:
                raise EmbeddedFailed(
                    f"{self.launch.name} ended with status {self.process.returncode}: {self.last_words()}"
                )
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedFailed(f"{self.launch.name} did not answer within {timeout_s:.0f} s: {self.last_words()}")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Safe if never started, safe twice."""
        if self.process is not None:
            stop(self.process, self.launch)

    def last_words(self) -> str:
        lines = self.launch.log.read_text(errors="replace").splitlines() if self.launch.log.exists() else []
        return " | ".join(lines[-3:]) or "nothing in its log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Postgres(Server):
    """PostgreSQL 18 in ``folder/postgres``, its socket in ``folder/sockets/postgres`` (a temporary folder if that path
    is too long, or closed to the user that it runs as). ``options`` are server settings, for tests."""

    USER = DATABASE = "stockwire"

    def __init__(self, folder: Path, watchdog: Watchdog, options: Mapping[str, str] | None = None) -> None:
        super().__init__(watchdog)
        folder = folder.resolve()
        self._data = folder / "postgres"
        self._installed = postgres_programs()
        self._user = SystemUser.for_postgres()
        self._copy = None if self._user.reaches(self._installed) else watchdog.temporary_folder(programs=True)
        self._programs = copied_programs(self._copy) if self._copy else self._installed
        sockets = folder / "sockets" / "postgres"
        self._sockets = watchdog.socket_folder(sockets) if self._user.reaches(sockets) else watchdog.temporary_folder()
        self._user.give(self._sockets, 0o770)
        self._password = _secret_file(folder / "postgres.password")
        self.url = self.url_of(self.DATABASE)
        settings = {**_POSTGRES_SETTINGS, "unix_socket_directories": str(self._sockets), **(options or {})}
        self.launch = Launch(
            name="postgres",
            argv=self._user.prefixed(
                str(self._programs / "postgres"),
                "-D",
                self._user.name_of(self._data),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ),
            cwd=self._data,
            environment={"LC_ALL": "C", "TZ": "UTC"},
            log=folder / "postgres.log",
            stop_signal=signal.SIGINT,  # fast shutdown: rolls back what is open, writes a checkpoint
            stop_timeout_s=30.0,
            end_signal="QUIT",  # immediate shutdown: takes its children along; the log is replayed at the next start
        )

    def url_of(self, database: str) -> str:
        return f"postgresql://{self.USER}:{self._password}@/{database}?host={quote(str(self._sockets), safe='/')}"

    def prepare(self) -> None:
        if self._copy:
            copy_postgres(self._copy)
        if self._data.exists():
            self._user.give(self._data, _DATA_MODE)
            self._stop_leftover()
        else:
            self._create()

    def answers(self) -> bool:
        probe = (
            "pg_isready",
            "-q",
            "-t",
            "1",
            "-h",
            str(self._sockets),
            "-p",
            "5432",
            "-U",
            self.USER,
            "-d",
            self.DATABASE,
        )
        try:
            done = subprocess.run([self._installed / probe[0], *probe[1:]], timeout=_PROBE_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _create(self) -> None:
        """Into a folder beside, renamed when whole: a first start that was cut off begins again."""
        fresh = self._data.with_name("postgres.new")
        take_back(fresh)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._user.give(fresh, _DATA_MODE)
        self._run(fresh, "initdb", "-U", self.USER, "--pwfile=/dev/stdin", *_INITDB_OPTIONS, told=self._password)
        self._user.give(fresh, _DATA_MODE)  # initdb has closed it
        self._run(fresh, "postgres", "--single", "postgres", told=f"CREATE DATABASE {self.DATABASE};")
        fresh.rename(self._data)

    def _run(self, data: Path, program: str, *arguments: str, told: str) -> None:
        with self._user.pipe_of(told) as standard_input:
            done = subprocess.run(
                self._user.prefixed(str(self._programs / program), *arguments),
                stdin=standard_input,
                text=True,
                capture_output=True,
                cwd=data,
                env={
                    "LC_ALL": "C",
                    "TZ": "UTC",
                    "PATH": os.environ.get("PATH", ""),
                    "PGDATA": self._user.name_of(data),
                },
                timeout=_INITDB_TIMEOUT_S,
                check=False,
            )
        if done.returncode:
            raise EmbeddedFailed(f"{program} failed: {' '.join((done.stderr or done.stdout).split())[-500:]}")

    def _stop_leftover(self) -> None:
        """A server that outlived its `up` (watchdog killed too) would hold the folder: stop it. A stale lock file whose
        pid the system has given to somebody else (containers do) would make PostgreSQL refuse to start: remove it."""
        import psutil

        lock = self._data / "postmaster.pid"
        try:
            # Whatever its user may have put there
            with open(os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb", buffering=0) as file:
                lines = (file.read(_LOCK_BYTES_MAX) or b"").decode(errors="replace").splitlines()
        except OSError:  # there is none, or it is denied to a root who may not go everywhere
            return
        servers = [p for p in psutil.process_iter(_ASKED) if p.info["name"] == "postgres"]
        ours = [p for p in servers if is_leftover(p.info, lines, self._data, self._user.uid)]
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            for process in ours:
                if process.is_running():
                    process.send_signal(number)
            if not psutil.wait_procs(ours, timeout=_LEFTOVER_TIMEOUT_S / 3)[1]:
                break
        lock.unlink(missing_ok=True)


class Valkey(Server):
    """Valkey 9 without persistence (it carries messages, it keeps none), on a socket in ``folder/sockets/valkey``."""

    def __init__(self, folder: Path, watchdog: Watchdog) -> None:
        super().__init__(watchdog)
        folder = folder.resolve()
        self._socket = watchdog.socket_folder(folder / "sockets" / "valkey") / "valkey.sock"
        self.url = f"unix://{quote(str(self._socket), safe='/')}"
        settings = {**_VALKEY_SETTINGS, "unixsocket": str(self._socket), "dir": str(self._socket.parent)}
        self.launch = Launch(
            name="valkey",
            argv=(str(valkey_program()), *(part for name, value in settings.items() for part in (f"--{name}", value))),
            log=folder / "valkey.log",
            stop_timeout_s=5.0,
        )

    def prepare(self) -> None:
        self._socket.unlink(missing_ok=True)

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PROBE_TIMEOUT_S)
            try:
                connection.connect(str(self._socket))
                connection.sendall(b"*1\r\n$4\r\nPING\r\n")
                return connection.recv(64).startswith(b"+PONG")
            except OSError:
                return False


def is_leftover(process: Mapping[str, Any], lock: Sequence[str], data: Path, uid: int) -> bool:
    """Whether a process called postgres serves ``data``, whose lock file has these lines.

    Where a process stands is hidden from the root of most containers: then it is the one that the lock file means, by
    its number, its time and the user that ours run as.
    """
    if process["cwd"]:
        return bool(process["cwd"] == str(data))
    if lock[:1] != [str(process["pid"])] or len(lock) < 3 or not lock[2].isdecimal():
        return False
    same_user = process["uids"] is not None and process["uids"].effective == uid
    return same_user and abs(int(lock[2]) - process["create_time"]) < _STARTED_WITHIN_S


def _secret_file(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(password := secrets.token_urlsafe(24))
        return password


_INITDB_OPTIONS = (
    "--auth-local=scram-sha-256",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
_POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0777",  # its folder keeps others out, and lets us in whoever we are
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",  # compiling costs more than the short statements here gain
    "log_timezone": "UTC",
    "timezone": "UTC",
}
_VALKEY_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "daemonize": "no",
    "databases": "1",
}
