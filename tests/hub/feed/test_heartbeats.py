"""Heartbeats run beside everything else on one loop: they must wait, whatever the feed is doing."""

import asyncio

from hub.feed.feed import Feed
from hub.feed.heartbeats import Heartbeats
from hub.feed.ledger_client import LedgerClient
from hub.feed.ticker import Ticker
from tests.hub.in_memory import parts_of_a_lone_feed


async def test_a_hub_that_has_just_dropped_its_history_is_not_held_up_for_ever() -> None:
    """Freshness was judged, then history was rewritten, and only then came the turn of the heartbeats."""
    async with LedgerClient([], "key") as ledger:
        feed = Feed(parts_of_a_lone_feed(ledger))
        feed.judged.set()
        assert feed.fanout is None
        beating = asyncio.create_task(Heartbeats(feed, Ticker(lambda: feed.fanout, lambda: None), 5.0).run())
        await asyncio.sleep(0)  # never came back
        assert not feed.judged.is_set()
        beating.cancel()
