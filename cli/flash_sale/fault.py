"""Breaking a part of a running `up` on purpose, within bounds: a hub is killed, the broker is stopped for some seconds.

Only a process that is really a child of that `up` is ever touched: a pid in a file may be somebody else's by now.
"""

import asyncio
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

import psutil

from cli.running_system import RunningSystem
from server.settings.environment import SettingsError

CUT_S = 5.0  # longer than the 2 s of silence after which a hub doubts its broker
BACK_WITHIN_S = 60.0  # as long as a supervisor waits for a hub to be ready
_POLL_S = 0.02
BROKER = "valkey"


class FaultKind(StrEnum):
    NONE = "none"
    HUB = "hub"
    BROKER = "broker"


def fault_kind(text: str) -> FaultKind:
    """Raises SettingsError."""
    try:
        return FaultKind(text)
    except ValueError:
        raise SettingsError(f"--fault {text} is unknown: choose {', '.join(FaultKind)}") from None


class Fault(ABC):
    """``name``: of the process. ``done``: what is done to it, in words. ``connections_stay``: those of screens."""

    done: str
    connections_stay: bool

    def __init__(self, name: str, process: psutil.Process) -> None:
        self.name = name
        self._process = process

    @abstractmethod
    async def strike(self) -> float | None:
        """Returns when it is over, after how many seconds; None: not within BACK_WITHIN_S. Cancelled: over at once.

        Raises psutil.NoSuchProcess.
        """


class HubKill(Fault):
    """SIGKILL; over when the supervisor has another one ready. ``pid_now``: the pid of the one that is ready."""

    done = "killed (SIGKILL)"
    connections_stay = False

    def __init__(self, name: str, process: psutil.Process, pid_now: Callable[[], int | None]) -> None:
        super().__init__(name, process)
        self._pid_now = pid_now

    async def strike(self) -> float | None:
        self._process.kill()
        began = time.monotonic()
        while self._pid_now() in (None, self._process.pid):
            if time.monotonic() > began + BACK_WITHIN_S:
                return None
            await asyncio.sleep(_POLL_S)
        return time.monotonic() - began


class BrokerCut(Fault):
    """SIGSTOP for CUT_S: connections stay open and carry nothing, which is the worst way for a broker to be away."""

    done = f"stopped (SIGSTOP) for {CUT_S:.0f} s"
    connections_stay = True

    async def strike(self) -> float:
        began = time.monotonic()
        with _stopped(self._process):
            await asyncio.sleep(CUT_S)
        return time.monotonic() - began


@contextmanager
def _stopped(process: psutil.Process) -> Iterator[None]:
    """It goes on afterwards whatever becomes of us: the shell's input ends with us, killed or not."""
    goes_on = subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; kill -CONT "$0"', str(process.pid)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.suspend()
        yield
    finally:
        goes_on.communicate()


def fault_in(system: RunningSystem, kind: FaultKind, hub: int = 1) -> Fault | None:
    """``hub``: which one, from 1. Raises SettingsError when there is no such process to break from here."""
    if kind is FaultKind.HUB:
        name = f"hub-{hub}"
        return HubKill(name, child(system, name), lambda: system.pid_now(name))
    if kind is FaultKind.BROKER:
        return BrokerCut(BROKER, child(system, BROKER))
    return None


def child(system: RunningSystem, name: str) -> psutil.Process:
    """The process of this name, if it is a child of the `up` that wrote run.json. Raises SettingsError."""
    if name == BROKER and name not in system.pids and "up" in system.pids:
        raise SettingsError(
            "the broker is none of this `stockwire up` (STOCKWIRE_REDIS_URL): it cannot be cut from here"
        )
    try:
        parent, process = psutil.Process(system.pids["up"]), psutil.Process(system.pids[name])
        if process.ppid() == parent.pid and process.create_time() >= parent.create_time():
            return process
    except (KeyError, psutil.Error):
        pass
    raise SettingsError(f"no {name} of the `stockwire up` in {system.data} is running: nothing was touched")
