"""What waits for the application, filled by the follower's thread and emptied by others."""

import time
from collections.abc import Iterator, Sequence
from typing import Generic

from stockwire.kind import ViewKind
from stockwire.mailbox import Mailbox
from stockwire.session import Output, Session, Taken
from stockwire.stream import C, Reconnecting, StreamEvent
from stockwire.sync.fork import ForkCheck, OwnCondition
from stockwire.sync.view import SharedView
from stockwire.view import State
from stockwire.watched import T

LOOK_S = 0.5
"""A wait is cut into pieces of this length, since Ctrl-C does not end a longer one on Windows."""


class Ended(Exception):
    """Nothing waits, and nothing will. ``error``: why, None after `close`."""

    def __init__(self, error: BaseException | None) -> None:
        super().__init__(error)
        self.error = error


class Inbox(Generic[T, C]):
    """One lock over the session, its view and the mailboxes. It is never held while foreign code runs."""

    def __init__(self, kind: ViewKind[T, C], location: str, skus: Sequence[str] | None) -> None:
        self._changed = OwnCondition(ForkCheck("this subscription"))
        self.session = Session(kind, location, skus, lambda replica: SharedView(replica, self._changed))
        self._mailboxes: list[Mailbox[T, C]] = []
        self._ready = False
        self._ended = False
        self._error: BaseException | None = None

    def open_mailbox(self) -> Mailbox[T, C]:
        """One more reader, who gets what comes from now on."""
        with self._changed:
            mailbox = Mailbox(self.session.kind, self.session.view)
            self._mailboxes.append(mailbox)
            return mailbox

    def close_mailbox(self, mailbox: Mailbox[T, C]) -> None:
        """Safe twice. Whoever waits for it finds out."""
        with self._changed:
            if mailbox in self._mailboxes:
                self._mailboxes.remove(mailbox)
            self._changed.notify_all()

    def take(self, mailbox: Mailbox[T, C], timeout_s: float | None) -> StreamEvent[T, C] | None:
        """The next event of ``mailbox``; None if none came within ``timeout_s`` seconds, or it was closed.

        Raises Ended once nothing waits any more and nothing will come.
        """
        with self._changed:
            for _ in self._looks(timeout_s):
                if mailbox not in self._mailboxes:
                    return None
                event = mailbox.take()
                if event is not None:
                    return event
                self._check_going_on()
            return None

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether a snapshot of the present connection is complete within ``timeout_s`` seconds. Raises Ended."""
        with self._changed:
            for _ in self._looks(timeout_s):
                self._check_going_on()
                if self._ready:
                    return True
            return False

    def receive(self, message: bytes | str) -> Sequence[Output[T]]:
        with self._changed:
            outputs = self.session.receive(message)
            for output in outputs:
                self._ready = self._ready or isinstance(output, Taken)
                for mailbox in self._mailboxes:
                    mailbox.put(output)
            self._changed.notify_all()
            return outputs

    def lost(self, code: int | None) -> None:
        with self._changed:
            self._ready = False
            if self.session.lost(code):
                for mailbox in self._mailboxes:
                    mailbox.forget()

    def reconnecting(self, notice: Reconnecting) -> None:
        with self._changed:
            for mailbox in self._mailboxes:
                mailbox.put(notice)
            self._changed.notify_all()

    def end(self, error: BaseException | None) -> None:
        """What waits can still be taken. The first end counts."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self.session.view.state = State.CLOSED
            self._changed.notify_all()

    def _looks(self, timeout_s: float | None) -> Iterator[None]:
        """Now, then whenever something has changed, until ``timeout_s`` seconds have passed. Holds the lock."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        yield
        while end is None or time.monotonic() < end:
            self._changed.wait(LOOK_S if end is None else min(LOOK_S, max(0.0, end - time.monotonic())))
            yield

    def _check_going_on(self) -> None:
        if self._ended:
            raise Ended(self._error)
