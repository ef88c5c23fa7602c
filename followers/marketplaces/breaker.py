"""Leaves a channel alone that is away: asked ever more rarely, by one at a time, until it answers. Pure."""

from collections.abc import Callable

FAILURES_MAX = 5
"""In a row, before it is left alone."""
OPEN_S, OPEN_S_MAX = 5.0, 300.0
"""At first, doubled each time that the probe fails too."""
PROBE_S = 120.0
"""That others wait for one who probes; longer than any request with its wait for a quota."""


class Breaker:
    """``clock``: in seconds, never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open_s = OPEN_S
        self._until_s = 0.0
        self._probing_until_s = 0.0
        self.failures = 0

    @property
    def is_open(self) -> bool:
        return self.failures >= FAILURES_MAX

    def wait_s(self) -> float:
        """Before anybody may ask; 0: now."""
        if not self.is_open:
            return 0.0
        return max(0.0, max(self._until_s, self._probing_until_s) - self._clock())

    def begin(self) -> None:
        """Somebody asks: while it is open, this is the probe."""
        if self.is_open:
            self._probing_until_s = self._clock() + PROBE_S

    def failed(self) -> None:
        was_open = self.is_open
        self.failures += 1
        if self.is_open:
            self._open_s = min(OPEN_S_MAX, self._open_s * 2) if was_open else OPEN_S
            self._until_s = self._clock() + self._open_s
            self._probing_until_s = 0.0

    def succeeded(self) -> None:
        self.failures, self._probing_until_s = 0, 0.0
