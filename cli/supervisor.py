"""Keeps the processes of one system running: starts them in waves, starts again what dies, stops them in reverse.

What dies comes back on the same address with a bound (``cli.restarts``); beyond it the supervisor fails with the reason
and whoever runs it stops everything. Decisions are in ``cli.restarts``, processes in ``cli.launch``.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NoReturn

from cli.embedded import READY_TIMEOUT_S, EmbeddedFailed, Server
from cli.launch import Launch, Watchdog, open_log
from cli.restarts import Restarts, TooManyRestarts
from server.settings.environment import EXIT_CONFIG, SettingsError

_POLL_S = 0.05
_SERVICE_READY_TIMEOUT_S = 60.0

logger = logging.getLogger("stockwire.up")

Process = subprocess.Popen[bytes]


class StartFailed(Exception):
    """A child ended or stayed silent before it was ready."""


class SupervisorFailed(Exception):
    """A child cannot be kept running; the message names it, the reason and its log."""


class Part(ABC):
    """One supervised process: what to run and when it counts as ready."""

    launch: Launch
    ready_timeout_s: float = _SERVICE_READY_TIMEOUT_S

    @abstractmethod
    async def prepare(self) -> None:
        """Before every start."""

    @abstractmethod
    async def ready(self, process: Process) -> None:
        """Returns when the process answers. Raises StartFailed when it ends first. Cancelled at the deadline."""


class EmbeddedPart(Part):
    """PostgreSQL or Valkey from a wheel."""

    ready_timeout_s = READY_TIMEOUT_S

    def __init__(self, server: Server) -> None:
        self._server = server
        self.launch = server.launch

    async def prepare(self) -> None:
        await asyncio.to_thread(self._server.prepare)

    async def ready(self, process: Process) -> None:
        while not await asyncio.to_thread(self._server.answers):
            if process.poll() is not None:
                raise StartFailed(f"ended with status {process.returncode}: {self._server.last_words()}")
            await asyncio.sleep(_POLL_S)


class ServicePart(Part):
    """A ledger or a hub: prints one line of JSON with ``"ready":true`` on standard output, which goes to its log."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self._log_start = 0

    async def prepare(self) -> None:
        with open_log(self.launch.log) as log:
            self._log_start = log.seek(0, os.SEEK_END)

    async def ready(self, process: Process) -> None:
        with self.launch.log.open("rb") as log:
            log.seek(self._log_start)
            line = b""
            while not _is_ready(line):
                ended = process.poll() is not None  # asked first: what it printed before that is still read
                line += log.readline()
                if line.endswith(b"\n") and not _is_ready(line):
                    line = b""
                elif not line.endswith(b"\n"):
                    if ended:
                        _raise_ended(process.returncode, _last_words(self.launch))
                    await asyncio.sleep(_POLL_S)


class Supervisor:
    """Lives in the caller's task group: a child that is given up ends the group with SupervisorFailed.

    Leave the group first (nothing is restarted any more), then ``stop``. ``changed`` is called when ``pids`` changed.
    """

    def __init__(self, watchdog: Watchdog, tasks: asyncio.TaskGroup, changed: Callable[[], None]) -> None:
        self._watchdog = watchdog
        self._tasks = tasks
        self._changed = changed
        self._waves: list[list[Part]] = []
        self._processes: dict[str, Process] = {}
        self.restarts = 0
        tasks.create_task(self._keep_watchdog(), name="keep watchdog")

    @property
    def pids(self) -> dict[str, int]:
        running = {name: process.pid for name, process in self._processes.items() if process.poll() is None}
        return {**running, "watchdog": self._watchdog.pid}

    async def start(self, *parts: Part) -> None:
        """Starts ``parts`` at once, returns when all are ready; from then on they are kept running.

        Raises SupervisorFailed; SettingsError with the child's own words when it refuses its settings.
        """
        self._waves.append(list(parts))
        try:
            await asyncio.gather(*(self._start(part) for part in parts))
        except (StartFailed, EmbeddedFailed) as error:
            raise SupervisorFailed(str(error)) from error
        for part in parts:
            self._tasks.create_task(self._keep(part), name=f"keep {part.launch.name}")

    async def stop(self) -> None:
        """In reverse order of the waves. Safe if never started, safe twice."""
        while self._waves:
            wave = self._waves.pop()
            await asyncio.gather(*(self._stop(part.launch) for part in wave))

    async def _start(self, part: Part) -> None:
        await part.prepare()
        process = self._processes[part.launch.name] = self._watchdog.spawn(part.launch)
        try:
            async with asyncio.timeout(part.ready_timeout_s):
                await part.ready(process)
        except TimeoutError:
            _kill(process)
            raise StartFailed(_report(part, f"was not ready within {part.ready_timeout_s:.0f} s")) from None
        except StartFailed as error:
            raise StartFailed(_report(part, str(error))) from None
        self._changed()

    async def _keep(self, part: Part) -> None:
        restarts = Restarts()
        while True:
            await _ended(self._processes[part.launch.name])
            try:
                await self._start_again(part, restarts)
            except TooManyRestarts as error:
                raise SupervisorFailed(_report(part, str(error))) from error

    async def _keep_watchdog(self) -> None:
        """One that was killed is replaced before it is missed."""
        while True:
            await asyncio.sleep(1)
            if not self._watchdog.alive():
                self._watchdog.open()
                self._changed()

    async def _start_again(self, part: Part, restarts: Restarts) -> None:
        """Until it is ready. Raises TooManyRestarts."""
        while True:
            process = self._processes[part.launch.name]
            _kill(process)  # whatever is left of its group, such as workers of a hub
            logger.warning(
                "a process ended and is started again process=%s status=%s", part.launch.name, process.returncode
            )
            self.restarts += 1
            await asyncio.sleep(restarts.pause_s(time.monotonic()))
            try:
                return await self._start(part)
            except (StartFailed, EmbeddedFailed, SettingsError, OSError) as error:
                logger.warning("a process does not start process=%s reason=%r", part.launch.name, str(error))

    async def _stop(self, launch: Launch) -> None:
        process = self._processes.get(launch.name)
        if process is None:
            return
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(launch.stop_signal)
        try:
            async with asyncio.timeout(launch.stop_timeout_s):
                await _ended(process)
        except TimeoutError:
            logger.warning(
                "a process was killed, it did not stop process=%s within_s=%.0f", launch.name, launch.stop_timeout_s
            )
        _kill(process)


async def _ended(process: Process) -> int:
    """Polls: waiting in a thread would take one of the few in the pool for as long as the process lives."""
    while (status := process.poll()) is None:  # noqa: ASYNC110 - a process is no event
        await asyncio.sleep(_POLL_S)
    return status


def _is_ready(line: bytes) -> bool:
    try:
        message = json.loads(line)
    except ValueError:
        return False
    return isinstance(message, dict) and message.get("ready") is True


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _raise_ended(status: int, last_words: str) -> NoReturn:
    """A setting that makes no sense is the user's to mend: its line is passed on as it is."""
    if status == EXIT_CONFIG:
        raise SettingsError(last_words.removeprefix("stockwire: "))
    raise StartFailed(f"ended with status {status}: {last_words}")


def _last_words(launch: Launch) -> str:
    """Of a log that ends with the reason: in one line, `stockwire: ...` or an object, or in a traceback's last."""
    lines = launch.log.read_text(errors="replace").splitlines()
    if not lines:
        return "nothing in its log"
    try:
        return str(json.loads(lines[-1])["fields"]["reason"])
    except (ValueError, TypeError, KeyError):
        return lines[-1]


def _report(part: Part, reason: str) -> str:
    return f"{part.launch.name} {reason} (its log: {part.launch.log})"
