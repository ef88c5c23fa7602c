"""What tests do to a database or a broker of their own, whichever it is: start, kill, pause, start again."""

import signal
from pathlib import Path
from typing import Generic, TypeVar

from cli.embedded import Server
from tests.harness.waiting import PATIENCE_S

S = TypeVar("S", bound=Server)


class EmbeddedServer(Generic[S]):
    """One embedded server over ``folder``, at one Unix socket for its whole life.

    ``start`` after ``kill`` or ``stop`` comes back at the same address. ``stop`` is safe if never started, and twice.
    """

    def __init__(self, folder: Path, server: S) -> None:
        self.folder = folder
        self._server = server

    @property
    def pid(self) -> int:
        """Of the process that was started: PostgreSQL's postmaster."""
        assert self._server.process, f"{self._server.launch.name} was never started"
        return self._server.process.pid

    @property
    def running(self) -> bool:
        return self._server.process is not None and self._server.process.poll() is None

    def start(self) -> None:
        """Returns when it answers. Raises EmbeddedFailed with the end of its log."""
        self._server.start(PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL, as a fault."""
        if self._server.process is not None:
            self._server.process.kill()
            self._server.process.wait()

    def stop(self) -> None:
        if self.running:
            self.resume()
        self._server.stop()

    def pause(self) -> None:
        """SIGSTOP: its sockets stay open and nothing comes through, as behind a half-open link."""
        assert self._server.process
        self._server.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._server.process
        self._server.process.send_signal(signal.SIGCONT)
