"""What one connection is owed: its subscriptions, the levels that changed while it could not be written to. Pure.

The connection itself is a ``write`` callable and a flag: ``writable`` is false while it holds more than its limit.
Nothing is queued for it then; its levels are marked and only their newest state is written when it drains, so it costs
at most what it watches, however slow it is.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from hub.fanout.counts import Counts
from hub.fanout.frames import Framing, frame, framed, state_payload
from hub.fanout.subscription import Subscription
from hub.stock.held import State, Watched
from wire.messages import Error, HubMessage, Position
from wire.tokens import Principal

PART_LEVELS = 200  # about 45 KB: a part fits the write limit, and a slow reader waits between parts
PARTS_PER_TICK = 4  # one reader of a huge location must not hold up the others

NOTHING: Mapping[str, int] = {}


class Session:
    """``open`` ends for good; ``writable`` implies ``open``. ``pumping``: see ``Delivery``.

    ``shards``: those of the levels it watches, ascending; what is derived from levels has no position. ``unserved``:
    subscriptions whose snapshot is not complete. ``beat_at``: when its next heartbeat is due.
    """

    __slots__ = (
        "_promise",
        "beat_at",
        "counts",
        "dirty",
        "framing",
        "open",
        "owing",
        "principal",
        "pumping",
        "shards",
        "subscriptions",
        "unserved",
        "writable",
        "write",
    )

    def __init__(
        self,
        write: Callable[[bytes], None],
        framing: Framing,
        pumping: dict["Session", None],
        counts: Counts,
    ) -> None:
        self.write = write
        self.framing = framing
        self.pumping = pumping
        self.counts = counts
        self.open = True
        self.writable = True
        self.principal: Principal | None = None
        self.subscriptions: dict[int, Subscription] = {}
        self.shards: tuple[int, ...] = ()
        self.dirty: dict[Watched, None] = {}
        self.owing: dict[Subscription, None] = {}
        self.unserved = 0
        self.beat_at = 0.0
        self._promise = NOTHING

    def send(self, message: HubMessage, position: Position | None = None) -> None:
        """Write a message, also beyond the write limit: each answers something that was read, and a connection over its
        limit is not read from."""
        if isinstance(message, Error):
            self.counts.errors[message.code] = self.counts.errors.get(message.code, 0) + 1
        if self.open:
            self._write(frame(message, self.framing, position))

    def write_frames(self, frames: list[bytes]) -> int:
        """Returns the bytes written."""
        if not frames or not self.open:
            return 0
        data = b"".join(frames) if len(frames) > 1 else frames[0]
        self._write(data)
        return len(data)

    def lost(self) -> None:
        """The transport is gone. Safe to call twice."""
        self.open = self.writable = False

    def paused(self) -> None:
        self.writable = False

    def resumed(self) -> None:
        """It has drained: what it is owed is written in the next flush."""
        self.writable = self.open
        if self.dirty or self.owing:
            self._pump_soon()

    # subscriptions

    def add(self, subscription: Subscription) -> None:
        """What was promised so far does not cover it: nothing is promised until everything is served again."""
        self.subscriptions[subscription.id] = subscription
        self._see_shards()
        self.unserved += 1
        self._promise = NOTHING

    def remove(self, subscription: Subscription) -> None:
        del self.subscriptions[subscription.id]
        self._see_shards()
        self.owing.pop(subscription, None)
        if not subscription.served:
            self.unserved -= 1
        for level in subscription.end():
            self.dirty.pop(level, None)

    def fail(self, subscription: Subscription, code: str, message: str) -> None:
        """The subscription cannot be served after all."""
        if subscription.id in self.subscriptions:
            self.remove(subscription)
            self.send(Error(subscription.id, code, message))

    def end(self) -> None:
        """Let go of everything it watches. Safe to call twice."""
        self.lost()
        for subscription in list(self.subscriptions.values()):
            self.remove(subscription)
        self.pumping.pop(self, None)

    # what it is owed

    def owe(self, subscription: Subscription) -> None:
        self.owing[subscription] = None
        self._pump_soon()

    def mark(self, level: Watched) -> None:
        """The level changed and cannot be written now."""
        if level in self.dirty:
            self.counts.conflated += 1
        else:
            self.dirty[level] = None
            self._pump_soon()

    def pump(self) -> bool:
        """Write what it is owed, as far as it takes it now. Returns whether it is owed more.

        Call it only when everything that changed was flushed to the sessions that are up to date.
        """
        for _ in range(PARTS_PER_TICK):
            if not self.writable:
                break
            if self.dirty:
                self._write_dirty()
            elif self.owing:
                self._write_part(next(iter(self.owing)))
        return bool(self.dirty or self.owing)

    def promised(self, applied: Mapping[str, int]) -> Mapping[str, int]:
        """The position of a heartbeat: ``applied`` if nothing is owed, else the last such value.

        Empty before there was one. ``applied`` must be what was flushed, and is kept, not copied.
        """
        if not self.subscriptions:
            return NOTHING
        if not self.unserved and not self.dirty and not self.owing:
            self._promise = applied
        return self._promise

    def _write_dirty(self) -> None:
        levels = list(islice(self.dirty, PART_LEVELS))
        for level in levels:
            del self.dirty[level]
        self._write_states([level.state for level in levels if level.state is not None])

    def _write_part(self, subscription: Subscription) -> None:
        part = subscription.part(PART_LEVELS)
        if part.snapshot is None:
            self._write_states(part.states)
        else:
            self.counts.snapshot_parts += 1
            self.counts.snapshot_levels += len(part.states)
            self.send(part.snapshot, part.snapshot.position)
            if part.snapshot.last:
                self.unserved -= 1
                self.counts.snapshots.observe(self.counts.clock() - subscription.asked_at)
        if not subscription.owes:
            del self.owing[subscription]

    def _write_states(self, states: Sequence[State]) -> None:
        if not states:
            return
        self.counts.deliveries += len(states)
        self.counts.writes += 1
        self.counts.level_bytes += self.write_frames([framed(state_payload(state))[self.framing] for state in states])

    def _see_shards(self) -> None:
        self.shards = tuple(sorted({shard for one in self.subscriptions.values() for shard in one.shards}))

    def _pump_soon(self) -> None:
        if self.writable:
            self.pumping[self] = None

    def _write(self, data: bytes) -> None:
        try:
            self.write(data)
        except (RuntimeError, OSError):  # uvloop raises on a transport that is closing; its connection_lost follows
            self.lost()
