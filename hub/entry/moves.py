"""Who is sent elsewhere while this hub goes on: who has been here for long, and a share of all when somebody asks.

A new hub gets new clients only, and most stay for days. Each that is moved is told to come back at once, as in a drain,
and goes on from its position wherever it comes in.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from itertools import chain
from math import ceil
from operator import itemgetter
from typing import Any

from hub.endings import Ending
from hub.entry.connections import Connections
from hub.errors import Ended
from hub.limits import Limits
from server.histogram import Histogram
from server.problems import Unavailable

LOOK_S = 0.25
DRAIN_BOUNDS_S = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
SENDERS = 5
"""Hubs that may send clients to one that is new, each at this part of the handshakes that it takes."""


class Moves:
    """``moved``: how many were sent elsewhere, by reason. ``moving``: of a share, those whose turn comes still.
    ``took``: until the last of a share was told.
    """

    def __init__(self, places: Sequence[Connections[Any]], limits: Limits, spread_s: float) -> None:
        """``spread_s``: within which a share goes."""
        self.moved = {"age": 0, "share": 0}
        self.took = Histogram(DRAIN_BOUNDS_S)
        self._spread_s = spread_s
        self._places = places
        self._age_s = limits.connection_age_s
        self._aged_per_look = max(1, int(limits.handshakes_per_s * LOOK_S / SENDERS))
        self._moving: list[Any] = []
        self._drawn = 0
        self._ends_at = 0.0

    @property
    def moving(self) -> int:
        return len(self._moving)

    async def run(self) -> None:
        """Until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            self.look(clock())
            await asyncio.sleep(LOOK_S)

    def shed(self, share: float, now: float) -> int:
        """Send this share (above 0, at most 1) of those who are here elsewhere, within ``spread_s``. Returns how many.

        They are drawn: the oldest would be all tills of one shop, opened with the hub, and never a page. Raises
        Unavailable while others of a share wait for their turn: a request that is sent again moves nobody more.
        """
        if self._moving:
            left_s = max(1, ceil(self._ends_at - now))
            raise Unavailable(f"another share is being moved, {self.moving} of its clients are still here", left_s)
        everybody = list(chain.from_iterable(self._places))
        self._moving = random.sample(everybody, round(share * len(everybody)))
        self._drawn, self._ends_at = self.moving, now + self._spread_s
        return self.moving

    def stop(self) -> None:
        """Who was not told to go yet stays. Safe if nobody is being moved."""
        self._moving.clear()

    def look(self, now: float) -> None:
        """Send away who is due. ``now``: seconds of the loop's clock. Call it every ``LOOK_S``, and not more often."""
        self._move_share(now)
        if self._age_s:
            self._move_aged(now)

    def _move_share(self, now: float) -> None:
        """Evenly: of half the time half of them are left, also when looks were missed."""
        if not self._moving:
            return
        left = max(0.0, (self._ends_at - now) / self._spread_s)
        for _ in range(self.moving - ceil(self._drawn * left)):
            connection = self._moving.pop()
            if any(connection in place for place in self._places):  # else it has gone by itself
                connection.end(Ended(Ending.SHED))
                self.moved["share"] += 1
        if not self._moving:
            self.took.observe(now - self._ends_at + self._spread_s)

    def _move_aged(self, now: float) -> None:
        """Who is most overdue first. The others wait for the next look: thousands may have come in one second."""
        for _, place, connection in nsmallest(self._aged_per_look, self._overdue(now), key=itemgetter(0)):
            place.leaves(connection)
            connection.end(Ended(Ending.AGED, seconds=self._age_s))
            self.moved["age"] += 1

    def _overdue(self, now: float) -> Iterator[tuple[float, Connections[Any], Any]]:
        for place in self._places:
            for connection, since in place.overdue(now):
                yield since, place, connection
