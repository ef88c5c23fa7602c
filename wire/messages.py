"""Every message of protocol v1 and of the broker channels, typed.

The field tables stand in ``docs/reference/protocol.md``; golden vectors in ``wire/vectors`` hold both sides to them.
Unknown fields are ignored on decoding, so either side may be upgraded first.
"""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from wire.names import NAME_PATTERN
from wire.repeated_names import repeated_name

SUBPROTOCOL = "stockwire.v1"
BRINGS_TOKEN = "stockwire.token"
"""Offered beside it by a page whose ``connect`` will carry a token: a browser can send no header with the upgrade."""

RequestId = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
UNITS_MAX = 2**31 - 1
Units = Annotated[int, Meta(ge=0, le=UNITS_MAX)]
Token = Annotated[str, Meta(min_length=1, max_length=8192)]
Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
LocationOrAll = Annotated[str, Meta(pattern=rf"^\*\Z|{NAME_PATTERN}")]


class Position(Struct, frozen=True, omit_defaults=True):
    """How far a connection has read: everything up to ``seq`` of each shard has been written to it.

    ``selection`` is the hub's fingerprint of the subscription (location and skus). A client that sends a position back
    unchanged lets the hub notice that it asks for another selection than the position was given for.
    """

    epoch: str
    seq: dict[str, Seq]
    selection: str | None = None


# --- client to hub


class Connect(Struct, frozen=True, tag="connect", omit_defaults=True):
    id: RequestId
    token: Token | None = None


class When(Struct, frozen=True, omit_defaults=True):
    """A threshold with hysteresis; exactly one of ``at_most`` and ``at_least`` is given, in available units.

    ``at_most``: raised when no more units than this are available, lowered again at ``until`` or more (above
    ``at_most``; absent: one above). ``at_least``: raised when no fewer are available, lowered again at ``until`` or
    fewer (below ``at_least``; absent: one below). With ``view`` ``public``, the quantity that the public sees counts.
    """

    at_most: Units | None = None
    at_least: Units | None = None
    until: Units | None = None


class Subscribe(Struct, frozen=True, tag="subscribe", omit_defaults=True):
    """``skus`` absent: the whole location, so an empty list is refused; ``location`` ``*``: all of them.

    ``view`` ``public``: availability instead of levels. ``when``: only the crossings of a threshold. Neither has a
    position, so ``since`` is refused with them.
    """

    id: RequestId
    location: LocationOrAll
    skus: Annotated[list[Name], Meta(min_length=1)] | None = None
    since: Position | None = None
    view: Literal["public"] | None = None
    when: When | None = None


class Unsubscribe(Struct, frozen=True, tag="unsubscribe"):
    id: RequestId
    sub: RequestId


class Refresh(Struct, frozen=True, tag="refresh"):
    id: RequestId
    token: Token


ClientMessage = Connect | Subscribe | Unsubscribe | Refresh


# --- hub to client


class LevelState(Struct, frozen=True, gc=False):
    """The stock of one sku at one location after the event ``seq`` of ``shard``: absolute values, newest version wins.

    ``available`` = ``on_hand`` - ``reserved``, in units. Version 0 has no event: ``kind`` and ``committed_at`` are
    null, ``seq`` is 0. ``committed_at`` is RFC 3339 in UTC with microseconds.
    """

    sku: str
    location: str
    version: int
    on_hand: int
    reserved: int
    available: int
    kind: str | None
    committed_at: str | None
    shard: int
    seq: int


class Level(LevelState, frozen=True, tag="level", omit_defaults=True):
    """``traceparent``: of an operation that this change tells, if one is traced (see ``wire.trace``)."""

    traceparent: str | None = None


class ViewState(Struct, frozen=True):
    """What the public sees of a level (``wire.availability``): never an exact number.

    ``version`` counts the changes of this view, not of the level, and is the same on every hub. ``quantity`` is the
    largest public step that is available, with a plus (``"10+"``), or ``"0"``.
    """

    sku: str
    location: str
    version: int
    availability: str
    quantity: str


class View(ViewState, frozen=True, tag="view"):
    """The view has changed; comes only then."""


class ThresholdState(Struct, frozen=True, omit_defaults=True):
    """On which side of a threshold a level stands. ``raised`` null: between its two edges, and the hub has not seen
    from which side it came there; a client that knows it keeps what it knows.

    ``version`` is the level's when it crossed and ``available`` its number then; with ``view`` ``public``, the view's
    version and no number. ``when``: which threshold, in the words of the subscription.
    """

    sku: str
    location: str
    version: int
    raised: bool | None
    when: When
    available: int | None = None


class Threshold(ThresholdState, frozen=True, tag="threshold"):
    """The threshold was crossed; comes only then."""


class Connected(Struct, frozen=True, tag="connected", omit_defaults=True):
    """``expires_at``: RFC 3339, when the token ends; null for an API key. ``expires_in_s``: in how many seconds, by the
    hub's clock, which decides; left out where it has no end."""

    id: RequestId
    node: str
    epoch: str
    heartbeat_s: float
    expires_at: str | None
    expires_in_s: float | None = None


class Subscribed(Struct, frozen=True, tag="subscribed"):
    id: RequestId
    sub: int
    recovered: bool


class Snapshot(Struct, frozen=True, tag="snapshot", omit_defaults=True):
    """One part of a snapshot; the part with ``last`` true carries the position.

    One of three lists, as was subscribed to: ``levels``, ``views`` (``view`` ``public``) or ``thresholds`` (``when``;
    with or without ``view``). Only levels have a position.
    """

    sub: int
    levels: list[LevelState] | None = None
    last: bool = msgspec.field(default_factory=bool)
    position: Position | None = None
    views: list[ViewState] | None = None
    thresholds: list[ThresholdState] | None = None


class Unsubscribed(Struct, frozen=True, tag="unsubscribed"):
    id: RequestId
    sub: int


class Refreshed(Struct, frozen=True, tag="refreshed", omit_defaults=True):
    """As `Connected`."""

    id: RequestId
    expires_at: str | None
    expires_in_s: float | None = None


class Heartbeat(Struct, frozen=True, tag="heartbeat"):
    """``seq``: the position promised to this connection, per shard. ``lag_ms``: see docs/reference/protocol.md."""

    seq: dict[str, int]
    fresh: bool
    lag_ms: int


class Error(Struct, frozen=True, tag="error"):
    """Answers one request (``id`` null when the request had none that could be read). The connection stays open."""

    id: RequestId | None
    code: str
    message: str


class Disconnect(Struct, frozen=True, tag="disconnect"):
    """Comes before a close. ``after_ms``: how long to wait before the next attempt."""

    code: int
    reason: str
    reconnect: bool
    after_ms: int


HubMessage = (
    Connected
    | Subscribed
    | Snapshot
    | Level
    | View
    | Threshold
    | Unsubscribed
    | Refreshed
    | Heartbeat
    | Error
    | Disconnect
)


# --- ledger to broker, and the ledger's feed


class Event(Struct, frozen=True):
    """One committed change of one level by one operation. Quantities in units; times RFC 3339 in UTC.

    ``view_version``: of what the public sees of the level, after this event.
    """

    shard: int
    seq: int
    sku: str
    location: str
    version: int
    kind: str
    on_hand_delta: int
    reserved_delta: int
    on_hand: int
    reserved: int
    available: int
    operation: str
    actor: str
    reason: str | None
    reference: str | None
    occurred_at: str | None
    committed_at: str
    view_version: int = 0


class Batch(Struct, frozen=True, omit_defaults=True):
    """What a ledger publishes on a shard's channel.

    After a commit: ``first`` (seq of the first event) and ``events``, dense and in order, and ``writer``, the one of a
    ledger that committed them. As a heartbeat: ``head`` only, the shard's last seq as read from PostgreSQL.
    ``traces``: of the operations that are traced, by their ids, each as a ``traceparent`` (see ``wire.trace``).
    """

    epoch: str
    shard: int
    first: int | None = None
    events: list[Event] | None = None
    head: int | None = None
    writer: str | None = None
    traces: dict[str, str] | None = None


class Revocation(Struct, frozen=True):
    """What a ledger publishes on the revocation channel: the id of an API key that is no longer good."""

    key: str


Decoded = TypeVar("Decoded")

_client_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_hub_decoder: msgspec.json.Decoder[HubMessage] = msgspec.json.Decoder(HubMessage)
_batch_decoder = msgspec.json.Decoder(Batch)
_revocation_decoder = msgspec.json.Decoder(Revocation)


def decode_client_message(data: str | bytes) -> ClientMessage:
    """Raises msgspec.DecodeError (no JSON), or its subclass ValidationError (names the field as a path)."""
    message = _decode(_client_decoder, data)
    if (path := _repeated_name(data)) is not None:  # another reader, such as a proxy, would take the first
        raise msgspec.ValidationError(f"Object has a field twice - at `$.{path}`")
    return message


def decode_hub_message(data: str | bytes) -> HubMessage:
    """Raises as ``decode_client_message``."""
    return _decode(_hub_decoder, data)


def decode_batch(data: bytes) -> Batch:
    """Raises as ``decode_client_message``."""
    return _decode(_batch_decoder, data)


def decode_revocation(data: bytes) -> Revocation:
    """Raises as ``decode_client_message``."""
    return _decode(_revocation_decoder, data)


def _repeated_name(data: str | bytes) -> str | None:
    try:
        return repeated_name(data if isinstance(data, bytes) else data.encode())
    except RecursionError as error:
        raise msgspec.DecodeError(str(error)) from error


def _decode(decoder: msgspec.json.Decoder[Decoded], data: str | bytes) -> Decoded:
    """The decoder lets two more errors out: for brackets nested a thousand deep, and for text that is no UTF-8."""
    try:
        return decoder.decode(data)
    except (RecursionError, UnicodeDecodeError) as error:
        raise msgspec.DecodeError(str(error)) from error


encode = msgspec.json.encode
