"""A real Valkey for tests: start, kill, restart on the same address."""

import signal
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cli.embedded import Valkey
from cli.launch import Watchdog


class ValkeyServer:
    """One embedded server at one Unix socket for its whole life. Nothing is persisted.

    ``stop`` is safe if never started, and twice.
    """

    def __init__(self, folder: Path, watchdog: Watchdog) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._server = Valkey(folder, watchdog)

    @property
    def pid(self) -> int:
        assert self._server.process, "Valkey was never started"
        return self._server.process.pid

    @property
    def running(self) -> bool:
        return self._server.process is not None and self._server.process.poll() is None

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def socket(self) -> Path:
        """For ``proxy_to_socket``."""
        return Path(unquote(urlsplit(self.url).path))

    def proxied_url(self, port: int) -> str:
        """By a proxy that listens on 127.0.0.1 at ``port`` and leads to ``socket``."""
        return f"redis://127.0.0.1:{port}/0"

    def start(self) -> None:
        """Returns when it answers. Raises EmbeddedFailed with the end of its log."""
        self._server.start(10)

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
