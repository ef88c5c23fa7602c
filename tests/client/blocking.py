"""A till without asyncio, as the tests of the blocking client have it."""

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from stockwire import Client, StreamEvent, Subscription
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S


@dataclass(frozen=True)
class Till:
    """A client with every right, one location and one sku of its own, with 1,000 units there."""

    client: Client
    url: str
    key: str
    sku: str
    location: str

    @property
    def on_hand(self) -> int:
        return self.client.stock.get(self.sku, self.location).on_hand

    def sell(self, units: int = 1) -> int:
        """The version that came of it."""
        return self.client.stock.sell(self.sku, self.location, units).level.version


def open_till(system: System, name: str) -> Till:
    key = asyncio.run(system.admin_key())
    client = Client(system.ledger_url, key, hubs=system.stream_urls)
    client.items.put(name, "Apple")
    client.locations.put(name, "Berlin")
    client.stock.receive(name, name, 1_000)
    return Till(client, system.ledger_url, key, name, name)


def until(subscription: Subscription, condition: Callable[[StreamEvent], bool]) -> list[StreamEvent]:
    """Read events up to the first that fulfils ``condition``."""
    events: list[StreamEvent] = []
    while (event := subscription.next_event(PATIENCE_S)) is not None:
        events.append(event)
        if condition(event):
            return events
    raise AssertionError(f"nothing more came after {events}")


def in_thread(work: Callable[[], None]) -> Callable[[], None]:
    """Start ``work``; the function returned waits for its end and raises what it raised."""
    outcome: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            outcome.put(error)
        else:
            outcome.put(None)

    def finish() -> None:
        error = outcome.get(timeout=PATIENCE_S)
        if error is not None:
            raise error

    threading.Thread(target=run, daemon=True).start()
    return finish
