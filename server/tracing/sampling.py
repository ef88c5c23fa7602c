"""Which requests and batches are traced. Pure: chance is drawn from ``random``, the time is an argument."""

import random
from dataclasses import dataclass

from wire.trace import Trace, trace_of

RANDOM_BITS = 64
"""Of a trace id, the last of which a ratio looks at, as OpenTelemetry's SDKs do."""
UNASKED_PER_S = 10.0
"""Slow batches, repairs and rewritten histories in a second: some 2 ms of it, and enough to show what goes wrong."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``ratio``: of what begins here, 0 to 1. ``believes``: who comes with a trace says whether it is sampled; if not
    believed, the ratio decides by the trace's id, so that all who have the same ratio decide alike.
    """

    ratio: float
    believes: bool


class Allowance:
    """At most ``per_s`` in a second. ``limited`` counts the others."""

    def __init__(self, per_s: float) -> None:
        self.limited = 0
        self._per_s = per_s
        self._burst = max(1.0, per_s)
        self._left = self._burst
        self._as_of = 0.0

    def room(self, now: float) -> bool:
        """Takes one of those that may be in this second. ``now``: of a clock that only goes on, in seconds."""
        self._left = min(self._burst, self._left + (now - self._as_of) * self._per_s)
        self._as_of = now
        if self._left < 1:
            self.limited += 1
            return False
        self._left -= 1
        return True


class Sampling:
    """``rule``, and at most ``per_s`` in a second: no caller can make us spend more. Beside those ``unasked``: what is
    always traced, for which callers leave room."""

    def __init__(self, rule: Rule, per_s: float) -> None:
        self.unasked = Allowance(UNASKED_PER_S)
        self._asked = Allowance(per_s)
        self._ratio = rule.ratio
        self._believes = rule.believes
        self._ids_below = int(rule.ratio * 2**RANDOM_BITS)

    @property
    def limited(self) -> int:
        return self._asked.limited + self.unasked.limited

    def may_begin(self) -> bool:
        """Whether what comes without a trace shall begin one, if there is room."""
        return random.random() < self._ratio

    def follows(self, traceparent: bytes, *, keyless: bool = False) -> tuple[bool, Trace | None]:
        """Whether what comes with this header shall be traced, if there is room; and the trace, if it names one.

        ``keyless``: who sends it shows no key, and decides nothing by the header, neither by its flag nor by its id.
        """
        given = trace_of(traceparent.decode("latin-1"))
        if given is None or keyless:
            return self.may_begin(), given
        if self._believes:
            return given.sampled, given
        return int(given.trace_id[-RANDOM_BITS // 4 :], 16) < self._ids_below, given

    def room(self, now: float) -> bool:
        """See ``Allowance``."""
        return self._asked.room(now)
