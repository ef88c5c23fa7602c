"""A level as of a moment: asked of the ledger only where it may have become another one."""

from typing import Any

from console.following.ledger import Ledger
from console.moments import text_of
from console.topics.as_of import AsOf


class PlayedLedger(Ledger):
    """One level, with an event a second, from the first one on."""

    def __init__(self, version: int) -> None:
        super().__init__("http://127.0.0.1:9", "sw_key")
        self.version = version

    async def level(self, location: str, sku: str) -> dict[str, Any] | None:
        self.requests += 1
        return {"version": self.version}

    async def history(self, location: str, sku: str, after: int, limit: int) -> list[dict[str, Any]]:
        self.requests += 1
        numbers = {"on_hand": after, "reserved": 0, "available": after}
        return [{**numbers, "version": after + 1, "committed_at": text_of(1_000.0 + after + 1)}]


async def test_where_nothing_was_booked_since_the_ledger_is_not_asked_again() -> None:
    ledger = PlayedLedger(8)
    as_of = AsOf(ledger)
    first = await as_of.at("A", "web", 2_000.0, 8)
    asked = ledger.requests
    assert (first["version"], await as_of.at("A", "web", 2_000.0, 8)) == (8, first)
    assert ledger.requests == asked


async def test_what_may_have_changed_is_asked_again() -> None:
    ledger = PlayedLedger(8)
    as_of = AsOf(ledger)
    await as_of.at("A", "web", 2_000.0, 8)
    ledger.version = 9
    for known in (9, None):
        asked = ledger.requests
        assert (await as_of.at("A", "web", 2_000.0, known))["version"] == 9
        assert ledger.requests > asked
    ledger.version = 10
    assert (await as_of.at("A", "web", 2_000.0, None))["version"] == 10, "nobody knows that it is the same"


async def test_what_was_before_a_later_event_is_asked_once() -> None:
    ledger = PlayedLedger(8)
    as_of = AsOf(ledger)
    assert (await as_of.at("A", "web", 1_003.5))["version"] == 3
    asked, ledger.version = ledger.requests, 9
    assert (await as_of.at("A", "web", 1_003.5, 9))["version"] == 3
    assert ledger.requests == asked
