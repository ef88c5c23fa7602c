"""Messages of protocol v1, as a client sends and reads them (design: one JSON object with a ``type`` per message).

Unknown fields and unknown types are ignored, so that a hub may be newer than this client. Held to the contract by the
golden vectors in ``wire/vectors``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import orjson

from stockwire.level import Malformed, fields, flag, integer, moment, optional_text, rows, text

SUBPROTOCOL = "stockwire.v1"

Told = TypeVar("Told")
Told_co = TypeVar("Told_co", covariant=True)


class Reader(Protocol[Told_co]):
    """Of what a subscription is about. See `stockwire.kind.ViewKind`."""

    @property
    def message(self) -> str: ...
    @property
    def part(self) -> str: ...
    @property
    def resumes(self) -> bool: ...
    @property
    def parse(self) -> Callable[[Mapping[str, Any]], Told_co]: ...


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has read: everything up to ``seq`` of each shard. Opaque to applications.

    ``selection`` is the hub's own mark of what was subscribed to; it goes back as it came.
    """

    epoch: str
    seq: Mapping[str, int]
    selection: str | None = None

    @classmethod
    def parse(cls, data: object) -> "Position":
        """Raises Malformed."""
        position = fields(data, "position")
        return cls(text(position, "epoch"), seqs(position), optional_text(position, "selection"))

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"epoch": self.epoch, "seq": dict(self.seq)}
        if self.selection is not None:
            body["selection"] = self.selection
        return body


@dataclass(frozen=True, slots=True)
class Connected:
    id: int
    node: str
    epoch: str
    heartbeat_s: float
    expires_at: datetime | None
    expires_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Subscribed:
    id: int
    sub: int
    recovered: bool


@dataclass(frozen=True, slots=True)
class SnapshotPart(Generic[Told]):
    sub: int
    levels: tuple[Told, ...]
    last: bool
    position: Position | None


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    id: int
    sub: int


@dataclass(frozen=True, slots=True)
class Refreshed:
    id: int
    expires_at: datetime | None
    expires_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    seq: Mapping[str, int]
    fresh: bool
    lag_ms: int


@dataclass(frozen=True, slots=True)
class ErrorReply:
    id: int | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    code: int
    reason: str
    reconnect: bool
    after_ms: int


Common = Connected | Subscribed | Unsubscribed | Refreshed | Heartbeat | ErrorReply | Disconnect


def connect(request_id: int, token: str) -> str:
    return _encode({"type": "connect", "id": request_id, "token": token})


def subscribe(
    request_id: int,
    location: str,
    skus: Sequence[str] | None,
    since: Position | None,
    asks: Mapping[str, object],
) -> str:
    """``asks``: further members, of what it is about."""
    message: dict[str, Any] = {"type": "subscribe", "id": request_id, "location": location}
    if skus is not None:
        message["skus"] = list(skus)
    if since is not None:
        message["since"] = since.body()
    return _encode(message | dict(asks))


def unsubscribe(request_id: int, sub: int) -> str:
    return _encode({"type": "unsubscribe", "id": request_id, "sub": sub})


def refresh(request_id: int, token: str) -> str:
    return _encode({"type": "refresh", "id": request_id, "token": token})


def parse(data: str | bytes, about: Reader[Told]) -> Told | SnapshotPart[Told] | Common | None:
    """None for a type that this client does not know, or has not asked for. Raises Malformed."""
    try:
        message = fields(orjson.loads(data), "a message")
    except orjson.JSONDecodeError as error:
        raise Malformed(f"no JSON: {error}") from None
    kind = text(message, "type")
    if kind == about.message:
        return about.parse(message)
    if kind == "snapshot":
        return _snapshot(message, about)
    reader = _READERS.get(kind)
    return None if reader is None else reader(message)


def seqs(data: Mapping[str, Any]) -> dict[str, int]:
    value = fields(data.get("seq"), "seq")
    return {shard: integer(value, shard) for shard in value}


def _encode(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()


def _connected(data: Mapping[str, Any]) -> Connected:
    heartbeat_s = data.get("heartbeat_s")
    if not isinstance(heartbeat_s, int | float) or not 0 < heartbeat_s < 3600:  # a wrong one would never notice silence
        raise Malformed(f"heartbeat_s is {heartbeat_s!r}")
    return Connected(
        integer(data, "id"),
        text(data, "node"),
        text(data, "epoch"),
        float(heartbeat_s),
        _optional_moment(data),
        _optional_seconds(data),
    )


def _subscribed(data: Mapping[str, Any]) -> Subscribed:
    return Subscribed(integer(data, "id"), integer(data, "sub"), flag(data, "recovered"))


def _snapshot(data: Mapping[str, Any], about: Reader[Told]) -> SnapshotPart[Told]:
    levels = tuple(about.parse(fields(level, about.message)) for level in rows(data, about.part))
    last = data.get("last") is True
    given = about.resumes and data.get("position") is not None
    position = Position.parse(data["position"]) if given else None
    if last and about.resumes and position is None:
        raise Malformed("the last part of a snapshot has no position")
    return SnapshotPart(integer(data, "sub"), levels, last, position)


def _heartbeat(data: Mapping[str, Any]) -> Heartbeat:
    return Heartbeat(seqs(data), flag(data, "fresh"), integer(data, "lag_ms"))


def _error(data: Mapping[str, Any]) -> ErrorReply:
    request_id = None if data.get("id") is None else integer(data, "id")
    return ErrorReply(request_id, text(data, "code"), text(data, "message"))


def _disconnect(data: Mapping[str, Any]) -> Disconnect:
    return Disconnect(
        integer(data, "code"), text(data, "reason"), flag(data, "reconnect"), max(0, integer(data, "after_ms"))
    )


def _optional_moment(data: Mapping[str, Any]) -> datetime | None:
    return None if data.get("expires_at") is None else moment(data, "expires_at")


def _optional_seconds(data: Mapping[str, Any]) -> float | None:
    seconds = data.get("expires_in_s")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise Malformed(f"expires_in_s is {seconds!r}")
    return float(seconds)


_READERS: dict[str, Callable[[Mapping[str, Any]], Common]] = {
    "connected": _connected,
    "subscribed": _subscribed,
    "unsubscribed": lambda data: Unsubscribed(integer(data, "id"), integer(data, "sub")),
    "refreshed": lambda data: Refreshed(integer(data, "id"), _optional_moment(data), _optional_seconds(data)),
    "heartbeat": _heartbeat,
    "error": _error,
    "disconnect": _disconnect,
}
