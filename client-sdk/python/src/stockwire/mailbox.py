"""Events waiting for a reader that may be slow: the latest of each, so memory is bounded by what is watched. Pure."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic

from stockwire.kind import ViewKind
from stockwire.session import Changed, Dropped, Output, Taken
from stockwire.stream import C, Freshness, Reconnecting, Snapshot, StreamEvent
from stockwire.view import Key, State, View
from stockwire.watched import T

Notice = Freshness | Reconnecting


class Mailbox(Generic[T, C]):
    """Keeps what has changed, not the values: an event is made from the view when it is taken, so it is never old.

    But for what waits when a snapshot is taken: it is told right after it, as the snapshot showed it. So readers who
    heed the snapshot and readers who follow changes alone know the same, and what comes next is news to both.
    """

    def __init__(self, kind: ViewKind[T, C], view: View[T]) -> None:
        self._kind = kind
        self._view = view
        self._changed: OrderedDict[Key, T | None] = OrderedDict()
        """With what the reader knows of each."""
        self._left: dict[Key, T | None] = {}
        """As `_changed`, of the epoch before, until a snapshot says what has become of it."""
        self._early: dict[Key, T] = {}
        """What was told of a resume before it was whole: the next snapshot does not count with it."""
        self._shown: deque[C] = deque()
        """What the last snapshot showed and is still to be told: one event of each level at most."""
        self._snapshot: set[Key] | None = None
        self._recovered = True
        self._notices: OrderedDict[type[Notice], Notice] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._shown or self._notices) or self._snapshot is not None or any(True for _ in self._news())

    def put(self, said: Output[T] | Notice) -> None:
        """What a session has made of a message, and what is said of the connection. The view has it already."""
        match said:
            case Changed(before):
                self.changed(before)
            case Taken(before, recovered, first):
                self.snapshot(before, recovered=recovered)
                if not first:
                    self.changed({key: self._early.get(key, known) for key, known in before.items()})
                self._left.clear()
                self._early.clear()
            case Dropped():
                self.forget()
            case Freshness() | Reconnecting():
                self.notice(said)
            case _:  # for the connection, not for the application
                pass

    def forget(self) -> None:
        """Another epoch: what was waiting is not true any more. What the reader knows of it is kept."""
        self._left = {**self._changed, **self._left}
        self._changed.clear()
        self._snapshot = None
        self._recovered = True

    def changed(self, before: Mapping[Key, T | None]) -> None:
        """A level that already waits keeps its place, so that a busy one cannot starve itself."""
        for key, known in before.items():
            first = self._changed.setdefault(key, self._left.get(key, known))
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

    def notice(self, notice: Notice) -> None:
        if isinstance(notice, Reconnecting):
            self._notices.pop(Freshness, None)
        self._notices.pop(type(notice), None)
        self._notices[type(notice)] = notice

    def take(self) -> StreamEvent[T, C] | None:
        """The next event: a snapshot and what it changed, then what is said of the connection, then other changes in
        their order."""
        if self._shown:
            return self._shown.popleft()
        if self._snapshot is not None:
            snapshot = self._take_snapshot()
            showed = {level.key for level in snapshot.levels}
            self._shown.extend(self._taken(key) for key in tuple(self._news()) if key in showed)
            return snapshot
        if self._notices:
            return self._notices.popitem(last=False)[1]
        key = next(self._news(), None)
        return None if key is None else self._taken(key)

    def _taken(self, key: Key) -> C:
        del self._changed[key]
        self._tell((self._view[key],))
        return self._kind.event(self._view[key])

    def _tell(self, levels: Iterable[T]) -> None:
        if self._view.state is State.CONNECTING:
            self._early.update((level.key, level) for level in levels)

    def _news(self) -> Iterator[Key]:
        """What is no news waits: in the middle of a snapshot the view may come back to what the reader knows."""
        for key, known in self._changed.items():
            if key in self._view and self._kind.tells(known, self._view[key]):
                yield key

    def _take_snapshot(self) -> Snapshot[T]:
        keys, self._snapshot = self._snapshot or set(), None
        recovered, self._recovered = self._recovered, True
        levels = self._view.of(sorted(keys)) if recovered else tuple(self._view.values())
        self._tell(levels)
        return Snapshot(levels, recovered=recovered)
