"""What every ledger and hub of a test offers, whether it is a process or lives inside the test's own."""

import asyncio
import itertools
import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from cli.ports import is_free
from tests.harness.waiting import PATIENCE_S

_LEDGER_PORTS = {"url": "STOCKWIRE_LEDGER_PORT", "admin": "STOCKWIRE_LEDGER_ADMIN_PORT"}
_HUB_PORTS = {
    "stream": "STOCKWIRE_HUB_STREAM_PORT",
    "read": "STOCKWIRE_HUB_READ_PORT",
    "admin": "STOCKWIRE_HUB_ADMIN_PORT",
}
_CHANNELS_PORTS = {"url": "STOCKWIRE_CHANNELS_PORT", "admin": "STOCKWIRE_CHANNELS_ADMIN_PORT"}
_EXPORTER_PORTS = {"admin": "STOCKWIRE_EXPORTER_PORT"}
_RELAY_PORTS = {"admin": "STOCKWIRE_RELAY_PORT"}
_PORTS_OF = {
    "ledger": _LEDGER_PORTS,
    "hub": _HUB_PORTS,
    "channels": _CHANNELS_PORTS,
    "exporter": _EXPORTER_PORTS,
    "relay": _RELAY_PORTS,
}
"""By the names of their addresses in the ready line."""
_chance = random.SystemRandom()  # Hypothesis seeds the other one: runs side by side would choose alike
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_BLOCKED = {4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
"""To these no browser connects: the Fetch standard, "port blocking"."""
_PORTS = [port for port in range(4_000 + 1_000 * _WORKER, 5_000 + 1_000 * _WORKER) if port not in _BLOCKED]
"""Each pytest process has its own, below those of ``stockwire up`` and those that the kernel gives away."""
_next_ports = itertools.cycle(_chance.sample(_PORTS, len(_PORTS)))
TRACEBACK = "Traceback (most recent call last)"


@dataclass(eq=False)
class Server(ABC):
    """One ledger or hub: its ready line in ``ready``, its log in a file that ``stderr()`` reads.

    ``tracebacks_expected``: set it in a test whose fault may end in a traceback (say why there).
    """

    name: str
    environment: dict[str, str]
    folder: Path
    ready: dict[str, Any] = field(default_factory=dict, kw_only=True)
    tracebacks_expected: bool = field(default=False, kw_only=True)

    @property
    def url(self) -> str:
        """The ledger's API, or the hub's read port: no slash at the end."""
        return str(self.ready.get("url") or self.ready["read"])

    @property
    def stream(self) -> str:
        """The hub's WebSocket URL."""
        return str(self.ready["stream"])

    @property
    def admin(self) -> str:
        return str(self.ready["admin"])

    @property
    @abstractmethod
    def running(self) -> bool: ...

    @property
    @abstractmethod
    def ending(self) -> str:
        """How it ended, in words for a failure."""

    @abstractmethod
    def launch(self) -> None:
        """Start without waiting; ``await_ready`` comes next."""

    @abstractmethod
    def terminate(self) -> None:
        """As SIGTERM: begin to stop."""

    @abstractmethod
    async def wait(self, deadline_s: float = PATIENCE_S) -> int:
        """Until it has ended: its exit status. Raises AssertionError when it is late."""

    @abstractmethod
    async def stop(self) -> int:
        """``terminate`` and ``wait``. Safe if it has ended already."""

    @abstractmethod
    def _ready_line(self) -> Mapping[str, Any] | None: ...

    async def await_ready(self, deadline_s: float = PATIENCE_S) -> None:
        """Until it says that it is. Raises AssertionError with the log if it ends or is late."""
        deadline = time.monotonic() + deadline_s
        while True:
            ended = not self.running  # looked at first: after its end it says nothing more
            if line := self._ready_line():
                break
            assert not ended, f"{self.name} ended with {self.ending}:\n{self.stderr()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready within {deadline_s} s:\n{self.stderr()}"
            await asyncio.sleep(0.02)
        self.ready = dict(line)
        assert self.ready["ready"] is True, line

    async def start(self) -> Self:
        self.launch()
        await self.await_ready()
        return self

    async def restart(self) -> None:
        """Stop or bury the old one and start again on the addresses it had."""
        await self.stop()
        self.environment |= _same_ports(self.ready)
        await self.start()

    def stderr(self, lines: int | None = None) -> str:
        text = self._stderr.read_text(errors="replace") if self._stderr.exists() else ""
        return text if lines is None else "\n".join(text.splitlines()[-lines:])

    def check_log(self) -> None:
        """Raises AssertionError if it printed a traceback that nobody expected."""
        assert self.tracebacks_expected or TRACEBACK not in self.stderr(), (
            f"{self.name} printed a traceback:\n{self.stderr()[-8000:]}"
        )

    @property
    def _stderr(self) -> Path:
        return self.folder / f"{self.name}.stderr"


def ledger_ports() -> dict[str, object]:
    return {port: free_port() for port in _LEDGER_PORTS.values()}


def hub_ports() -> dict[str, object]:
    return {port: free_port() for port in _HUB_PORTS.values()}


def channels_ports() -> dict[str, object]:
    return {port: free_port() for port in _CHANNELS_PORTS.values()}


def exporter_ports() -> dict[str, object]:
    return {port: free_port() for port in _EXPORTER_PORTS.values()}


def relay_ports() -> dict[str, object]:
    return {port: free_port() for port in _RELAY_PORTS.values()}


def free_port() -> int:
    """A port that nobody else is given: it stays free until it is taken, and while its server restarts."""
    return next(port for port in _next_ports if is_free(port))


def _same_ports(ready: Mapping[str, Any]) -> dict[str, str]:
    names = _PORTS_OF[ready["service"]]
    return {name: str(_port(ready[key])) for key, name in names.items() if key in ready}


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port, url
    return port
