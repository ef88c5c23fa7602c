"""Batches as a relay makes them, of events that a ledger might have had."""

from collections.abc import Iterable
from typing import Any

import orjson

from followers.relay.logged import Event, event_of
from followers.relay.message import Batch
from followers.relay.planning import Planning
from tests.wire.streams.attributes import level_of
from wire.messages import LevelState

SOURCE, EPOCH = "/stockwire/test", "e1.7.0000001"
AT = "2026-11-22T10:00:00.123456Z"


def event(seq: int, sku: str = "A-1", *, shard: int = 0, reason: str | None = None) -> dict[str, Any]:
    """Of a level whose every event sells one unit."""
    return {
        "shard": shard,
        "seq": seq,
        "sku": sku,
        "location": "berlin",
        "version": seq,
        "kind": "sale",
        "on_hand_delta": -1,
        "reserved_delta": 0,
        "on_hand": 1_000_000 - seq,
        "reserved": 0,
        "available": 1_000_000 - seq,
        "operation": f"00000000-0000-4000-8000-{seq:012}",
        "actor": "till-1",
        "reason": reason,
        "reference": None,
        "occurred_at": None,
        "committed_at": AT,
        "view_version": seq,
    }


def logged(events: Iterable[dict[str, Any]]) -> list[Event]:
    """As the ledger sends them."""
    return [event_of(orjson.dumps(event)) for event in events]


def row(sku: str, seq: int, *, shard: int = 0) -> LevelState:
    """Of ``GET /v1/levels``."""
    return level_of(event(seq, sku, shard=shard))


def planning(epoch: str = EPOCH, shard: int = 0, *, levels_apart: bool = True) -> Planning:
    return Planning(SOURCE, epoch, shard, levels_apart=levels_apart)


def sales(first: int, last: int, *, shard: int = 0, epoch: str = EPOCH, levels_apart: bool = True) -> Batch:
    """Of these seqs, all of one level."""
    events = [event(seq, shard=shard) for seq in range(first, last + 1)]
    return planning(epoch, shard, levels_apart=levels_apart).changes(logged(events), 0)
