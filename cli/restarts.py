"""When a child that died is started again, and when it is given up. Pure: times are handed in."""

from collections import deque
from dataclasses import dataclass, field

RESTARTS_MAX = 10  # within WINDOW_S; a child that dies more often has a cause that another start does not remove
WINDOW_S = 60.0
PAUSE_FIRST_S = 0.05
PAUSE_MAX_S = 5.0


class TooManyRestarts(Exception):
    """A child died RESTARTS_MAX times within WINDOW_S."""


@dataclass(slots=True)
class Restarts:
    """The restarts of one child. The pause doubles from PAUSE_FIRST_S with every restart within the window."""

    _times: deque[float] = field(default_factory=deque)

    def pause_s(self, now: float) -> float:
        """How long to wait before starting again; counts this restart. ``now``: monotonic seconds.

        Raises TooManyRestarts.
        """
        while self._times and self._times[0] <= now - WINDOW_S:
            self._times.popleft()
        if len(self._times) >= RESTARTS_MAX:
            raise TooManyRestarts(f"died {len(self._times) + 1} times within {WINDOW_S:.0f} s")
        self._times.append(now)
        return min(PAUSE_FIRST_S * 2.0 ** (len(self._times) - 1), PAUSE_MAX_S)
