"""How much clients may ask of a hub, one connection and all together. Pure."""

from collections import OrderedDict
from dataclasses import dataclass, replace

NAMES_MAX = 10_000
"""Whose rate is remembered; the one that came least recently is forgotten first, and may do as much as at first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Those that a client can meet stand in docs/reference/protocol.md, "Limits"; all are settings.

    Bytes are payload bytes, times seconds. ``write_bytes_max``: what a connection may hold unsent before it counts as
    slow. ``stall_s``: how long it may take to drain. ``levels_per_connection_max``: by name, over all subscriptions.
    ``unauthenticated_max``: connections without a key or token yet. ``connections_per_address_max``: 0: any number.
    ``connection_age_s``: how old a connection or event stream may become; 0: any age.
    """

    message_bytes_max: int = 65_536
    messages_per_minute: int = 200
    messages_burst: int = 150
    skus_max: int = 1_000
    subscriptions_max: int = 128
    levels_per_connection_max: int = 20_000
    connections_max: int = 20_000
    connections_per_owner_max: int = 10_000
    connections_per_address_max: int = 0
    connection_age_s: float = 0.0
    unauthenticated_max: int = 2_000
    handshakes_per_s: int = 500
    handshakes_burst: int = 1_000
    authenticate_s: float = 5.0
    ping_s: float = 20.0
    pong_s: float = 10.0
    stall_s: float = 5.0
    write_bytes_max: int = 65_536
    send_buffer_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class VisitorLimits:
    """Of those who watch without a key or token. All are settings, and none lets a visitor do more than ``Limits``.

    ``visitors_max``, ``per_minute``: of all of them, ``..._address_...``: of one address (0: no limit); per minute:
    that come. ``skus_max``: over all subscriptions of a visitor. ``levels_max``: what all of them may name together;
    ``levels_per_minute``: and begin to watch, a tenth of it at once.
    """

    visitors_max: int = 10_000
    per_address_max: int = 200
    per_minute: int = 6_000
    per_address_per_minute: int = 600
    subscriptions_max: int = 32
    skus_max: int = 2_000
    messages_per_minute: int = 90
    levels_max: int = 1_000_000
    levels_per_minute: int = 600_000

    def within(self, limits: Limits) -> Limits:
        """Those of one visitor's connection."""
        return replace(
            limits,
            messages_per_minute=min(self.messages_per_minute, limits.messages_per_minute),
            messages_burst=min(self.messages_per_minute, limits.messages_burst),
            skus_max=min(self.skus_max, limits.skus_max),
            subscriptions_max=min(self.subscriptions_max, limits.subscriptions_max),
            levels_per_connection_max=min(self.skus_max, limits.levels_per_connection_max),
        )


class Rate:
    """A token bucket: ``burst`` at once, then ``per_minute``. Every frame counts, control frames too."""

    __slots__ = ("_at", "_burst", "_left", "_per_s")

    def __init__(self, per_minute: int, burst: int, now: float) -> None:
        self._per_s = per_minute / 60
        self._burst = float(burst)
        self._left = float(burst)
        self._at = now

    def take(self, now: float, count: int = 1, leave: int = 0) -> bool:
        """Whether so many more are allowed at ``now`` (seconds of a monotonic clock), and ``leave`` are left then."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < count + leave:
            return False
        self._left -= count
        return True


class Rates:
    """A ``Rate`` for each name, so many at once and then in a minute (0: any number)."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._rates: OrderedDict[str, Rate] = OrderedDict()

    def take(self, name: str, now: float) -> bool:
        if not self.per_minute:
            return True
        rate = self._rates.get(name)
        if rate is None:
            rate = self._rates[name] = Rate(self.per_minute, self.per_minute, now)
            if len(self._rates) > NAMES_MAX:
                self._rates.popitem(last=False)
        else:
            self._rates.move_to_end(name)
        return rate.take(now)


class Tally:
    """How many places each name holds, at most ``most`` (0: any number). A name that holds none is forgotten."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._held)

    def full(self, name: str) -> bool:
        return self.most > 0 and self._held.get(name, 0) >= self.most

    def take(self, name: str) -> bool:
        """Whether ``name`` got one more place."""
        if self.full(name):
            return False
        self._held[name] = self._held.get(name, 0) + 1
        return True

    def give_back(self, name: str) -> None:
        held = self._held[name] - 1
        if held:
            self._held[name] = held
        else:
            del self._held[name]
