"""Tells every session at its own pace how far it was served and how fresh the hub is, and at once when that changes."""

import asyncio

from hub.fanout.fanout import Fanout
from hub.feed.feed import Feed
from hub.feed.ticker import Ticker

STEPS_PER_BEAT = 20  # heartbeats of many sessions are spread over a beat, in this number of steps


class Heartbeats:
    """``heartbeat_s``: between two heartbeats of one session."""

    def __init__(self, feed: Feed, ticker: Ticker, heartbeat_s: float) -> None:
        self._feed = feed
        self._ticker = ticker
        self._heartbeat_s = heartbeat_s
        self._told_fresh = False

    async def run(self) -> None:
        """Until cancelled. Also lets go of levels that nobody watches: a few times a second, not with each change."""
        clock = asyncio.get_running_loop().time
        while True:
            self._feed.judged.clear()  # also without a fan-out, or the wait below never waits and holds up everybody
            fanout = self._feed.fanout
            if fanout is not None:
                self._beat(fanout, clock())
                fanout.levels.trim()
            try:
                async with asyncio.timeout(self._heartbeat_s / STEPS_PER_BEAT):
                    await self._feed.judged.wait()
            except TimeoutError:
                pass

    def _beat(self, fanout: Fanout, now: float) -> None:
        fresh = self._feed.fresh
        changed, self._told_fresh = fresh != self._told_fresh, fresh
        due = []
        for session in fanout.sessions:
            if session.principal is not None and (changed or now >= session.beat_at):
                session.beat_at = now + self._heartbeat_s
                due.append(session)
        if due:
            self._ticker.flush_now()
            fanout.delivery.heartbeats(due, fresh=fresh, lag_ms=self._feed.lag_ms)
