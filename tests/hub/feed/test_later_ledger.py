"""A ledger may be newer than its hubs: more in what it says changes nothing, what a hub cannot read is in the log."""

import json
from typing import Any

import msgspec
import pytest

from hub.feed.ledger_client import GoodIds, Heads, Introspection, LevelsPage, LogPage
from tests.hub.feed.test_feed_times import BEHIND_S_MAX, Shop, open_shop
from tests.simulation.loop import on_virtual_clock
from wire.channels import shard_channel

STATE = {"sku": "A", "location": "berlin", "version": 7, "on_hand": 10, "reserved": 2, "available": 8, "kind": "sale"}
STATE |= {"committed_at": "2026-11-22T10:00:00.123456Z", "shard": 0, "seq": 124}
CHANGE = {"on_hand_delta": -1, "reserved_delta": 0, "operation": "3f25", "actor": "till", "view_version": 2}
EVENT = {**STATE, **CHANGE, "reason": None, "reference": None, "occurred_at": None}
STEPS = {"steps": [1, 5, 10], "low": 5}
HOLDER = {"active": True, "id": "ab", "owner": "till", "scopes": ["hub"], "expires_at": "2026-11-22T10:00:00Z"}


def later(value: Any) -> Any:
    """With a field more in each object, but for those whose names are data."""
    if isinstance(value, dict):
        more = {} if value.keys() <= {"0", "1"} else {"lot": {"number": [7]}}
        return {**{name: later(field) for name, field in value.items()}, **more}
    return [later(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("answer", "document"),
    [
        (Heads, {"epoch": "e", "shards": [{"shard": 0, "head": 7}], "public": STEPS}),
        (LogPage, {"epoch": "e", "shard": 0, "head": 124, "events": [EVENT]}),
        (LevelsPage, {"epoch": "e", "heads": {"0": 124}, "levels": [STATE], "view_versions": [2], "next": None}),
        (Introspection, HOLDER),
        (GoodIds, {"ids": ["ab"]}),
    ],
)
def test_a_field_more_in_a_ledgers_answer_changes_nothing(answer: type[Any], document: dict[str, Any]) -> None:
    read, with_more = (msgspec.json.decode(json.dumps(one), type=answer) for one in (document, later(document)))
    assert with_more == read


def publish(shop: Shop, *, readable: bool) -> int:
    """A commit, told as a later ledger might. Returns its messages."""
    batches = shop.stock.commit(shop.random)
    for events in batches:
        message = later(json.loads(shop.stock.message(events)))
        if not readable:
            message["events"] = {"packed": message["events"]}
        shop.broker.publish("batch", shard_channel("stockwire", events[0].shard), json.dumps(message).encode())
    return len(batches)


@on_virtual_clock
async def test_a_field_more_in_a_message_of_the_broker_changes_nothing() -> None:
    async with open_shop() as shop:
        repairs = shop.feed.repairs
        for _ in range(20):
            publish(shop, readable=True)
            await shop.until(lambda: shop.lasts() == shop.stock.history.heads())
        assert sum(shop.lasts().values()) >= 20
        assert (shop.feed.unreadable, shop.feed.repairs) == (0, repairs)


@on_virtual_clock
async def test_what_a_hub_cannot_read_comes_from_the_log_in_time() -> None:
    async with open_shop() as shop:
        for _ in range(20):
            unreadable = shop.feed.unreadable
            told = publish(shop, readable=False)
            assert await shop.until(lambda: shop.lasts() == shop.stock.history.heads()) < BEHIND_S_MAX
            assert shop.feed.unreadable == unreadable + told
            assert shop.feed.fresh
