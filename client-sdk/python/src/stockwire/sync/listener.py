"""A callback on a thread of its own, so that it may block, and may call the client."""

import logging
import threading
from collections.abc import Callable
from typing import Generic

from stockwire.stream import C, StreamEvent
from stockwire.sync.inbox import Ended, Inbox
from stockwire.tracing import receiving
from stockwire.watched import T

_log = logging.getLogger("stockwire")


class Listener(Generic[T, C]):
    """Calls ``callback`` with one event after the other. While it is busy, the newest of each level waits.

    It hears what comes from when it is made. ``others``: all that run; it stands among them until its thread ends.
    """

    def __init__(
        self,
        inbox: Inbox[T, C],
        callback: Callable[[StreamEvent[T, C]], object],
        name: str,
        others: "set[Listener[T, C]]",
    ) -> None:
        self._inbox = inbox
        self._callback = callback
        self._name = name
        self._others = others
        self._mailbox = inbox.open_mailbox()
        self._thread = threading.Thread(target=self._run, name=f"stockwire listener of {name}", daemon=True)
        others.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Returns at once; a call that is under way still ends. Safe twice."""
        self._inbox.close_mailbox(self._mailbox)

    def join(self, timeout_s: float) -> None:
        """Wait for its end, unless this is its own thread: then it ends when the callback returns."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._call()
        finally:
            self._others.discard(self)

    def _call(self) -> None:
        while True:
            try:
                event = self._inbox.take(self._mailbox, None)
            except Ended:
                return
            if event is None:
                return
            try:
                with receiving(event):
                    self._callback(event)
            except Exception:  # noqa: BLE001 - foreign code: it must not take the stream from the others
                _log.exception("a listener has raised stream=%s", self._name)
