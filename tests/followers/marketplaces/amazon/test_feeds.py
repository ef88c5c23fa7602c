"""Feeds of many raises: never ahead of a newer patch, whatever Amazon does with them in the meantime."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from followers.marketplaces.adapter import Accepted, Answer, Remote, RemoteAway, Target, Throttled
from followers.marketplaces.amazon.adapter import Amazon
from followers.marketplaces.amazon.feeds import READ_AFTER_S
from followers.marketplaces.conformance.bench import remote_of
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.amazon.bench import QUICK, adapter_of
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")
NEVER_S = "3600"


@dataclass(frozen=True, slots=True)
class Shop:
    """Three listings with 1 each."""

    market: Market
    adapter: Amazon

    async def offered(self) -> list[int]:
        levels = (await self.market.truth())["levels"]
        return [levels[sku] for sku in ("a", "b", "c")]

    async def requests(self, operation: str) -> int:
        return int((await self.market.counts())["requests"].get(operation, 0))


@contextlib.asynccontextmanager
async def shop(folder: Path, *waits: str) -> AsyncIterator[Shop]:
    async with (
        market("amazon", folder, "--pace", str(QUICK), *waits) as amazon,
        remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as remote,
    ):
        for sku in ("a", "b", "c"):
            await amazon.offer(sku, 1)
        yield Shop(amazon, adapter_of(amazon, remote))


def raises(quantity: int) -> Sequence[Target]:
    return [Target(sku, quantity, 1, f"key-{sku}") for sku in ("a", "b", "c")]


async def test_many_raises_go_in_one_feed_and_the_next_one_when_it_is_done(tmp_path: Path) -> None:
    async with shop(tmp_path) as one:
        assert one.adapter.bulk_from == 1_500
        assert await one.adapter.push_many(raises(5)) == [Accepted(READ_AFTER_S)] * 3

        async def stand() -> bool:
            return await one.offered() == [5, 5, 5]

        await wait_until(stand)

        async def taken() -> bool:
            return await one.adapter.push_many(raises(6)) == [Accepted(READ_AFTER_S)] * 3

        await wait_until(taken)
        assert (await one.requests("createFeed"), await one.requests("patchListingsItem")) == (2, 0)
        assert (await one.market.counts())["broken"] == {}


async def test_a_feed_in_the_queue_is_cancelled_before_one_of_its_listings_is_patched(tmp_path: Path) -> None:
    async with shop(tmp_path, "--queue-s", NEVER_S) as one:
        assert await one.adapter.push_many(raises(5)) == [Accepted(READ_AFTER_S)] * 3
        assert one.adapter.bulk_from is None
        assert await one.adapter.push_many(raises(6)) == [Throttled(0)] * 3
        await one.market.offer("d", 4)
        assert await one.adapter.push([Target("d", 3, 4, "other")]) == [Accepted(0)]
        assert await one.requests("cancelFeed") == 0
        assert await one.adapter.push([Target("b", 0, 1, "zero")]) == [Accepted(0)]
        assert await one.requests("cancelFeed") == 1
        assert (await one.market.counts())["broken"] == {}

        async def stand() -> bool:
            return await one.offered() == [1, 0, 1]

        await wait_until(stand)
        assert await one.adapter.push_many(raises(7)) == [Throttled(0)] * 3
        assert await one.requests("createFeed") == 1


async def test_what_is_patched_while_its_feed_is_processed_is_read_back_after_the_feed(tmp_path: Path) -> None:
    async with shop(tmp_path, "--progress-s", NEVER_S) as one:
        assert await one.adapter.push_many(raises(5)) == [Accepted(READ_AFTER_S)] * 3

        async def in_progress() -> bool:
            return await one.adapter.push([Target("c", 1, 1, "look")]) == [Accepted(READ_AFTER_S)]

        await wait_until(in_progress)
        assert await one.adapter.push([Target("a", 0, 1, "zero")]) == [Accepted(READ_AFTER_S)]

        async def stand() -> bool:
            return await one.offered() == [0, 1, 1]

        await wait_until(stand)
        async with remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as remote:
            anew = adapter_of(one.market, remote)
            await one.market.offer("d", 4)
            assert await anew.push([Target("d", 3, 4, "any")]) == [Accepted(READ_AFTER_S)]
            assert await anew.push_many(raises(6)) == [Throttled(0)] * 3
        assert (await one.market.counts())["broken"] == {}


async def test_a_feed_that_a_process_left_in_the_queue_undoes_nothing_of_who_comes_after_it(tmp_path: Path) -> None:
    async with (
        shop(tmp_path, "--queue-s", NEVER_S) as one,
        remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as dry,
        remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as remote,
    ):
        assert await one.adapter.push_many(raises(5)) == [Accepted(READ_AFTER_S)] * 3
        dry._dry = True
        await adapter_of(one.market, dry).push([Target("b", 0, 1, "dry")])
        assert [unsent.method for unsent in dry.unsent] == ["DELETE", "PATCH"]
        assert await one.requests("cancelFeed") == 0, "a dry run cancels nothing"
        anew = adapter_of(one.market, remote)
        assert await anew.push([Target("b", 0, 1, "zero")]) == [Accepted(0)]
        assert (await one.requests("cancelFeed"), await one.requests("createFeed")) == (1, 1)
        assert anew.bulk_from is None
        assert await anew.push([Target("a", 3, 1, "raise")]) == [Accepted(0)]
        assert await one.requests("getFeeds") == 3, "each asks once"
        assert (await one.market.counts())["broken"] == {}

        async def stand() -> bool:
            return await one.offered() == [3, 0, 1]

        await wait_until(stand)


def loses(patch: pytest.MonkeyPatch, remote: Remote, lost: Callable[[str, str], bool]) -> None:
    """Answers to these requests, by method and address, never arrive."""
    ask = remote.request

    async def request(method: str, url: str, **more: Any) -> Answer:
        answer = await ask(method, url, **more)
        if lost(method, url):
            raise RemoteAway("was cut off")
        return answer

    patch.setattr(remote, "request", request)


async def test_a_feed_whose_answer_was_lost_undoes_nothing_and_where_none_are_told_what_has_to_go_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        shop(tmp_path, "--queue-s", NEVER_S) as one,
        remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as unheard,
        remote_of(Amazon.quotas, timeout_s=PATIENCE_S) as untold,
    ):
        loses(monkeypatch, unheard, lambda method, url: method == "POST" and url.endswith("/feeds"))
        adapter = adapter_of(one.market, unheard)
        with pytest.raises(RemoteAway, match="cut off"):
            await adapter.push_many(raises(5))
        assert await adapter.push([Target("b", 0, 1, "zero")]) == [Accepted(0)]
        assert (await one.requests("cancelFeed"), await one.requests("createFeed")) == (1, 1)
        listed = await one.requests("getFeeds")
        loses(monkeypatch, untold, lambda _, url: "/feeds?" in url)
        adapter = adapter_of(one.market, untold)
        for quantity in (1, 0):
            assert await adapter.push([Target("a", quantity, 1, "needed")]) == [Accepted(READ_AFTER_S)]
        assert adapter.bulk_from is None
        assert await adapter.push_many(raises(5)) == [Throttled(0)] * 3
        assert await one.requests("getFeeds") == listed + 1, "it is not asked again at once"
