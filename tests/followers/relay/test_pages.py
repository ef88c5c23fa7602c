"""How much of the log is taken together, from a real ledger."""

import asyncio
import gc
from collections.abc import Callable

import pytest

from followers.log.follower import Rewritten
from followers.log.ledger import Ledger, LedgerAway
from followers.relay import pages
from followers.relay.logged import Feed, feed_of
from followers.relay.pages import Pages
from followers.relay.process import SCOPES
from server.http.ledger_api import Read
from tests.harness.system import ResidentSystem
from tests.ledger.api import Api, sale

pytestmark = pytest.mark.usefixtures("processes")
PAGE, LOCATION, SALES = 3, "berlin", 10


class Failing(Ledger):
    """A ledger that is away, or has another history, once the page of so many was read."""

    pages_until: int
    error: Exception

    async def events_as(
        self, read: Callable[[bytes], Read], shard: int, after: int, limit: int, wait_s: float = 0.0
    ) -> Read:
        if not self.pages_until:
            raise self.error
        self.pages_until -= 1
        return await super().events_as(read, shard, after, limit, wait_s)


class Leaving(Ledger):
    """A ledger that is away when nobody wants its answer any more."""

    async def events_as(
        self, read: Callable[[bytes], Read], shard: int, after: int, limit: int, wait_s: float = 0.0
    ) -> Read:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LedgerAway("left") from None
        raise AssertionError("nothing ends it else")


@pytest.fixture
async def shard(system: ResidentSystem, monkeypatch: pytest.MonkeyPatch) -> int:
    """With one receipt and ``SALES``."""
    monkeypatch.setattr(pages, "PAGE", PAGE)
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock(LOCATION, "A", 100)
        for _ in range(SALES):
            await api.move(sale(LOCATION, "A"))
        shards: list[dict[str, int]] = (await api.get("/v1/shards")).json()["shards"]
        return next(one["shard"] for one in shards if one["head"])


async def test_who_is_behind_takes_several_pages_together_and_each_event_once(
    system: ResidentSystem, shard: int
) -> None:
    async with Ledger(system.ledger_url, await system.key("relay", *SCOPES)) as ledger:
        epoch = (await ledger.shards())["epoch"]
        alone, together, odd = (Pages(ledger, epoch, shard, 0) for _ in range(3))
        assert [await seqs(alone, PAGE) for _ in range(4)] == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11]]
        assert [await seqs(together, 3 * PAGE) for _ in range(2)] == [[1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11]]
        assert [await seqs(odd, most) for most in (2, 5, 9)] == [[1, 2], [3, 4, 5, 6, 7], [8, 9, 10, 11]]


@pytest.mark.parametrize("error", [LedgerAway("away"), Rewritten("another")])
async def test_what_was_read_before_the_ledger_failed_is_written_and_then_it_is_told(
    system: ResidentSystem, shard: int, error: Exception
) -> None:
    async with Failing(system.ledger_url, await system.key("relay", *SCOPES)) as ledger:
        ledger.pages_until, ledger.error = 2, error
        epoch = (await ledger.shards())["epoch"]
        behind = Pages(ledger, epoch, shard, 0)
        assert await seqs(behind) == [1, 2, 3, 4, 5, 6]
        with pytest.raises(type(error)):
            await behind.next(5 * PAGE)
        ledger.pages_until = 9
        assert await seqs(behind) == [7, 8, 9, 10, 11]


async def test_what_was_asked_ahead_is_given_once(system: ResidentSystem, shard: int) -> None:
    async with Failing(system.ledger_url, await system.key("relay", *SCOPES)) as ledger:
        ledger.pages_until, ledger.error = 4, LedgerAway("away")
        epoch = (await ledger.shards())["epoch"]
        async with Pages(ledger, epoch, shard, 0) as pages_:
            pages_.look_ahead(2)
            assert await seqs(pages_) == [1, 2]
            assert await seqs(pages_, PAGE) == [3, 4, 5]
            pages_.look_ahead(PAGE)
            assert await seqs(pages_, 2 * PAGE) == [6, 7, 8, 9, 10, 11]
            pages_.look_ahead(PAGE)
            with pytest.raises(LedgerAway):
                await pages_.next(PAGE)
            ledger.pages_until = 1
            pages_.look_ahead(PAGE)  # and left: nothing is asked any more


async def test_what_was_asked_ahead_may_fail_when_it_is_left(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for it any more, and asyncio would say so in the log, whenever it notices."""
    async with Pages(Leaving("http://127.0.0.1:1", "none"), "e1.7.0000001", 0, 0) as pages_:
        pages_.look_ahead(PAGE)
        await asyncio.sleep(0)  # it begins
    del pages_
    gc.collect()
    assert not caplog.records


async def test_an_event_is_passed_on_as_the_ledger_sent_it(system: ResidentSystem, shard: int) -> None:
    async with Ledger(system.ledger_url, await system.key("relay", *SCOPES)) as ledger:
        sent: list[bytes] = []

        def noting(body: bytes) -> Feed:
            sent.append(body)
            return feed_of(body)

        feed = await ledger.events_as(noting, shard, 0, PAGE)
    assert len(feed.events) == PAGE
    assert b",".join([event.data for event in feed.events]) in sent[0]
    assert [event.level.seq for event in feed.events] == [1, 2, 3]


async def seqs(of: Pages, events_max: int = 5 * PAGE) -> list[int]:
    return [event.level.seq for event in (await of.next(events_max)).events]
