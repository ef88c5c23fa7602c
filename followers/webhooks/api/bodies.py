"""Bodies of requests, every bound on them, and what is said of a wrong one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from followers.channel_types import CHANNEL_TYPES
from followers.webhooks.planning import HOLDS, TEST, TYPES
from server.http.body import decoded
from server.problems import Invalid
from wire.messages import Name

T = TypeVar("T")

BODY_BYTES_MAX = 256 * 1024
NAMES_MAX = 1_000
"""Locations, and skus, of one endpoint; who wants more names none and gets all."""
TYPES_MAX = 32
BATCH_MAX = 100
RATE_PER_S_MIN, RATE_PER_S_MAX = 0.01, 1_000
SECRET_CHARACTERS_MAX = 256
URL_CHARACTERS_READ = 4_096
MESSAGE_CHARACTERS_MAX = 256
ITEMS = "cannot be asked for: changes of items are not in the log, so nobody hears of them"
_WHOLE = {
    "stock.*": tuple(one for one in TYPES if one.startswith("stock.")),
    "hold.*": tuple(HOLDS.values()),
    "channel.*": CHANNEL_TYPES,
}
SUBSCRIBED = (*(one for one in TYPES if one != TEST), *_WHOLE)
"""What may stand in ``types``. ``webhook.test`` is sent when it is asked for."""

Names = Annotated[list[Name], Meta(max_length=NAMES_MAX)]
Secret = Annotated[str, Meta(max_length=SECRET_CHARACTERS_MAX)]
Signature = Literal["v1", "v1a"]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """A misspelt field is refused."""


class Wish(Body, frozen=True):
    """What an endpoint is sent, and where."""

    url: Annotated[str, Meta(max_length=URL_CHARACTERS_READ)]
    types: Annotated[list[str], Meta(min_length=1, max_length=TYPES_MAX)]
    locations: Names = []
    skus: Names = []
    mode: Literal["every", "latest"] = "every"
    batch: Annotated[int, Meta(ge=1, le=BATCH_MAX)] = 1
    rate_per_s: Annotated[float, Meta(ge=RATE_PER_S_MIN, le=RATE_PER_S_MAX)] | None = None


class NewEndpoint(Wish, frozen=True):
    """``secret``: the caller's own, ``whsec_`` or ``whsk_``; without it one is made."""

    signature: Signature = "v1"
    secret: Secret | None = None


class Rotation(Body, frozen=True):
    signature: Signature = "v1"
    secret: Secret | None = None


class Replay(Body, frozen=True):
    """Exactly one of ``message``, ``since`` and ``failed``."""

    message: Annotated[str, Meta(max_length=MESSAGE_CHARACTERS_MAX)] | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None
    failed: bool = False
    dry_run: bool = False


new_endpoint = msgspec.json.Decoder(NewEndpoint)
wish = msgspec.json.Decoder(Wish)
rotation = msgspec.json.Decoder(Rotation)
replay = msgspec.json.Decoder(Replay)


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """``body`` may be empty, where every field may be left out. Raises Invalid."""
    return decoded(decoder, body or b"{}")


def types_of(asked: Sequence[str]) -> tuple[str, ...]:
    """Without stars, each once, in the order of the documentation. Raises Invalid."""
    found: set[str] = set()
    for at, one in enumerate(asked):
        if one.startswith("item."):
            raise Invalid(f"types[{at}]", ITEMS)
        if one not in SUBSCRIBED:
            raise Invalid(f"types[{at}]", f"must be one of {', '.join(SUBSCRIBED)}")
        found.update(_WHOLE.get(one, (one,)))
    return tuple(one for one in TYPES if one in found)


def check_replay(asked: Replay) -> None:
    """Raises Invalid."""
    given = [name for name in ("message", "since", "failed") if getattr(asked, name)]
    if len(given) != 1:
        raise Invalid("message", "one of this, since and failed is required")
    if asked.until is not None and asked.since is None:
        raise Invalid("until", "goes with since")
    if asked.until is not None and asked.since is not None and asked.until <= asked.since:
        raise Invalid("until", "must be after since")
