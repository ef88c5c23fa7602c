"""Starting processes that end with us: every child is known to a watchdog before it runs.

Synchronous and small: the supervisor waits for what is started here, tests use it directly.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from cli.places import good_for_sockets
from cli.temporary_folder import clear_leftovers, temporary_folder

# The child tells the watchdog its own pid and only then becomes the program. Its standard input is the watchdog's pipe
# until that moment, so a parent killed in between leaves no gap: the pipe ends only after the line was written.
_ANNOUNCE = 'printf "child %d %s\\n" $$ "$0" >&0 || exit; '
# Where there is util-linux, the kernel ends the child as well: parent and watchdog may be killed in the same instant.
_END_WITH_PARENT = 'setpriv --pdeathsig keep true >/dev/null 2>&1 && set -- setpriv --pdeathsig "$0" -- "$@"; '
_BECOME = 'exec "$@" </dev/null'
_NOT_INHERITED = {
    "STOCKWIRE_DATABASE_URL",
    "STOCKWIRE_DATABASE_URL_FILE",
    "STOCKWIRE_REDIS_URL_FILE",
    "STOCKWIRE_TOKEN_SECRET_FILE",
    "STOCKWIRE_HUB_KEY_FILE",
    "STOCKWIRE_TOKEN_JWKS_URL",
    "STOCKWIRE_TOKEN_ISSUER",
    "STOCKWIRE_TOKEN_AUDIENCE",
    "STOCKWIRE_TOKEN_ALGORITHMS",
    "STOCKWIRE_TOKEN_SIGNING_KEY_FILE",
    "STOCKWIRE_DATA",
    "STOCKWIRE_URL",
    "STOCKWIRE_API_KEY",
    "STOCKWIRE_CONSOLE_KEY_FILE",
    "STOCKWIRE_CONSOLE_ORIGINS",
    "STOCKWIRE_CONSOLE_HUB_URLS",
    "STOCKWIRE_CHANNELS_KEY_FILE",
    "STOCKWIRE_EXPORTER_KEY_FILE",
    "STOCKWIRE_TLS_CERT_FILE",
    "STOCKWIRE_TLS_KEY_FILE",
    "STOCKWIRE_LEDGER_CA_FILE",
    "STOCKWIRE_BEHIND_PROXY",
    "STOCKWIRE_TRUSTED_PROXIES",
    "STOCKWIRE_REQUIRE_BROWSER",
    "STOCKWIRE_REQUIRE_COMPILER",
    "STOCKWIRE_REQUIRE_HISTORY",
    "STOCKWIRE_REQUIRE_NODE_TOOLS",
    "STOCKWIRE_REQUIRE_PEERS",
    "STOCKWIRE_REQUIRE_PROGRAMS",
    "STOCKWIRE_REQUIRE_FAULTS",
    "STOCKWIRE_TEST_KAFKA",
}
_LOG_BYTES_MAX = 16 * 2**20  # a log beyond this is put aside once as .1 when its process starts again


@dataclass(frozen=True, slots=True)
class Launch:
    """A program to run. ``end_signal``: what the watchdog sends when we are gone (``KILL`` or ``QUIT``)."""

    name: str
    argv: tuple[str, ...]
    log: Path
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 20.0
    end_signal: str = "KILL"


class Watchdog:
    """Owns the watchdog process and starts children under it. Close it last: what still runs then is ended.

    ``hold``: a file descriptor that it keeps open as long as it lives, such as one that holds a lock.
    """

    def __init__(self, hold: int | None = None) -> None:
        self._hold = () if hold is None else (hold,)
        self._pipe: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._children: list[tuple[subprocess.Popen[bytes], str]] = []
        self._paths: list[Path] = []
        self._locks: list[int] = []
        self._terminal: str | None = None

    def open(self) -> Self:
        """Starts the watchdog, again if it was killed; tells it what the last one knew. Where others were killed with
        their runs, the folders that they left are cleared."""
        if self._process is None or self._process.poll() is not None:
            clear_leftovers()
            self._close_pipe()
            program = Path(__file__).with_name("watchdog.py")
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(program)],
                stdin=subprocess.PIPE,
                pass_fds=self._hold,
                start_new_session=True,
            )
            self._pipe = self._process.stdin
            for child, end_signal in self._running():
                self._tell(f"child {child.pid} {end_signal}")
            for path in self._paths:
                self._tell(f"remove {path}")
            if self._terminal is not None:
                self._tell(f"terminal {self._terminal}")
        return self

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def spawn(self, launch: Launch) -> subprocess.Popen[bytes]:
        """Starts ``launch`` in a process group of its own (Ctrl-C is for us to pass on); its output goes to its log."""
        self.open()
        assert self._pipe is not None
        with open_log(launch.log) as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _script(), launch.end_signal, *launch.argv],
                stdin=self._pipe,
                stdout=log,
                stderr=log,
                cwd=launch.cwd,
                env={**_inherited(), **launch.environment},
                process_group=0,
            )
        self._children = [*self._running(), (process, launch.end_signal)]
        return process

    def socket_folder(self, preferred: Path) -> Path:
        """A private folder, good for sockets: ``preferred`` if it is, else a temporary one."""
        if not good_for_sockets(preferred):
            return self.temporary_folder()
        preferred.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        preferred.mkdir(mode=0o700, exist_ok=True)
        return preferred

    def temporary_folder(self, *, programs: bool = False) -> Path:
        """As ``cli.temporary_folder`` makes it; it goes when we have gone, killed or not."""
        folder = temporary_folder(programs=programs)
        self._locks.append(folder.lock)
        self.remove_at_end(folder.path)
        return folder.path

    def remove_at_end(self, path: Path) -> None:
        """``path`` (a file or a folder) goes when we have gone, killed or not."""
        self.open()
        self._paths.append(path)
        self._tell(f"remove {path}")

    def keep_terminal(self, path: str, ours: Sequence[object], saved: Sequence[object]) -> None:
        """A terminal that still has the settings ``ours`` when we have gone gets ``saved``. The last call counts."""
        self.open()
        self._terminal = json.dumps({"path": path, "ours": ours, "saved": saved})
        self._tell(f"terminal {self._terminal}")

    def close(self) -> None:
        """Ends whatever is left and waits for it. Safe if never opened, safe twice."""
        if self._process is None:
            return
        self._close_pipe()
        self._process.wait()
        self._process = None
        for lock in self._locks:
            os.close(lock)
        self._locks.clear()
        self._children.clear()
        self._paths.clear()
        self._terminal = None

    def _running(self) -> list[tuple[subprocess.Popen[bytes], str]]:
        """Without those that have ended: their pids may be somebody else's by now."""
        return [(child, end_signal) for child, end_signal in self._children if child.poll() is None]

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                self._pipe.close()
            self._pipe = None

    def _tell(self, line: str) -> None:
        assert self._pipe is not None
        self._pipe.write(os.fsencode(line) + b"\n")
        self._pipe.flush()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()


def stop(process: subprocess.Popen[bytes], launch: Launch) -> None:
    """Asks, waits ``stop_timeout_s``, then kills the process group. Safe on a process that has ended."""
    if process.poll() is None:
        process.send_signal(launch.stop_signal)
        try:
            process.wait(launch.stop_timeout_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
        path.replace(path.with_name(path.name + ".1"))
    return open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def _script() -> str:
    """The kernel means the thread that started the child, so only one that lives as long as we do will serve."""
    in_main = threading.current_thread() is threading.main_thread()
    return _ANNOUNCE + (_END_WITH_PARENT if in_main else "") + _BECOME


def _inherited() -> dict[str, str]:
    """Our environment without libpq's variables (PGPORT of somebody's shell must not lead children astray) and without
    what is none of a child's business: each is told its own settings."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("PG") and name not in _NOT_INHERITED
    }
