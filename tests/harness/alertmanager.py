"""A real Alertmanager, with a port and a folder of its own, and the webhook that it calls."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.harness.programs import await_answer, need_program, running
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Called:
    """``notices``: what the webhook was sent, oldest first, as Alertmanager documents it (version 4)."""

    url: str
    notices: list[dict[str, Any]] = field(default_factory=list)

    @property
    def firing(self) -> set[str]:
        """Names of all alerts that it was told of so far as firing."""
        return {
            alert["labels"]["alertname"]
            for notice in self.notices
            for alert in notice["alerts"]
            if alert["status"] == "firing"
        }


@dataclass(frozen=True, slots=True)
class Alertmanager:
    url: str

    async def held_back(self) -> set[str]:
        """Names of alerts that it has and does not tell of, because of others or of a silence."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:
            alerts = (await http.get(f"{self.url}/api/v2/alerts")).json()
        return {alert["labels"]["alertname"] for alert in alerts if alert["status"]["state"] == "suppressed"}


@asynccontextmanager
async def webhook() -> AsyncIterator[Called]:
    """A receiver in the test's own process."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            called.notices.append(json.loads(await reader.readexactly(length)))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    called = Called(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    async with server:
        yield called


@asynccontextmanager
async def alertmanager(folder: Path, configuration: str) -> AsyncIterator[Alertmanager]:
    """Ready, with this YAML, and ended with the block. Skips the test where none is installed."""
    program = need_program("prometheus-alertmanager")
    file, log, port = folder / "alertmanager.yml", folder / "alertmanager.log", free_port()
    _write(file, configuration)
    command = [
        program,
        f"--config.file={file}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.path={folder / 'alertmanager'}",
        "--cluster.listen-address=",  # alone: no gossip
    ]
    with running(command, log) as process:
        found = Alertmanager(f"http://127.0.0.1:{port}")
        await await_answer(process, log, f"{found.url}/-/ready")
        yield found


def _write(file: Path, configuration: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(configuration)
