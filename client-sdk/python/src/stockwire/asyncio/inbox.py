"""What waits for the application, filled by the follower of the same event loop."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Generic

from stockwire.mailbox import Mailbox
from stockwire.session import Changed, Output, Session, Taken
from stockwire.stream import C, Freshness, Reconnecting, Snapshot, StreamEvent
from stockwire.tracing import receiving
from stockwire.view import Key, State
from stockwire.watched import T

_log = logging.getLogger("stockwire")


class Inbox(Generic[T, C]):
    """``ready``: a snapshot of the present connection is complete. ``wake``: something may be new.

    Both stay set at the end, so that nobody waits for what cannot come.
    """

    def __init__(self, session: Session[T, C], name: str) -> None:
        self.session = session
        self.mailbox = Mailbox(session.kind, session.view)
        self.listeners: list[Callable[[StreamEvent[T, C]], object]] = []
        self.ready = asyncio.Event()
        self.wake = asyncio.Event()
        self._name = name

    def receive(self, message: bytes | str) -> Sequence[Output[T]]:
        outputs = self.session.receive(message)
        for output in outputs:
            self.mailbox.put(output)
            if isinstance(output, Taken):
                self.ready.set()
            if self.listeners:
                self._tell(self._events(output))
        self.wake.set()
        return outputs

    def lost(self, code: int | None) -> None:
        self.ready.clear()
        if self.session.lost(code):
            self.mailbox.forget()

    def reconnecting(self, notice: Reconnecting) -> None:
        self.mailbox.put(notice)
        self._tell((notice,))
        self.wake.set()

    def end(self) -> None:
        self.session.view.state = State.CLOSED
        self.ready.set()
        self.wake.set()

    def _events(self, output: Output[T]) -> Sequence[StreamEvent[T, C]]:
        view = self.session.view
        match output:
            case Changed(before):
                return self._changes(before)
            case Taken(before, recovered, first):
                levels = view.of(sorted(before)) if recovered else tuple(view.values())
                return [Snapshot(levels, recovered), *([] if first else self._changes(before))]
            case Freshness():
                return [output]
        return []

    def _changes(self, before: Mapping[Key, T | None]) -> list[C]:
        kind, view = self.session.kind, self.session.view
        return [kind.event(view[key]) for key in before if key in view and kind.tells(before[key], view[key])]

    def _tell(self, events: Sequence[StreamEvent[T, C]]) -> None:
        for listener in tuple(self.listeners):
            for event in events:
                try:
                    with receiving(event):
                        listener(event)
                except Exception:  # noqa: BLE001 - foreign code: one listener must not take the stream from the others
                    _log.exception("a listener has raised stream=%s", self._name)
