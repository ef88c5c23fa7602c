"""How a launch day goes: how many are there, how eager they are, what they want. Pure."""

import math
from dataclasses import dataclass

DOORS_S = 5.0
"""Doors open: everybody comes within this time, whatever the length of the launch."""
CROWD_LEAST = 3
"""Users of the quietest phase: enough for one of each kind."""


@dataclass(frozen=True, slots=True)
class Phase:
    """``share``: of the launch's time. ``crowd``: of the peak's users. ``think_s``: between two wishes of a shopper,
    seconds on average. ``hot``: the share of wishes that is for a hot sku."""

    name: str
    share: float
    crowd: float
    think_s: float
    hot: float


PHASES = (
    Phase("warm-up", share=0.15, crowd=0.1, think_s=4.0, hot=0.1),
    Phase("doors open", share=0.10, crowd=1.0, think_s=2.0, hot=0.5),
    Phase("hot-sku rush", share=0.30, crowd=1.0, think_s=2.0, hot=0.8),
    Phase("long tail", share=0.30, crowd=0.6, think_s=4.0, hot=0.2),
    Phase("wind down", share=0.15, crowd=0.3, think_s=6.0, hot=0.1),
)


@dataclass(frozen=True, slots=True)
class Step:
    """``users`` to be there, ``rate`` of them to come or go in a second until they are."""

    phase: Phase
    users: int
    rate: float


@dataclass(frozen=True, slots=True)
class Curve:
    users_peak: int
    seconds: float

    def at(self, elapsed_s: float) -> Step | None:
        """None: it is over. The same step for the whole of a phase, so that locust does not begin it again."""
        ends_s, before = 0.0, 0
        for phase in PHASES:
            ends_s += phase.share * self.seconds
            users = self._users(phase)
            if elapsed_s < min(ends_s, self.seconds):
                arrive_s = min(DOORS_S, phase.share * self.seconds / 2)
                return Step(phase, users, max(1.0, math.ceil(abs(users - before) / arrive_s)))
            before = users
        return None

    def _users(self, phase: Phase) -> int:
        return min(self.users_peak, max(CROWD_LEAST, round(phase.crowd * self.users_peak)))
