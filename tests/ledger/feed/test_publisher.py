"""The broker away: commits go on, and it is said each time, not only the first."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ledger.feed.publisher import PIPELINE_MAX, Publisher
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import PATIENCE_S, wait_until


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Publisher]:
    publisher = Publisher(url, "test-publisher")
    run = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        publisher.stop()
        await asyncio.wait_for(run, PATIENCE_S)


async def test_each_outage_of_the_broker_is_logged_once(
    private_valkey: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "ledger.feed.publisher")
    async with running(private_valkey.url) as publisher:
        for _ in range(2):
            await _until_another(publisher, "published")
            before = len(caplog.records)
            await asyncio.to_thread(private_valkey.kill)
            for _ in range(3):
                await _until_another(publisher, "failed")
            assert len(caplog.records) == before + 1
            await asyncio.to_thread(private_valkey.start)


async def test_a_broker_that_hangs_does_not_hold_up_the_end(private_valkey: ValkeyServer) -> None:
    publisher = Publisher(private_valkey.url, "test-publisher")
    run = asyncio.create_task(publisher.run())
    await _until_another(publisher, "published")
    private_valkey.pause()
    try:
        for _ in range(10 * PIPELINE_MAX):
            publisher.heartbeat("epoch", 0, 1)
        publisher.stop()
        await asyncio.wait_for(run, PATIENCE_S)
        assert 0 < publisher.counters.failed <= PIPELINE_MAX, "one try is enough: there are ten times as many messages"
    finally:
        private_valkey.resume()


async def _until_another(publisher: Publisher, counter: str) -> None:
    before: int = getattr(publisher.counters, counter)

    async def one_more() -> bool:
        publisher.heartbeat("epoch", 0, 1)
        now: int = getattr(publisher.counters, counter)
        return now > before

    await wait_until(one_more)
