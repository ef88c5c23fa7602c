"""One AsyncClient, one event loop: another is told so each time, in words, and nothing hangs or half works."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from stockwire import AsyncClient, AsyncSubscription, Unavailable
from tests.harness.waiting import PATIENCE_S

ELSEWHERE = "one client, one loop"


async def in_another_loop(work: Callable[[], Coroutine[Any, Any, object]]) -> BaseException | None:
    """What ``work`` raises in a loop of its own, in a thread of its own."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    await asyncio.to_thread(thread.join, 30)
    assert not thread.is_alive()
    return raised[0] if raised else None


async def test_each_call_in_a_second_loop_says_one_client_one_loop() -> None:
    async with AsyncClient("http://127.0.0.1:1", "k", max_retries=0) as client:
        with pytest.raises(Unavailable):
            await client.locations.get("berlin")

        async def reads() -> object:
            return await client.locations.get("berlin")

        async def lists() -> object:
            return [level async for level in client.levels("berlin")]

        for work in (reads, lists, reads):
            assert ELSEWHERE in str(await in_another_loop(work))
        with pytest.raises(Unavailable):  # at home it goes on
            await client.locations.get("berlin")


def test_a_client_that_outlives_its_loop_says_so_and_can_still_be_closed() -> None:
    client = AsyncClient("http://127.0.0.1:1", "k", max_retries=0)
    said = []

    async def use() -> None:
        try:
            await client.stock.get("A", "berlin")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at below
            said.append(str(error))

    asyncio.run(use())
    asyncio.run(use())
    asyncio.run(use())
    asyncio.run(client.close())
    assert "cannot be reached" in said[0]
    assert [ELSEWHERE in one for one in said[1:]] == [True, True]


async def test_a_subscription_is_read_in_the_loop_that_entered_it() -> None:
    async with AsyncClient("http://127.0.0.1:1", "k", hubs=["ws://127.0.0.1:1"]) as client:
        stream = client.subscribe("berlin")
        uses: list[Callable[[AsyncSubscription], Awaitable[object]]] = [
            lambda stream: anext(stream),
            lambda stream: stream.ready(),
            lambda stream: stream.next_event(PATIENCE_S),
            lambda stream: stream.close(),
        ]
        async with stream:
            for use in uses:

                async def work(use: Callable[[AsyncSubscription], Awaitable[object]] = use) -> object:
                    while stream._inbox.mailbox.take():  # what waits is taken anywhere
                        pass
                    return await use(stream)

                assert ELSEWHERE in str(await in_another_loop(work))
        with pytest.raises(RuntimeError, match="closed"):
            await stream.ready()
