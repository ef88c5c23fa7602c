"""Endpoints that this process holds: what is in flight to each, and when to look for more."""

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from followers.database.leases import Lease
from followers.webhooks.endpoints import Endpoint
from followers.webhooks.key_ring import KeyRing
from followers.webhooks.planning import Interest

IN_FLIGHT_MAX = 8
"""To one endpoint. One that fails gets one at a time, so that those that hang hold little."""
IN_FLIGHT_OF_OWNER_MAX = 512
IN_FLIGHT_OF_ALL_MAX = 4_096
"""Connections of this process."""
ALONE_MAX = 10_000
"""Levels of one endpoint: beyond them batches are tried again as they are."""
BURST_S = 1.0
"""Of an endpoint's own rate: what it may be sent at once after a pause."""
NEVER = float("inf")
Level = tuple[str, str]
"""Location and sku."""


@dataclass(slots=True, eq=False)
class Leased:
    """``due_s``: when something may be due, by the monotonic clock; nothing goes out before ``slow_until_s``.

    ``ended``: why it is disabled, which is about to be stored. ``catching_up``: nothing is sent before all that came
    meanwhile is known. Of another epoch, since a page of levels may be newer than the place that follows it; of mode
    ``latest``, since what came first would be sent, and then what came last.
    ``settled``: levels and notices that were stored since what is due was asked for, which may not know it yet.
    ``positions``: epoch and seq by shard, while its log is followed. ``failing_since_s``, ``failed_s``: Unix times.
    ``leaving``: nothing more is sent; once nothing is in flight any more, others may take it. ``limits``: of what is in
    flight, which ends with the lease. ``alone``: levels that a batch failed with.
    """

    endpoint: Endpoint
    keys: KeyRing
    lease: Lease
    failing_since_s: float | None
    failed_s: float | None
    interest: Interest = field(init=False)
    in_flight: set[Level] = field(default_factory=set)
    notices: set[str] = field(default_factory=set)
    settled: set[Level | str] = field(default_factory=set)
    shipments: int = 0
    ended: str | None = None
    catching_up: bool = False
    due_s: float = 0.0
    slow_until_s: float = 0.0
    leaving: bool = False
    limits: set[asyncio.Timeout] = field(default_factory=set)
    alone: set[Level] = field(default_factory=set)
    positions: dict[int, tuple[str, int]] = field(default_factory=dict)
    allowance: float = 0.0
    allowance_s: float = 0.0

    def __post_init__(self) -> None:
        self.renewed(self.endpoint, self.keys)
        self.catching_up = self.interest.latest

    def renewed(self, endpoint: Endpoint, keys: KeyRing) -> None:
        """As it is stored now: its owner may have changed it."""
        self.endpoint, self.keys = endpoint, keys
        self.interest = endpoint.interest

    @property
    def is_held(self) -> bool:
        return time.monotonic() < self.lease.until_s

    def extend(self, lease: Lease) -> None:
        """The same one, renewed: what is in flight may go on."""
        self.lease = lease
        for limit in self.limits:
            if not limit.expired():
                limit.reschedule(lease.until_s)

    def send_alone(self, levels: Collection[Level]) -> None:
        """Until they were taken: one of them may be what its receiver chokes on.

        Called for a batch that failed right behind a success. What fails next says nothing of its levels: the receiver
        may be away, and then all that waits goes in batches once it is back.
        """
        if len(self.alone) + len(levels) <= ALONE_MAX:
            self.alone.update(levels)

    def free(self) -> int:
        """How many shipments more may be under way."""
        if self.leaving:
            return 0
        allowed = 1 if self.failing_since_s is not None else IN_FLIGHT_MAX
        return max(0, allowed - self.shipments)

    def look_at(self, due_s: float) -> None:
        """Not later than this."""
        self.due_s = min(self.due_s, due_s)

    def wait_for_rate_s(self) -> float:
        """Takes one delivery from its rate; how long that one has to wait for it."""
        rate = self.endpoint.rate_per_s
        if rate is None:
            return 0.0
        now = time.monotonic()
        most = max(1.0, rate * BURST_S)
        self.allowance = min(most, self.allowance + (now - self.allowance_s) * rate) - 1
        self.allowance_s = now
        return max(0.0, -self.allowance / rate)


class Held:
    """All of them, by id."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Leased] = {}

    def has(self, leased: Leased) -> bool:
        """Whether it is held under this very lease."""
        return self.endpoints.get(leased.endpoint.id) is leased


def fences(leased: Iterable[Leased]) -> tuple[list[str], list[int]]:
    """Ids and fences, as the first two parameters of a fenced statement."""
    held = list(leased)
    return [one.endpoint.id for one in held], [one.lease.fence for one in held]
