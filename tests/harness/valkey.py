"""A real Valkey for tests: start, kill, restart on the same address."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from cli.embedded import Valkey
from cli.launch import Watchdog
from tests.harness.embedded_server import EmbeddedServer


class ValkeyServer(EmbeddedServer[Valkey]):
    """Nothing is persisted."""

    def __init__(self, folder: Path, watchdog: Watchdog) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, Valkey(folder, watchdog))

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
