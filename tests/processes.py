"""Real ledger and hub processes, as ``python -m ledger`` and ``python -m hub``."""

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.ports import is_free
from tests.children import SESSION_ID, SESSION_VARIABLE, die_with_parent

ROOT = Path(__file__).parent.parent
_LEDGER_PORTS = {"url": "STOCKWIRE_LEDGER_PORT", "admin": "STOCKWIRE_LEDGER_ADMIN_PORT"}
_HUB_PORTS = {
    "stream": "STOCKWIRE_HUB_STREAM_PORT",
    "read": "STOCKWIRE_HUB_READ_PORT",
    "admin": "STOCKWIRE_HUB_ADMIN_PORT",
}
"""By the names of their addresses in the ready line."""
READY_DEADLINE_S = 20.0
STOP_DEADLINE_S = 20.0
"""A hub may take 15 s to drain."""
_chance = random.SystemRandom()  # Hypothesis seeds the other one: runs side by side would choose alike
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_PORTS = range(4_000 + 1_000 * _WORKER, 5_000 + 1_000 * _WORKER)
"""Each pytest process has its own, below those of ``stockwire up`` and those that the kernel gives away."""
_next_ports = itertools.cycle(_chance.sample(_PORTS, len(_PORTS)))
TRACEBACK = "Traceback (most recent call last)"


@dataclass(eq=False)
class ServerProcess:
    """One process: its ready line in ``ready``, its log in a file that ``stderr()`` reads.

    ``tracebacks_expected``: set it in a test whose fault may end in a traceback (say why there).
    ``user``: the number of the user and group to run as, for a test run as root.
    ``stop`` is safe if it has ended already.
    """

    name: str
    arguments: list[str]
    environment: dict[str, str]
    folder: Path
    ready: dict[str, Any] = field(default_factory=dict)
    tracebacks_expected: bool = False
    program: str = sys.executable
    cwd: Path = ROOT
    user: int | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} was never started"
        return self._process.pid

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

    def launch(self) -> None:
        """Start without waiting; ``await_ready`` or ``wait`` comes next."""
        self._stdout.unlink(missing_ok=True)
        with self._stdout.open("ab") as out, self._stderr.open("ab") as err:
            self._process = subprocess.Popen(
                [self.program, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.cwd,
                env=self.environment,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    async def await_ready(self, deadline_s: float = READY_DEADLINE_S) -> None:
        """Until the JSON ready line. Raises AssertionError with the log if the process ends or is late."""
        deadline = time.monotonic() + deadline_s
        while True:
            ended = not self.running  # looked at first: after its end it says nothing more
            if line := self._first_line():
                break
            assert not ended, f"{self.name} ended with {self.returncode}:\n{self.stderr()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready within {deadline_s} s:\n{self.stderr()}"
            await asyncio.sleep(0.02)
        self.ready = json.loads(line)
        assert self.ready["ready"] is True, line

    async def start(self) -> "ServerProcess":
        self.launch()
        await self.await_ready()
        return self

    async def restart(self) -> None:
        """Stop or bury the old process and start again on the addresses it had."""
        await self.stop()
        self.environment |= _same_ports(self.ready)
        await self.start()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        return self._process.poll() if self._process else None

    def kill(self) -> None:
        """SIGKILL, as a fault."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def hang_up(self) -> None:
        """SIGHUP: take renewed certificates."""
        assert self._process
        self._process.send_signal(signal.SIGHUP)

    def terminate(self) -> None:
        assert self._process
        self._process.terminate()

    async def wait(self, deadline_s: float = STOP_DEADLINE_S) -> int:
        """Until it has ended. Returns the exit status; raises AssertionError when it is late."""
        assert self._process
        deadline = time.monotonic() + deadline_s
        while (status := self._process.poll()) is None:
            assert time.monotonic() < deadline, f"{self.name} still runs after {deadline_s} s:\n{self.stderr()}"
            await asyncio.sleep(0.02)
        return status

    async def stop(self) -> int:
        """SIGTERM and wait. Raises AssertionError, after a SIGKILL, if it does not end in time."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            return await self.wait()
        finally:
            self.kill()

    def stderr(self, lines: int | None = None) -> str:
        text = self._stderr.read_text(errors="replace") if self._stderr.exists() else ""
        return text if lines is None else "\n".join(text.splitlines()[-lines:])

    def check_log(self) -> None:
        """Raises AssertionError if it printed a traceback that nobody expected."""
        assert self.tracebacks_expected or TRACEBACK not in self.stderr(), (
            f"{self.name} printed a traceback:\n{self.stderr()[-8000:]}"
        )

    @property
    def _stdout(self) -> Path:
        return self.folder / f"{self.name}.stdout"

    @property
    def _stderr(self) -> Path:
        return self.folder / f"{self.name}.stderr"

    def _first_line(self) -> str:
        head, newline, _ = self._stdout.read_text().partition("\n")
        return head if newline else ""


def clean_environment(settings: Mapping[str, object]) -> dict[str, str]:
    """This process's environment without any STOCKWIRE_* of the machine, plus ``settings`` (None: left out)."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
    given = {name: str(value) for name, value in settings.items() if value is not None}
    return {**inherited, SESSION_VARIABLE: SESSION_ID, "PYTHONPATH": str(ROOT), **given}


def ledger_process(name: str, folder: Path, settings: Mapping[str, object]) -> ServerProcess:
    ports = {port: free_port() for port in _LEDGER_PORTS.values()}
    return ServerProcess(name, ["-m", "ledger"], clean_environment({**ports, **settings}), folder)


def hub_process(
    name: str, folder: Path, settings: Mapping[str, object], arguments: tuple[str, ...] = ()
) -> ServerProcess:
    ports = {port: free_port() for port in _HUB_PORTS.values()}
    if "--workers" in arguments:
        ports["STOCKWIRE_HUB_ADMIN_PORT"] = 0  # else the next numbers are theirs too
    defaults = {**ports, "STOCKWIRE_HUB_NODE": name}
    return ServerProcess(name, ["-m", "hub", *arguments], clean_environment({**defaults, **settings}), folder)


def free_port() -> int:
    """A port that nobody else is given: it stays free until it is taken, and while its process restarts."""
    return next(port for port in _next_ports if is_free(port))


def _same_ports(ready: Mapping[str, Any]) -> dict[str, str]:
    names = _LEDGER_PORTS if ready.get("service") == "ledger" else _HUB_PORTS
    return {name: str(_port(ready[key])) for key, name in names.items() if key in ready}


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port, url
    return port
