"""Messages as Standard Webhooks 1.0 has them: an id that stays the same, and a body that never changes under it. Pure.

Everything in a body is of the event that it tells of. So whoever makes it again, after a crash, for a replay or in
another process, makes the same bytes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from followers.webhooks.scopes import Sight
from wire.availability import PublicSteps

BATCH = "batch"
"""The type of a message that has several in ``data.events``."""
EXACT_FIELDS = (
    *("sku", "location", "version", "kind", "on_hand", "reserved", "available", "on_hand_delta", "reserved_delta"),
    *("operation", "actor", "reason", "reference", "occurred_at", "committed_at", "shard", "seq"),
)
_BATCH_ID_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Message:
    """``timestamp``: when it was committed, RFC 3339. ``location``, ``sku``, ``version``: of what it tells, if it is
    one level; the version as its owner sees it."""

    id: str
    type: str
    timestamp: str
    data: Any
    location: str | None = None
    sku: str | None = None
    version: int | None = None

    @property
    def content(self) -> dict[str, Any]:
        return {"type": self.type, "timestamp": self.timestamp, "data": self.data}

    def body(self) -> bytes:
        return orjson.dumps(self.content)


def message_of(type_: str, event: dict[str, Any], epoch: str, sight: Sight, steps: PublicSteps) -> Message:
    data: dict[str, Any] = {"epoch": epoch, **{name: event[name] for name in EXACT_FIELDS}}
    if sight is Sight.PUBLIC:
        data = _public(event, steps)
    return Message(
        _id_of(type_, event, epoch, sight),
        type_,
        event["committed_at"],
        data,
        event["location"],
        event["sku"],
        data["version"],
    )


def batch_of(messages: Sequence[Message]) -> Message:
    """Its id is made from its members': one id never has two bodies."""
    digest = hashlib.sha256("\n".join(message.id for message in messages).encode()).hexdigest()
    events = [{"id": message.id, **message.content} for message in messages]
    newest = max(message.timestamp for message in messages)
    return Message(f"batch_{digest[:_BATCH_ID_CHARACTERS]}", BATCH, newest, {"events": events})


def _id_of(type_: str, event: dict[str, Any], epoch: str, sight: Sight) -> str:
    """Without a dot, which parts id, timestamp and body in what is signed."""
    kind = type_ if sight is Sight.EXACT else f"{type_}-{sight.value}"
    return f"{epoch}_{event['shard']}_{event['seq']}_{kind}".replace(".", "-")


def _public(event: dict[str, Any], steps: PublicSteps) -> dict[str, Any]:
    return {
        "sku": event["sku"],
        "location": event["location"],
        "version": event["view_version"],
        "availability": steps.availability(event["available"]),
        "quantity": steps.quantity(event["available"]),
    }
