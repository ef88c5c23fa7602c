"""NATS with JetStream, out of a wheel. It acknowledges what is on disk: ``sync_interval: always``."""

import json
import sys
from pathlib import Path

from tests.harness.brokers.broker import HOST, Broker, first_bytes

CONFIGURATION = """
listen: "{host}:{port}"
server_name: "{name}"
jetstream {{ store_dir: {folder}, sync_interval: always, max_memory_store: 64MB, max_file_store: 4GB }}
{more}
"""


class NatsServer(Broker):
    """``more``: lines for its configuration file, such as an ``authorization`` block."""

    name = "nats"

    def __init__(self, folder: Path, more: str = "") -> None:
        super().__init__(folder)
        self._more = more

    @property
    def url(self) -> str:
        return f"nats://{self.address}"

    def prepare(self) -> None:
        text = CONFIGURATION.format(
            host=HOST, port=self.port, name=self.folder.name, folder=json.dumps(str(self.folder)), more=self._more
        )
        self._configuration.write_text(text)

    def command(self) -> list[str]:
        return [str(Path(sys.executable).with_name("nats-server")), "-c", str(self._configuration)]

    def answers(self) -> bool:
        """It greets whoever connects, and listens only when it has its streams back."""
        return first_bytes(self.port).startswith(b"INFO ")

    @property
    def _configuration(self) -> Path:
        return self.folder / "nats.conf"
