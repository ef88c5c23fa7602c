"""Events of the log as a relay passes them on: the bytes that the ledger sent, and what of them has to be known."""

import msgspec
from msgspec import Raw, Struct

from wire.messages import LevelState


class Event(Struct, frozen=True, gc=False):
    """``level``: as it became by this event. ``data``: the event as JSON, field for field."""

    level: LevelState
    data: bytes


class Feed(Struct, frozen=True):
    """An answer of ``GET /v1/events``."""

    epoch: str
    head: int
    events: list[Event]


class _Feed(Struct, frozen=True):
    epoch: str
    head: int
    events: list[Raw]


_read_feed = msgspec.json.Decoder(_Feed).decode
_read_level = msgspec.json.Decoder(LevelState).decode


def feed_of(body: bytes) -> Feed:
    """Raises msgspec.DecodeError, which is a ValueError."""
    feed = _read_feed(body)
    return Feed(feed.epoch, feed.head, [event_of(event) for event in feed.events])


def event_of(event: bytes | Raw) -> Event:
    """Raises msgspec.DecodeError, which is a ValueError."""
    return Event(_read_level(event), bytes(event))
