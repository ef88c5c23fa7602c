"""What endpoints that fell behind cost the ledger: one reading of a level's history for all of them."""

import asyncio
from typing import Any

import pytest

from followers.log.ledger import Event, Ledger
from followers.webhooks.events import AT_ONCE_MAX, Events, HistoryGone

LEVEL = ("berlin", "mug")
NEWEST = 5 * AT_ONCE_MAX


class Counting(Ledger):
    """Of one level with ``NEWEST`` versions. ``read``: what it was asked for, as first version and count."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "key")
        self.epoch = "e"
        self.read: list[tuple[int, int]] = []

    async def history(self, location: str, sku: str, after: int, limit: int) -> list[Event]:
        await asyncio.sleep(0)
        self.read.append((after + 1, limit))
        versions = range(after + 1, min(NEWEST, after + limit) + 1)
        return [{"location": location, "sku": sku, "version": version} for version in versions]

    async def shards(self) -> dict[str, Any]:
        return {"epoch": self.epoch}


@pytest.fixture
def ledger() -> Counting:
    return Counting()


@pytest.fixture
def events(ledger: Counting) -> Events:
    found = Events(ledger)
    found.begin("e")
    return found


async def versions(events: Events, after: int, newest: int = NEWEST) -> list[int]:
    return [event["version"] for event in await events.between(LEVEL, "e", after, newest)]


async def test_all_who_are_behind_on_the_same_events_share_one_reading(ledger: Counting, events: Events) -> None:
    found = await asyncio.gather(*(versions(events, after) for after in range(AT_ONCE_MAX)))
    assert found == [list(range(after + 1, AT_ONCE_MAX + 1)) for after in range(AT_ONCE_MAX)]
    assert ledger.read == [(1, AT_ONCE_MAX)]


async def test_who_is_behind_on_the_last_ones_alone_reads_no_more_than_these(ledger: Counting, events: Events) -> None:
    assert await versions(events, NEWEST - 1) == [NEWEST]
    assert await versions(events, NEWEST - 2) == [NEWEST - 1, NEWEST]
    assert ledger.read == [(NEWEST, 1), (NEWEST - 1, 2)]


async def test_what_was_read_in_another_epoch_is_told_to_nobody(ledger: Counting, events: Events) -> None:
    assert await versions(events, 0)
    ledger.epoch = "f"
    with pytest.raises(HistoryGone):
        await versions(events, AT_ONCE_MAX)
    events.begin("f")
    with pytest.raises(HistoryGone):
        await versions(events, 0)
    assert [one["version"] for one in await events.between(LEVEL, "f", 0, NEWEST)] == list(range(1, AT_ONCE_MAX + 1))
    assert len(ledger.read) == 4, "what was remembered was of the other epoch, and so is no answer of this one"
