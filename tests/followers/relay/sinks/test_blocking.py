"""A client that blocks, in a thread: whoever stops waiting leaves nothing behind in the queue."""

import asyncio
import gc
import threading
import weakref
from contextlib import suppress

import pytest

from followers.relay.sink import SinkAway
from followers.relay.sinks.blocking import BlockingCalls
from tests.harness.waiting import PATIENCE_S


async def test_a_call_that_nobody_waits_for_any_more_is_never_made() -> None:
    calls, made = BlockingCalls("a broker"), list[str]()
    begun, may_end = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        may_end.wait(PATIENCE_S)

    hanging = asyncio.create_task(calls.call(PATIENCE_S, hang))
    assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    with pytest.raises(SinkAway, match=r"a broker does not answer within 0\.01 s"):
        await calls.call(0.01, made.append, "timed out")
    cancelled = asyncio.create_task(calls.call(PATIENCE_S, made.append, "cancelled"))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    may_end.set()
    await hanging
    await calls.call(PATIENCE_S, made.append, "awaited")
    await calls.close()
    assert made == ["awaited"]


async def test_a_client_whose_call_failed_lives_until_the_collector_comes() -> None:
    """With its threads, and all that it had in hand."""

    class Client:
        def fail(self) -> None:
            raise SinkAway("it is away")

    calls = BlockingCalls("a client")
    client = Client()
    lives = weakref.ref(client)
    gc.disable()
    try:
        with suppress(SinkAway):
            await calls.call(PATIENCE_S, client.fail)
        del client
        await calls.call(PATIENCE_S, int)
        assert lives() is None
    finally:
        gc.enable()
        await calls.close()
