"""Levels from memory: what is not held yet is loaded first, and then kept in step like everything else."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from heapq import merge
from itertools import islice

from hub.errors import LedgerUnavailable
from hub.fanout.fanout import Fanout
from hub.feed.feed import Feed
from hub.stock.held import Area, Held
from hub.stock.level_states import absent
from server.problems import Overloaded

LOAD_S = 5.0


class Reads:
    """Raises LedgerUnavailable when what is missing cannot be loaded in time, Full when there is no room for it."""

    def __init__(self, feed: Feed, schedule_flush: Callable[[], None]) -> None:
        self._feed = feed
        self._schedule_flush = schedule_flush

    def fanout(self) -> Fanout:
        fanout = self._feed.fanout
        if fanout is None:
            raise LedgerUnavailable("no ledger was reached yet")
        return fanout

    async def levels(self, keys: Sequence[tuple[str, str]]) -> list[Held]:
        """In the order of ``keys``, each with its state; a level that does not exist reads as version 0."""
        levels = self.fanout().levels
        held: list[Held] = []

        def missing() -> Iterable[Held]:
            for location, sku in keys:
                held.append(levels.hold(location, sku))
                if held[-1].state is None:
                    yield held[-1]

        await self._arrive(missing())
        return held

    async def members(self, location: str, skus: Sequence[str]) -> list[Held]:
        """Of a location that is held as a whole from now on; a level that does not exist is not held."""
        levels = self.fanout().levels
        area = levels.area(location)
        levels.watch_area(area)
        try:
            if area.order is None:
                await self._arrive([area])
            if area.order is None:
                raise Overloaded(f"{location} has more levels than this hub may hold")
            found = levels.locations.get(location, {})
            return [found.get(sku) or _absent(location, sku, area.shard) for sku in skus]
        finally:
            levels.unwatch_area(area)

    async def page(self, location: str | None, after: tuple[str, str], limit: int) -> list[Held]:
        """The next levels in the order of (sku, location) of one location, or of everything."""
        fanout = self.fanout()
        names: Iterable[str | int] = range(len(fanout.shards)) if location is None else (location,)
        areas = [fanout.levels.area(name) for name in names]
        for area in areas:  # or one that is complete may be let go while another is still read
            fanout.levels.watch_area(area)
        try:
            await self._arrive(area for area in areas if area.order is None)
            return _following(fanout, areas, after, limit)
        finally:
            for area in areas:
                fanout.levels.unwatch_area(area)

    async def _arrive(self, missing: Iterable[Held | Area[Held]]) -> None:
        """Each is waited for before the next is taken, so that a full hub does not let go of it meanwhile."""
        arrivals: list[_Arrival] = []
        try:
            for one in missing:
                arrivals.append(_Arrival(one))
                one.waiters[arrivals[-1]] = None
            if not arrivals:
                return
            self._schedule_flush()
            async with asyncio.timeout(LOAD_S):
                for arrival in arrivals:
                    await arrival.event.wait()
        except TimeoutError:
            raise LedgerUnavailable("the levels could not be loaded in time") from None
        finally:
            for arrival in arrivals:
                arrival.waited_for.waiters.pop(arrival, None)


def _absent(location: str, sku: str, shard: int) -> Held:
    held = Held(location, sku)
    held.state = absent(location, sku, shard)
    return held


class _Arrival:
    """Waits for a level or an area, and lets a task wait for it in turn; see ``held.Waiter``."""

    def __init__(self, waited_for: Held | Area[Held]) -> None:
        self.waited_for = waited_for
        self.event = asyncio.Event()

    def arrived(self) -> None:
        self.event.set()


def _following(fanout: Fanout, areas: Sequence[Area[Held]], after: tuple[str, str], limit: int) -> list[Held]:
    if any(area.order is None for area in areas):
        raise Overloaded("there are more levels than this hub may hold: name a location")
    following = []
    for area in areas:
        keys = fanout.levels.keys(area)
        start = bisect_right(keys, after)
        following.append(keys[start : start + limit])
    return [fanout.levels.locations[location][sku] for sku, location in islice(merge(*following), limit)]
