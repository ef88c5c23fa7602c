"""The client's side of protocol v1: messages in, what to do out. No sockets, no clock; shells do the I/O.

The client's rule (design, section 5): apply a level if its version is higher than the one held; keep the newest
position given; another epoch: drop everything and take the snapshot; nothing heard for twice heartbeat_s: reconnect.
A position is a promise of the hub: it is adopted only after the last part of this connection's snapshot was applied.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeAlias

from stockwire import close_code, errors, frame
from stockwire.kind import ViewKind
from stockwire.level import Malformed
from stockwire.stream import C, Freshness
from stockwire.view import Key, Replica, State, View
from stockwire.watched import T

CONNECT_ID = 1
SUBSCRIBE_ID = 2
HEARTBEATS_MISSED_MAX = 2
RENEW_LEAST_S = 5.0
RENEW_AFTER = 0.8
"""The part of a token's life after which the next one is asked for."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this text now."""

    text: str


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """These are newer in the view; ``before``: what was known of each, None if nothing."""

    before: Mapping[Key, T | None]


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """A snapshot is complete; ``before`` as in `Changed`, of what changed and was not told before.

    ``first``: of this subscription. Later ones bring changes, which are told as such; of another epoch too, where
    ``before`` is what was known of each in the one before.
    """

    before: Mapping[Key, T | None]
    recovered: bool
    first: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """Another epoch: the view is empty until the next snapshot."""


@dataclass(frozen=True, slots=True)
class Ending:
    """This connection is over. ``error``: for good, raise it; else come back as ``code`` says, ``after_s`` if given."""

    reason: str
    code: int | None = None
    after_s: float | None = None
    error: errors.StockwireError | None = None
    paused: bool = False


Output: TypeAlias = Send | Changed[T] | Taken[T] | Dropped | Freshness | Ending


class Session(Generic[T, C]):
    """One subscription over all its connections. Each begins with `begin` and ends with an `Ending` or with `lost`."""

    def __init__(
        self,
        kind: ViewKind[T, C],
        location: str,
        skus: Sequence[str] | None,
        make_view: Callable[[Replica[T]], View[T]] | None = None,
    ) -> None:
        self.kind = kind
        self._location = location
        self._skus = skus
        self._replica = Replica[T]()
        self.view = View(self._replica) if make_view is None else make_view(self._replica)
        self._epoch: str | None = None
        self._request_id = SUBSCRIBE_ID
        # Outlives a connection: of what a resume had brought when it was cut off, the next one brings nothing new, and
        # it has still to be told. Outlives a snapshot too: a key that is in none of its parts is told once it is back
        self._untold: dict[Key, T | None] = {}
        # Of the epoch before, until the first snapshot of this one says what has become of it
        self._left: dict[Key, T] = {}
        self._begun = False
        self._reset()

    def _reset(self) -> None:
        self.connected: frame.Connected | None = None
        self._sub: int | None = None
        self._recovered = False
        self._complete = False
        self._heard: Freshness | None = None

    @property
    def silence_s_max(self) -> float | None:
        """How long this connection may say nothing; None before the hub has said how often it speaks."""
        return None if self.connected is None else HEARTBEATS_MISSED_MAX * self.connected.heartbeat_s

    def begin(self, token: str) -> str:
        """The first message of a new connection."""
        self._reset()
        self._request_id = SUBSCRIBE_ID
        return frame.connect(CONNECT_ID, token)

    def renew_after_s(self, since_s: float, now: datetime) -> float | None:
        """In how long to renew the token of this connection; None: it has no end, or the hub has not spoken of it yet.

        ``since_s``: since it spoke of it, by a clock that nobody sets.
        ``now`` counts only for a hub that does not say how long a token lasts: this machine's clock may be hours off.
        """
        if self.connected is None or self.connected.expires_at is None:
            return None
        life_s = self.connected.expires_in_s
        if life_s is None:
            life_s = (self.connected.expires_at - now).total_seconds() + since_s
        return max(RENEW_LEAST_S, RENEW_AFTER * life_s - since_s)

    def renew(self, token: str) -> str:
        """A message that keeps this connection beyond the end of its token."""
        self._request_id += 1
        return frame.refresh(self._request_id, token)

    def lost(self, code: int | None) -> bool:
        """The connection has gone; what is held ages. Whether it was dropped: after 4202 it means nothing."""
        self.view.state = State.CONNECTING
        if code == close_code.EPOCH_CHANGED:
            self._drop()
        return code == close_code.EPOCH_CHANGED

    def receive(self, data: str | bytes) -> list[Output[T]]:
        """What one message means. The view has it all when this returns."""
        try:
            message = frame.parse(data, self.kind)
        except Malformed as error:
            return [Ending(f"the hub sent what cannot be read: {error}")]
        if isinstance(message, self.kind.holds):
            return self._level(message)
        match message:
            case frame.Heartbeat():
                return self._heartbeat(message)
            case frame.SnapshotPart():
                return self._snapshot_part(message)
            case frame.Connected():
                return self._connected(message)
            case frame.Subscribed():
                return self._subscribed(message)
            case frame.Refreshed() if self.connected is not None:
                self.connected = replace(
                    self.connected, expires_at=message.expires_at, expires_in_s=message.expires_in_s
                )
            case frame.ErrorReply():
                return self._error(message)
            case frame.Disconnect():
                return [_ending_of(message)]
        return []

    def _connected(self, message: frame.Connected) -> list[Output[T]]:
        self.connected = message
        outputs: list[Output[T]] = []
        if self._epoch != message.epoch:
            if self._epoch is not None:
                self._drop()
                outputs.append(Dropped())
            self._epoch = message.epoch
        since = self._replica.position
        return [*outputs, Send(frame.subscribe(SUBSCRIBE_ID, self._location, self._skus, since, self.kind.asks))]

    def _drop(self) -> None:
        told = self._replica.all_known() | self._untold
        for key, known in told.items():
            if known is not None:
                self._left.setdefault(key, known)
        self._replica.drop()
        self._untold.clear()

    def _subscribed(self, message: frame.Subscribed) -> list[Output[T]]:
        if message.id != SUBSCRIBE_ID or self._sub is not None:
            return []
        self._sub = message.sub
        self._recovered = message.recovered
        if message.recovered and self._replica.position is None:
            return [Ending("the hub resumed what was never begun")]
        self._replica.begin_snapshot(complete=not message.recovered)
        return []

    def _level(self, level: T) -> list[Output[T]]:
        # Without `connected` the epoch is not known, and an old epoch's level could stand above the new one's
        if self.connected is None:
            return []
        before = self._replica.known(level.key)
        if not self._replica.apply(self.kind.settle(level, before)):
            return []
        if self._complete:
            return [Changed({level.key: self._untold.pop(level.key, before)})]
        self._untold.setdefault(level.key, before)
        return []

    def _snapshot_part(self, part: frame.SnapshotPart[T]) -> list[Output[T]]:
        if self._sub is None or part.sub != self._sub or self._complete:
            return []
        for level in part.levels:
            before = self._replica.known(level.key)
            if self._replica.apply(self.kind.settle(level, before)):
                self._untold.setdefault(level.key, before)
        if not part.last:
            return []
        if part.position is not None and part.position.epoch != self._epoch:
            return [Ending("the epoch changed during a snapshot", code=close_code.EPOCH_CHANGED)]
        self._settle_left()
        self._replica.end_snapshot(part.position)
        self._complete = True
        told = {key: known for key, known in self._untold.items() if key in self._replica.levels}
        taken = Taken(told, self._recovered, first=not self._begun)
        self._begun = True
        self._untold = {key: known for key, known in self._untold.items() if key not in told}
        self.view.state = State.STALE if self._heard is not None and not self._heard.fresh else State.FRESH
        return [taken] if self._heard is None else [taken, self._heard]

    def _settle_left(self) -> None:
        """What another epoch left of what was known before: what it does not name is as if it had never been."""
        if not self._left:
            return
        self._untold = {key: self._left.pop(key, known) for key, known in self._untold.items()}
        for key, known in self._left.items():
            self._replica.apply(self.kind.never(known))
            self._untold[key] = known
        self._left = {}

    def _heartbeat(self, message: frame.Heartbeat) -> list[Output[T]]:
        self._heard = Freshness(message.fresh, message.lag_ms)
        self.view.lag_ms = message.lag_ms
        if not self._complete:
            return []
        self._replica.advance(message.seq)
        self.view.state = State.FRESH if message.fresh else State.STALE
        return [self._heard]

    def _error(self, message: frame.ErrorReply) -> list[Output[T]]:
        if message.id not in (CONNECT_ID, SUBSCRIBE_ID):
            return []  # a refresh that failed: the connection stays until its token ends
        reason = f"{message.code}: {message.message}"
        if message.code in _WORTH_ANOTHER_TRY:
            return [Ending(reason, paused=True)]
        return [Ending(reason, error=_refusal(message))]


_WORTH_ANOTHER_TRY = frozenset({"unavailable", "overloaded", "rate-limited", "limit"})
# `limit`: this hub is full, another may not be; what this client asks for is within the limits (see Subscription)


def _refusal(message: frame.ErrorReply) -> errors.StockwireError:
    match message.code:
        case "forbidden":
            return errors.Forbidden(message.message)
        case "unauthorized" | "bad-token":
            return errors.BadToken(message.message)
        case "token-expired":
            return errors.TokenExpired(message.message)
        case "not-found":
            return errors.NotFound(message.message)
        case "invalid":
            return errors.Invalid("subscription", message.message)
    return errors.StreamRefused(f"{message.code}: {message.message}")


def _ending_of(message: frame.Disconnect) -> Ending:
    after_s = message.after_ms / 1000
    if message.reconnect:
        return Ending(message.reason, message.code, after_s)
    return Ending(message.reason, message.code, after_s, refusal_of(message.code, message.reason))


def refusal_of(code: int, reason: str) -> errors.StockwireError:
    """The error of a close code that forbids to come back."""
    if code == close_code.BAD_TOKEN:
        return errors.BadToken(reason or "the hub does not accept this key or token")
    if code == close_code.TOKEN_EXPIRED:
        return errors.TokenExpired(reason or "the token has ended")
    if code == close_code.FORBIDDEN:
        return errors.Forbidden(reason or "the key or token does not allow this")
    return errors.StreamRefused(reason or "the hub ended the stream", code)
