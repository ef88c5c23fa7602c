"""The broker away: commits go on, and it is said each time, not only the first."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from redis.asyncio import Redis

from ledger.feed.publisher import PIPELINE_MAX, QUEUE_MAX, Publisher
from tests.harness.proxy import proxy_to_socket
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import PATIENCE_S, wait_until
from wire.channels import shard_channel


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


async def test_a_reply_that_nobody_asked_for_ends_the_connection_and_not_the_ledger(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(65_536):
            published = said.count(b"PUBLISH")
            writer.write(b":0\r\n" * (published + 1) if published else b"+OK\r\n" * said.count(b"CLIENT"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, running(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}") as publisher:
        for _ in range(2):
            await _until_another(publisher, "published")
            await wait_until(lambda: _is_failing(publisher))
    assert "InvalidResponse: the broker sent a reply that nobody asked for" in caplog.text


async def _is_failing(publisher: Publisher) -> bool:
    return not publisher.broker_up


async def test_messages_that_wait_together_arrive_whole_and_in_order(redis_url: str, channel_prefix: str) -> None:
    async with Redis.from_url(redis_url) as redis, redis.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe(shard_channel(channel_prefix, 0))
        publisher = Publisher(redis_url, channel_prefix)
        for head in range(QUEUE_MAX):
            publisher.heartbeat("epoch", 0, head)
        run = asyncio.create_task(publisher.run())
        heads: list[int] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(heads) < QUEUE_MAX:
                if (message := await heard.get_message(timeout=1)) is not None:
                    heads.append(orjson.loads(message["data"])["head"])
        assert heads == list(range(QUEUE_MAX))
        publisher.stop()
        await asyncio.wait_for(run, PATIENCE_S)
        assert publisher.counters.published == QUEUE_MAX


async def test_each_message_is_counted_once_however_its_connection_ends(
    valkey: ValkeyServer, channel_prefix: str
) -> None:
    """Published or failed, and nothing of a lost connection is counted against the next one."""
    async with proxy_to_socket(valkey.socket) as proxy:
        publisher = Publisher(f"redis://127.0.0.1:{proxy.port}", channel_prefix)
        run = asyncio.create_task(publisher.run())
        for number in range(20):
            proxy.down.reset_after(number)
            for head in range(2 * PIPELINE_MAX):
                publisher.heartbeat("epoch", 0, head)
            await proxy.was_reset("down")
        proxy.heal()
        await _until_another(publisher, "published")

        async def nothing_waits() -> bool:
            return publisher.queued == 0

        await wait_until(nothing_waits)
        publisher.stop()
        await asyncio.wait_for(run, PATIENCE_S)
        counted = publisher.counters
        assert sum(publisher.took.counts) == counted.published
        assert counted.published + counted.failed + counted.dropped == counted.heartbeats
        assert counted.failed
        assert counted.published
