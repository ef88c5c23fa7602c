"""Events waiting for a reader that may be slow: the latest of each, so memory is bounded by what is watched. Pure."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Generic

from stockwire.held import T
from stockwire.kind import Kind
from stockwire.session import Changed, Dropped, Output, Taken
from stockwire.stream import C, Freshness, Reconnecting, Snapshot, StreamEvent
from stockwire.view import Key, View

Notice = Freshness | Reconnecting


class Mailbox(Generic[T, C]):
    """Keeps what has changed, not the values: an event is made from the view when it is taken, so it is never old."""

    def __init__(self, kind: Kind[T, C], view: View[T]) -> None:
        self._kind = kind
        self._view = view
        self._changed: OrderedDict[Key, T | None] = OrderedDict()
        """With what the reader knows of each."""
        self._snapshot: set[Key] | None = None
        self._recovered = True
        self._notices: OrderedDict[type[Notice], Notice] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._notices) or self._snapshot is not None or self._next() is not None

    def put(self, said: Output[T] | Notice) -> None:
        """What a session has made of a message, and what is said of the connection. The view has it already."""
        match said:
            case Changed(before):
                self.changed(before)
            case Taken(before, recovered, first):
                self.snapshot(before, recovered=recovered)
                if not first and self._kind.crossed is not None:
                    self.changed(before)
            case Dropped():
                self.forget()
            case Freshness() | Reconnecting():
                self.notice(said)
            case _:  # for the connection, not for the application
                pass

    def forget(self) -> None:
        """Another epoch: what was waiting is not true any more."""
        self._changed.clear()
        self._snapshot = None
        self._recovered = True

    def changed(self, before: Mapping[Key, T | None]) -> None:
        """A level that already waits keeps its place, so that a busy one cannot starve itself."""
        for key, known in before.items():
            first = self._changed.setdefault(key, known)
            if key not in self._view or not self._kind.tells(first, self._view[key]):
                del self._changed[key]

    def snapshot(self, before: Mapping[Key, T | None], *, recovered: bool) -> None:
        """A complete one that still waits stays complete when a recovered one follows it."""
        self._notices.pop(Reconnecting, None)  # over before it was read
        self._recovered = recovered and (self._snapshot is None or self._recovered)
        if self._recovered:
            self._snapshot = (self._snapshot or set()) | before.keys()
        else:
            self._snapshot = set()
            self._told_by_snapshot(self._changed)

    def notice(self, notice: Notice) -> None:
        if isinstance(notice, Reconnecting):
            self._notices.pop(Freshness, None)
        self._notices.pop(type(notice), None)
        self._notices[type(notice)] = notice

    def take(self) -> StreamEvent[T, C] | None:
        """The next event: snapshot, then what is said of the connection, then levels in the order of their change."""
        if self._snapshot is not None:
            return self._take_snapshot()
        if self._notices:
            return self._notices.popitem(last=False)[1]
        key = self._next()
        if key is None:
            return None
        del self._changed[key]
        return self._kind.event(self._view[key])

    def _next(self) -> Key | None:
        """What is no news waits: in the middle of a snapshot the view may come back to what the reader knows."""
        for key, known in self._changed.items():
            if key in self._view and self._kind.tells(known, self._view[key]):
                return key
        return None

    def _take_snapshot(self) -> Snapshot[T]:
        keys, self._snapshot = self._snapshot or set(), None
        if not self._recovered:
            self._recovered = True
            self._told_by_snapshot(self._changed)
            return Snapshot(tuple(self._view.values()), recovered=False)
        self._told_by_snapshot(keys)
        return Snapshot(self._view.of(sorted(keys)), recovered=True)

    def _told_by_snapshot(self, keys: Iterable[Key]) -> None:
        if self._kind.crossed is None:
            for key in tuple(keys):
                self._changed.pop(key, None)
