"""Ledgers and hubs inside the test's own process, each in a thread with a loop of its own.

They are the product's own parts, on real sockets, over the real database and broker, started in a tenth of a second.
What only a process can do (be killed, paused or measured, take signals, have workers) is not theirs:
``tests.harness.processes`` has it.
"""

import asyncio
import contextlib
import logging
import threading
import time
import traceback
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

import hub.settings
import ledger.settings
from hub.process import Listeners, Node
from hub.stream.stream import PATH
from ledger.process import LedgerProcess
from ledger.readiness import NoDatabase
from server.http.listening import bind, url_of
from server.log import CHATTY, LOG_FORMAT
from server.settings.environment import SettingsError
from tests.harness.servers import Server, hub_ports, ledger_ports
from tests.harness.waiting import PATIENCE_S

_resident: ContextVar["Resident | None"] = ContextVar("resident", default=None)
"""Whose code runs: threads that a loop lends its work to inherit it, so a log line finds its server."""


@dataclass(eq=False)
class Resident(Server):
    """A server in a thread. ``environment`` are its settings, and nothing else of the machine's reaches it."""

    _thread: threading.Thread | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _stop: Callable[[], None] | None = field(default=None, init=False)
    _said: Mapping[str, Any] | None = field(default=None, init=False)
    _failure: BaseException | None = field(default=None, init=False)

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def ending(self) -> str:
        return repr(self._failure)

    def launch(self) -> None:
        self._said = self._failure = None
        self._stderr.touch()
        context = copy_context()
        context.run(_resident.set, self)
        self._thread = threading.Thread(target=context.run, args=(self._live,), name=self.name, daemon=True)
        self._thread.start()

    def terminate(self) -> None:
        assert self._loop is not None
        assert self._stop is not None, f"{self.name} has not come as far as to be stopped"
        with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended
            self._loop.call_soon_threadsafe(self._stop)

    async def wait(self, deadline_s: float = PATIENCE_S) -> int:
        assert self._thread is not None
        deadline = time.monotonic() + deadline_s
        while self._thread.is_alive():
            assert time.monotonic() < deadline, f"{self.name} still runs after {deadline_s} s:\n{self.stderr()}"
            await asyncio.sleep(0.01)
        return 1 if self._failure else 0

    async def stop(self) -> int:
        if self._thread is None:
            return 0
        if self._stop is not None:
            self.terminate()
        return await self.wait()

    @abstractmethod
    async def _serve(self) -> None:
        """Until ``_stop`` is called, which is to be set first; ``_said`` is set when it is ready."""

    def _ready_line(self) -> Mapping[str, Any] | None:
        return self._said

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                self._loop = runner.get_loop()
                runner.run(self._serve())
        except (SettingsError, NoDatabase) as error:
            self._failure = error
            self.write(f"stockwire: {error}\n")
        except BaseException as error:  # noqa: BLE001  # whatever it is, check_log tells it
            self._failure = error
            self.write(traceback.format_exc())

    def write(self, text: str) -> None:
        with self._stderr.open("a") as log:
            log.write(text)


@dataclass(eq=False)
class ResidentLedger(Resident):
    async def _serve(self) -> None:
        settings = ledger.settings.read_settings(self.environment)
        listener = bind(settings.host, settings.port, ledger.settings.HOST, ledger.settings.PORT)
        admin = bind(settings.admin_host, settings.admin_port, ledger.settings.ADMIN_HOST, ledger.settings.ADMIN_PORT)
        served = LedgerProcess(settings, url_of("http", listener, None))
        self._stop = served.stop
        ready = {
            "ready": True,
            "service": "ledger",
            "url": url_of("http", listener, None),
            "admin": url_of("http", admin, None),
        }
        await served.run(listener, admin, lambda: setattr(self, "_said", ready))


@dataclass(eq=False)
class ResidentHub(Resident):
    async def _serve(self) -> None:
        settings = hub.settings.read_settings(self.environment)
        listeners = Listeners(
            bind(settings.host, settings.stream_port, hub.settings.HOST, hub.settings.STREAM_PORT),
            bind(settings.host, settings.read_port, hub.settings.HOST, hub.settings.READ_PORT),
            bind(settings.admin_host, settings.admin_port, hub.settings.ADMIN_HOST, hub.settings.ADMIN_PORT),
        )
        node = Node(settings)
        self._stop = node.stop
        ready = {
            "ready": True,
            "service": "hub",
            "stream": url_of("ws", listeners.stream, None) + PATH,
            "read": url_of("http", listeners.read, None),
            "admin": url_of("http", listeners.admin, None),
        }
        await node.run(listeners, lambda: setattr(self, "_said", ready))


def resident_ledger(name: str, folder: Path, settings: Mapping[str, object]) -> ResidentLedger:
    return ResidentLedger(name, _given(ledger_ports(), settings), folder)


def resident_hub(name: str, folder: Path, settings: Mapping[str, object]) -> ResidentHub:
    return ResidentHub(name, _given(hub_ports(), {"STOCKWIRE_HUB_NODE": name}, settings), folder)


def _given(*settings: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for some in settings for name, value in some.items() if value is not None}


class _Logs(logging.Handler):
    """Writes what a resident logs into its own log, and nothing else anywhere."""

    def emit(self, record: logging.LogRecord) -> None:
        if (resident := _resident.get()) is not None:
            resident.write(self.format(record) + "\n")


def is_the_tests_own(_record: logging.LogRecord) -> bool:
    """A filter of log lines: whether no resident said it. They say what they say at any time, whatever test runs."""
    return _resident.get() is None


def keep_logs() -> None:
    """Once for a run, as ``__main__`` of both services does for a process."""
    handler = _Logs()
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
