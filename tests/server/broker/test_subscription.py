"""The broker's listener can be ended at any moment: a hub that is being stopped waits for it."""

import asyncio
import logging
from collections.abc import Callable, Iterator

import pytest

from server.broker.subscription import Subscription
from tests.harness.proxy import proxy_to_socket
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import PATIENCE_S, wait_until

TURNS = 120
TURNS_MAX = 1_000_000
"""An answer of the broker takes more turns where the broker is slow."""


class Listener:
    def __init__(self) -> None:
        self.subscriptions = self.ended = 0

    def subscribed(self) -> None:
        self.subscriptions += 1

    def message(self, channel: str, data: bytes) -> None:
        pass

    def unsubscribed(self) -> None:
        self.ended += 1


async def test_a_listener_that_is_cancelled_while_it_subscribes_ends(redis_url: str) -> None:
    """After each number of turns of the loop once: up to Python 3.11 one of the waits lost the cancellation."""
    listener = Listener()
    for turns in _turns_before_the_end(listener):
        running = asyncio.create_task(Subscription(redis_url, ["one", "two"], listener, "nothing").run())
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


async def test_each_outage_of_the_broker_is_told_once(valkey: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "server.broker.subscription")
    listener = Listener()
    async with proxy_to_socket(valkey.socket) as proxy:
        running = asyncio.create_task(
            Subscription(f"redis://127.0.0.1:{proxy.port}", ["one"], listener, "nothing").run()
        )
        for outages in (1, 2):
            await _until(lambda outages=outages: listener.subscriptions == outages)  # type: ignore[misc]  # mypy sees no default
            proxy.refuse()
            await proxy.connected(proxy.accepted + 3)
            assert listener.subscriptions == listener.ended == len(caplog.records) == outages
            proxy.heal()
        running.cancel()
        await asyncio.wait([running])


async def _until(is_so: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return is_so()

    await wait_until(asked)
