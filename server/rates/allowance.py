"""What one owner, or one address, may still send, as this process knows it.

Pure: the time is an argument, and ``rate_limits`` speaks with Redis. Two bounds, and a request must pass both:

- a token bucket of this process alone, which also holds while Redis is away;
- tokens leased from what all processes share. They come in blocks and are asked for in the background, so a request
  never waits for a round trip: what Redis has not yet said yes to is taken on credit, and paid back by the next lease.

Beyond what Redis has counted, an owner gets at most ``overshoot`` requests from each process: a block that was leased
before and a whole credit.
"""

import math
from dataclasses import dataclass
from functools import cached_property

BURST_S = 2
"""An owner that was quiet may send this many seconds' worth at once."""
BLOCKS_PER_S = 20
CREDIT_MIN = 100
"""Requests that may come at once before the first lease is there; a limit that is lower is the bound."""
PAUSE_S = (0.02, 1.0)
"""After Redis had not enough, an owner's next lease is asked for no sooner."""


@dataclass(frozen=True)
class Policy:
    """``per_second`` requests on average, above 0; ``quota`` of them in ``window_s`` seconds is what Redis counts.

    ``counted``: the word in the headers for what has the limit, such as ``owner`` or ``address``.
    """

    per_second: float
    counted: str = "owner"

    @cached_property
    def window_s(self) -> int:
        return max(BURST_S, math.ceil(1 / self.per_second))

    @cached_property
    def quota(self) -> int:
        return max(1, int(self.per_second * self.window_s))

    @cached_property
    def block(self) -> int:
        """Tokens leased at once: 50 ms' worth."""
        return max(1, math.ceil(self.per_second / BLOCKS_PER_S))

    @cached_property
    def credit(self) -> int:
        return max(self.block, min(self.quota, CREDIT_MIN))

    @cached_property
    def pause_s(self) -> float:
        low, high = PAUSE_S
        return min(max(1 / self.per_second, low), high)

    @cached_property
    def token_s(self) -> int:
        """Seconds until there is one more token, rounded up."""
        return max(1, math.ceil(1 / self.per_second))

    @cached_property
    def name(self) -> bytes:
        return b'"%b"' % self.counted.encode()

    @cached_property
    def header(self) -> bytes:
        return b"%b;q=%d;w=%d" % (self.name, self.quota, self.window_s)

    @property
    def overshoot(self) -> int:
        """Requests of one owner, for each process."""
        return self.block + self.credit


class Allowance:
    """Of one owner or address. ``key``: under which Redis counts. ``renewing``: whether a lease is being asked for."""

    __slots__ = (
        "_filled_at",
        "_lease_ends",
        "_leased",
        "_left",
        "_short_until",
        "_tokens",
        "cached_header",
        "key",
        "policy",
        "renewing",
    )

    def __init__(self, policy: Policy, key: str, now: float) -> None:
        self.key = key
        self.renewing = False
        self.cached_header: tuple[int, bytes] | None = None
        self.policy = policy
        self._tokens = float(policy.quota)
        self._filled_at = now
        self._leased = 0
        self._lease_ends = 0.0
        self._left = policy.quota
        self._short_until = 0.0

    def take(self, now: float, *, shared: bool) -> float:
        """0 if one more request is allowed; else the seconds after which another try makes sense."""
        policy = self.policy
        tokens = min(policy.quota, self._tokens + (now - self._filled_at) * policy.per_second)
        self._tokens, self._filled_at = tokens, now
        if tokens < 1:
            return (1 - tokens) / policy.per_second
        if shared:
            if self._leased > 0 and now > self._lease_ends:
                self._leased = 0
            if self._leased <= (0 if now < self._short_until else -policy.credit):
                return max(self._short_until - now, (1 - self._leased) / policy.per_second)
            self._leased -= 1
        self._tokens = tokens - 1
        return 0.0

    def wanted(self, now: float) -> int:
        """Tokens to lease now, with those taken on credit. 0: enough are left, or Redis had too few a moment ago."""
        if now < self._short_until or self._leased > self.policy.block // 2:
            return 0
        return self.policy.block - self._leased

    def lease(self, wanted: int, granted: int, left: int, now: float) -> None:
        """``left``: what Redis has after this lease."""
        self._leased += granted
        self._left = left
        self._lease_ends = now + self.policy.window_s
        if granted < wanted:
            self._short_until = now + self.policy.pause_s

    def left(self, *, shared: bool) -> int:
        """How many more requests would be taken now, about: others may be sending too."""
        left = int(self._tokens)
        return max(0, min(left, self._left + self._leased)) if shared else left
