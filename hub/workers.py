"""``--workers N``: a parent that keeps N hub processes running behind the same stream and read ports (SO_REUSEPORT).

The parent serves nothing. It keeps the two ports bound while a worker is started again, and it holds the other end of
every worker's standard input. However the parent ends, these pipes end with it; then the workers drain, and end too.
"""

import json
import logging
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, NamedTuple

from hub.settings import HOST, READ_PORT, STREAM_PORT, Settings
from hub.stream.stream import PATH
from server.http.listening import bind, url_of
from server.process import announce
from server.settings.environment import PORT_MAX, SettingsError

log = logging.getLogger(__name__)

PARENT_IS_GONE = 0  # standard input: it ends with the parent, and a file that has ended is readable
RESTARTS_MAX, RESTARTS_S = 5, 60.0  # of one worker; a worker that fails more often than this takes the node down
PAUSE_S = 0.5  # before a worker is started again: one that fails at once would keep a processor busy
STOP_S = 15.0  # for workers to drain, which may take them 13 s; what is left is killed
POLL_S = 0.05  # between two looks at the workers


class Ports(NamedTuple):
    """Those of one worker. ``number``: which of the workers it is, from 0."""

    number: int
    stream: int
    read: int
    admin: int


def parse_worker(text: str) -> Ports:
    return Ports(*(int(part) for part in text.split(",")))


@dataclass(eq=False)
class Worker:
    """One process. ``starts``: when it was started, this time and lately (seconds of the monotonic clock).

    ``ready``: its ready line, None until that has come. ``renew``: it has not been told yet of a renewed certificate.
    """

    ports: Ports
    process: "subprocess.Popen[bytes]"
    starts: list[float]
    ready: dict[str, Any] | None = None
    renew: bool = False

    def read_ready(self) -> None:
        """Keeps the first line of the worker's output, and passes over all others until the output ends.

        Blocks: runs in a thread of its own.
        """
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if self.ready is None:
                self.ready = json.loads(line)

    def pass_renewal_on(self) -> None:
        """Sends SIGHUP, once the worker is ready: one that does not handle the signal yet would be ended by it."""
        if self.renew and self.ready is not None:
            self.renew = False
            self.process.send_signal(signal.SIGHUP)


class Workers:
    """``run`` until SIGTERM or SIGINT, or until a worker cannot be kept running. Returns the exit status."""

    def __init__(self, settings: Settings, count: int) -> None:
        if settings.admin_port and settings.admin_port + count - 1 > PORT_MAX:
            raise SettingsError(f"STOCKWIRE_HUB_ADMIN_PORT={settings.admin_port} leaves no room for {count} workers")
        self._settings = settings
        self._count = count
        self._stopping = Event()
        self._workers: list[Worker] = []

    def run(self) -> int:
        for caught in (signal.SIGTERM, signal.SIGINT):
            signal.signal(caught, lambda *_: self._stopping.set())
        if self._settings.certificate is not None:
            signal.signal(signal.SIGHUP, lambda *_: self._renew())
        settings, host = self._settings, self._settings.host
        # bound but not listening: no connection comes here, and the ports are ours
        with (
            bind(host, settings.stream_port, HOST, STREAM_PORT, shared=True, listen=False) as stream,
            bind(host, settings.read_port, HOST, READ_PORT, shared=True, listen=False) as read,
        ):
            try:
                for number in range(self._count):
                    admin = self._settings.admin_port and self._settings.admin_port + number
                    ports = Ports(number, stream.getsockname()[1], read.getsockname()[1], admin)
                    self._workers.append(self._start(ports, []))
                certificate = self._settings.certificate
                return self._watch(url_of("ws", stream, certificate) + PATH, url_of("http", read, certificate))
            finally:
                self._stop()

    def _watch(self, stream: str, read: str) -> int:
        announced = False
        while not self._stopping.wait(POLL_S):
            for position, worker in enumerate(self._workers):
                status = worker.process.poll()
                if status is None:
                    worker.pass_renewal_on()
                    continue
                log.error("a worker ended worker=%d pid=%d status=%d", worker.ports.number, worker.process.pid, status)
                recent = [start for start in worker.starts if time.monotonic() - start < RESTARTS_S]
                if len(recent) > RESTARTS_MAX or not announced:
                    log.error("a worker is given up worker=%d", worker.ports.number)
                    return status if status > 0 else 1
                self._stopping.wait(PAUSE_S)
                self._workers[position] = self._start(worker.ports, recent)
            if not announced and all(worker.ready for worker in self._workers):
                self._announce(stream, read)
                announced = True
        return 0

    def _renew(self) -> None:
        for worker in self._workers:
            worker.renew = True

    def _start(self, ports: Ports, starts: list[float]) -> Worker:
        safe_path = ["-P"] if sys.flags.safe_path else []  # the same code as this process, wherever it was started
        arguments = [sys.executable, *safe_path, "-m", "hub", "--worker", ",".join(map(str, ports))]
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        worker = Worker(ports, process, [*starts, time.monotonic()])
        Thread(target=worker.read_ready, name=f"worker {ports.number}", daemon=True).start()
        return worker

    def _announce(self, stream: str, read: str) -> None:
        workers = [
            {"pid": worker.process.pid, "admin": worker.ready["admin"]} for worker in self._workers if worker.ready
        ]
        announce("hub", {"stream": stream, "read": read, "admin": workers[0]["admin"], "workers": workers})

    def _stop(self) -> None:
        """All workers drain at once; those that do not end in time are killed."""
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        deadline = time.monotonic() + STOP_S
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
