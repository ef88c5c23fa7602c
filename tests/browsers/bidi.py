"""One WebDriver BiDi session: commands and their answers, and what pages write into their consoles.

W3C WebDriver BiDi is JSON over a WebSocket, and Chromium's driver and Firefox speak it alike: these lines are all that
is needed (docs/decisions/0033-browsers-by-bidi.md). A thread reads what comes, so one browser serves tests whose event
loops come and go.
"""

import itertools
import json
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.harness.waiting import PATIENCE_S

Result = dict[str, Any]
CONSOLE_LINES_MAX = 5_000
"""Of all pages together; the oldest give way."""


class BrowserError(Exception):
    """Root of BidiError and ScriptFailed: a page that is on its way has not yet what is asked of it."""


class ScriptFailed(BrowserError):
    """What a page's script threw."""


class BidiError(BrowserError):
    """The browser refused a command. ``code`` as in the specification, such as ``no such frame``."""

    def __init__(self, method: str, code: str, message: str) -> None:
        super().__init__(f"{method}: {code}: {message}")
        self.code = code


class Bidi:
    """``ask`` from any thread. ``console``: what pages printed, newest last."""

    def __init__(self, socket: ClientConnection) -> None:
        self.console: deque[Result] = deque(maxlen=CONSOLE_LINES_MAX)
        self._socket = socket
        self._ids = itertools.count(1)
        self._asked: dict[int, tuple[str, Future[Result]]] = {}
        self._lock = threading.Lock()
        self._ended: Exception | None = None

    def ask(self, method: str, parameters: Result | None = None) -> "Future[Result]":
        """Its answer, or BidiError, or ConnectionError when the browser is gone."""
        answer: Future[Result] = Future()
        with self._lock:
            if self._ended:
                raise self._ended
            number = next(self._ids)
            self._asked[number] = method, answer
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters or {}}))
        return answer

    def asked(self, method: str, parameters: Result | None = None) -> Result:
        """As ``ask``, and waits here: for fixtures."""
        return self.ask(method, parameters).result(PATIENCE_S)

    def read(self) -> None:
        """What comes, until the browser ends the connection."""
        try:
            for text in self._socket:
                self._take(json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            self._end()

    def _take(self, message: Result) -> None:
        if message["type"] == "event":
            if message["method"] == "log.entryAdded":
                self.console.append(message["params"])
            return
        method, answer = self._asked.pop(message["id"])
        if not answer.set_running_or_notify_cancel():
            return  # the test that asked is over
        if message["type"] == "error":
            answer.set_exception(BidiError(method, message["error"], message["message"]))
        else:
            answer.set_result(message["result"])

    def _end(self) -> None:
        with self._lock:
            self._ended = ConnectionError("the browser has ended")
            left, self._asked = self._asked, {}
        for method, answer in left.values():
            if answer.set_running_or_notify_cancel():
                answer.set_exception(ConnectionError(f"{method}: the browser has ended"))


@contextmanager
def bidi_session(url: str, capabilities: Result) -> Iterator[Bidi]:
    """A session that hears of what pages print. Ends it, and with it the browser."""
    with connect(url, max_size=None, compression=None, open_timeout=PATIENCE_S, ping_interval=None) as socket:
        bidi = Bidi(socket)
        reading = threading.Thread(target=bidi.read, name="bidi", daemon=True)
        reading.start()
        bidi.asked("session.new", {"capabilities": {"alwaysMatch": capabilities}})
        bidi.asked("session.subscribe", {"events": ["log.entryAdded"]})
        yield bidi
        bidi.asked("browser.close" if "moz:firefoxOptions" in capabilities else "session.end")
    reading.join(PATIENCE_S)
