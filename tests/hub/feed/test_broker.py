"""The broker's listener can be ended at any moment: a hub that is being stopped waits for it."""

import asyncio
from collections.abc import Iterator

from hub.feed.broker import Broker
from tests.harness.waiting import PATIENCE_S

TURNS = 120
TURNS_MAX = 1_000_000
"""An answer of the broker takes more turns where the broker is slow."""


class Listener:
    def __init__(self) -> None:
        self.subscriptions = 0

    def subscribed(self) -> None:
        self.subscriptions += 1

    def message(self, channel: str, data: bytes) -> None:
        pass

    def unsubscribed(self) -> None:
        pass


async def test_a_listener_that_is_cancelled_while_it_subscribes_ends(redis_url: str) -> None:
    """After each number of turns of the loop once: up to Python 3.11 one of the waits lost the cancellation."""
    listener = Listener()
    for turns in _turns_before_the_end(listener):
        running = asyncio.create_task(Broker(redis_url, ["one", "two"], listener).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        _, pending = await asyncio.wait([running], timeout=PATIENCE_S)
        assert not pending, f"still listens after {turns} turns and its cancellation"
    assert listener.subscriptions > 0, "never got so far as to subscribe"


def _turns_before_the_end(listener: Listener) -> Iterator[int]:
    yield from range(TURNS)
    turns = TURNS
    while not listener.subscriptions and turns < TURNS_MAX:
        yield turns
        turns *= 2
