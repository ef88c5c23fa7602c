"""How long a request for the feed waits, and what ends it: the route, its heads and polls, on a virtual clock."""

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from ledger.access.access import KEEP_S, Access
from ledger.database.connector import Connector
from ledger.database.engine import create_engine
from ledger.feed.heads import Heads
from ledger.feed.long_polls import LongPolls
from ledger.feed.publisher import Publisher
from ledger.http.admission import LANE, Lane
from ledger.http.routes.events import EventRoutes
from server.problems import Unauthorized
from tests.simulation.loop import on_virtual_clock
from wire.tokens import Principal

ENDS_WITHIN_S = 5.0
"""What ``AGAIN_S`` is chosen for: a revoked key reads no more of the feed by then."""
AT_ONCE_S = 0.1


class Keys(Access):
    """One key, which was revoked at ``revoked_at``; that is known here up to ``KEEP_S`` later."""

    def __init__(self) -> None:
        self.revoked_at: float | None = None

    async def admit(self, request: Request) -> Principal:
        if self.revoked_at is not None and asyncio.get_running_loop().time() >= self.revoked_at + KEEP_S:
            raise Unauthorized("the API key was revoked")
        return Principal("connector", "key", frozenset({"feed"}), None)


class Feed(EventRoutes):
    """The route over a shard that has ``head`` events. ``hang_up``: the caller does."""

    def __init__(self, head: int = 0) -> None:
        self.head = head
        self.reads = 0
        self.keys = Keys()
        self.polls = LongPolls()
        self.hang_up = asyncio.Event()
        self.lane = Lane(1)
        nowhere = Connector("postgresql://127.0.0.1:1/nothing")
        engine = create_engine(nowhere)
        self.heads = Heads(nowhere, {}, Publisher("redis://127.0.0.1:1", "test"))
        super().__init__(engine, self.keys, self.heads, self.polls)

    async def ask(self, after: int = 0, wait_s: float = 30, method: str = "GET") -> tuple[int, float]:
        """How many events came, and after how many seconds."""
        query = f"shard=0&after={after}&wait={wait_s:g}".encode()
        scope = {"type": "http", "method": method, "query_string": query, "headers": [], LANE: self.lane}
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await self.events(Request(scope, self._receive))
        return len(json.loads(bytes(answer.body))["events"]), loop.time() - began

    async def _receive(self) -> Message:
        await self.hang_up.wait()
        return {"type": "http.disconnect"}

    async def _read(self, shard: int, after: int, limit: int) -> dict[str, Any]:
        self.reads += 1
        events = list(range(after, self.head))
        return {"epoch": "e", "shard": shard, "head": self.head, "events": events}


@on_virtual_clock
async def test_what_need_not_be_waited_for_is_answered_at_once() -> None:
    feed = Feed(head=3)
    cases = [("above the head", 10**12, 30.0, "GET", 0), ("there is one", 2, 30.0, "GET", 1)]
    cases += [("who does not wait", 3, 0.0, "GET", 0), ("who would not be told", 3, 30.0, "HEAD", 0)]
    for case, after, wait_s, method, events in cases:
        found, took_s = await feed.ask(after, wait_s, method)
        assert (found, took_s < AT_ONCE_S) == (events, True), case


@pytest.mark.parametrize("wait_s", [0.2, 1.0, 2.0, 7.3, 30.0])
@on_virtual_clock
async def test_without_an_event_the_answer_comes_when_the_time_is_over_and_no_sooner(wait_s: float) -> None:
    feed = Feed()
    events, took_s = await feed.ask(wait_s=wait_s)
    assert events == 0
    assert wait_s <= took_s < wait_s + AT_ONCE_S
    assert (feed.polls.open, feed.lane.open) == (0, 0)


@on_virtual_clock
async def test_a_commit_of_this_ledger_wakes_the_request_at_once() -> None:
    feed = Feed()
    poll = asyncio.create_task(feed.ask())
    await asyncio.sleep(11.5)
    feed.head = 1
    feed.heads.advanced(0, [{"seq": 1}])
    events, took_s = await poll
    assert events == 1
    assert took_s - 11.5 < AT_ONCE_S


class Database:
    """What a reading of the heads finds. ``seen``: of a connection, for one that must not write."""

    seen = None

    def __init__(self) -> None:
        self.heads, self.epoch = [0, 0], "e"

    async def fetchrow(self, _: str) -> dict[str, Any]:
        return {
            **{"epoch": self.epoch, "public_steps": [1], "public_low": 1, "items_limited": False, "read_only": False},
            **{"system_identifier": 1, "timeline": "00000001", "shards": [0, 1], "heads": self.heads},
        }


@pytest.mark.parametrize("change", ["another ledger's commit", "another epoch"])
@on_virtual_clock
async def test_readings_of_the_heads_wake_those_alone_for_whom_something_came(change: str) -> None:
    feed, database = Feed(), Database()
    connection: Any = database
    await feed.heads.read(connection)
    poll = asyncio.create_task(feed.ask())
    for _ in range(15):
        await asyncio.sleep(0.1)
        database.heads = [0, database.heads[1] + 1]
        await feed.heads.read(connection)
    assert feed.reads == 1, "the database was asked for nothing"
    if change == "another epoch":
        database.epoch = "f"
    else:
        database.heads, feed.head = [1, 99], 1
    await feed.heads.read(connection)
    await asyncio.sleep(AT_ONCE_S)
    assert feed.reads == 2
    feed.polls.close()
    await poll


@on_virtual_clock
async def test_who_hangs_up_and_who_stops_ends_the_wait_at_once() -> None:
    feed = Feed()
    for end in (feed.hang_up.set, feed.polls.close):
        feed.hang_up.clear()
        poll = asyncio.create_task(feed.ask())
        await asyncio.sleep(11.5)
        assert (feed.polls.open, feed.lane.open) == (1, -1), "it only waits: it is not under way"
        end()
        events, took_s = await poll
        assert (events, took_s - 11.5 < AT_ONCE_S) == (0, True)
        assert (feed.polls.open, feed.lane.open) == (0, 0)


@pytest.mark.parametrize("after_s", [0.1, 0.9, 1.9, 2.1, 3.5])
@on_virtual_clock
async def test_a_request_that_waits_ends_within_5_seconds_when_its_key_is_revoked(after_s: float) -> None:
    feed = Feed()
    poll = asyncio.create_task(feed.ask())
    await asyncio.sleep(after_s)
    now = asyncio.get_running_loop().time
    feed.keys.revoked_at = now()
    with pytest.raises(Unauthorized):
        await poll
    assert now() - feed.keys.revoked_at < ENDS_WITHIN_S
