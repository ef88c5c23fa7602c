"""Heartbeats run beside everything else on one loop: they must wait, whatever the feed is doing."""

import asyncio

from hub.feed.feed import Feed
from hub.feed.heartbeats import Heartbeats
from hub.feed.ledger_client import LedgerClient
from hub.feed.ticker import Ticker
from tests.hub.in_memory import Loads, batch, make_fanout, open_session, parts_of_a_lone_feed, subscribe
from tests.simulation.history import History
from wire.tokens import Principal


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


async def test_a_heartbeat_stands_behind_a_change_of_the_same_turn_and_promises_it() -> None:
    """The hub applied the change, and its turn to be written had not come when the heartbeat was due."""
    history = History(1)
    history.commit("rome", "A")
    async with LedgerClient([], "key") as ledger:
        feed = Feed(parts_of_a_lone_feed(ledger))
        fanout = feed.fanout = make_fanout(history)
        session, pipe = open_session(fanout)
        session.principal = Principal("owner", "key", frozenset({"stock:read:*"}))
        subscribe(fanout, session, "rome", ["A"])
        Loads(fanout, history).all()
        ticker = Ticker(lambda: feed.fanout, lambda: None)
        ticker.flush_now()
        pipe.queue.clear()
        fanout.broker(batch(history.commit("rome", "A")), 1.0)
        beating = asyncio.create_task(Heartbeats(feed, ticker, 5.0).run())
        await asyncio.sleep(0)
        beating.cancel()
    level, heartbeat = pipe.queue
    assert (level["type"], heartbeat["type"]) == ("level", "heartbeat")
    assert heartbeat["seq"] == {str(level["shard"]): level["seq"]}
