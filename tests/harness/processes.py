"""Ledger and hub processes, ``python -m ledger`` and ``python -m hub``: where a process is the point of a test."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.children import SESSION_ID, SESSION_VARIABLE, die_with_parent
from tests.harness.servers import Server, channels_ports, exporter_ports, hub_ports, ledger_ports, relay_ports
from tests.harness.waiting import PATIENCE_S

ROOT = Path(__file__).parent.parent.parent


@dataclass(eq=False)
class ServerProcess(Server):
    """One process. ``user``: the number of the user and group to run as, for a test run as root."""

    arguments: list[str]
    program: str = sys.executable
    cwd: Path = ROOT
    user: int | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} was never started"
        return self._process.pid

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

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ending(self) -> str:
        return str(self.returncode)

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

    async def wait(self, deadline_s: float = PATIENCE_S) -> int:
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

    @property
    def _stdout(self) -> Path:
        return self.folder / f"{self.name}.stdout"

    def _ready_line(self) -> Mapping[str, Any] | None:
        head, newline, _ = self._stdout.read_text().partition("\n")
        return dict(json.loads(head)) if newline else None


def clean_environment(settings: Mapping[str, object]) -> dict[str, str]:
    """This process's environment without the machine's STOCKWIRE_* and OTEL_*, plus ``settings`` (None: left out)."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STOCKWIRE_", "OTEL_"))}
    given = {name: str(value) for name, value in settings.items() if value is not None}
    return {**inherited, SESSION_VARIABLE: SESSION_ID, "PYTHONPATH": str(ROOT), **given}


def ledger_process(name: str, folder: Path, settings: Mapping[str, object]) -> ServerProcess:
    return ServerProcess(name, clean_environment({**ledger_ports(), **settings}), folder, ["-m", "ledger"])


def channels_process(name: str, folder: Path, settings: Mapping[str, object]) -> ServerProcess:
    return ServerProcess(name, clean_environment({**channels_ports(), **settings}), folder, ["-m", "followers"])


def exporter_process(name: str, folder: Path, settings: Mapping[str, object]) -> ServerProcess:
    arguments = ["-m", "followers.exporter"]
    return ServerProcess(name, clean_environment({**exporter_ports(), **settings}), folder, arguments)


def relay_process(name: str, folder: Path, settings: Mapping[str, object]) -> ServerProcess:
    arguments = ["-m", "followers.relay"]
    return ServerProcess(name, clean_environment({**relay_ports(), **settings}), folder, arguments)


def hub_process(
    name: str, folder: Path, settings: Mapping[str, object], arguments: tuple[str, ...] = ()
) -> ServerProcess:
    ports = hub_ports()
    if "--workers" in arguments:
        ports["STOCKWIRE_HUB_ADMIN_PORT"] = 0  # else the next numbers are theirs too
    defaults = {**ports, "STOCKWIRE_HUB_NODE": name}
    return ServerProcess(name, clean_environment({**defaults, **settings}), folder, ["-m", "hub", *arguments])
