"""Bodies of requests, every bound on them, and what is said of a wrong one."""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from followers.marketplaces.mapping.proposals import By
from followers.marketplaces.orders.api.routes import NOTICE_BYTES_MAX
from followers.marketplaces.terms import REMOTE_CHARACTERS_MAX
from server.http.body import REASONS as NAMES
from server.http.body import decoded
from wire.messages import Name

BODY_BYTES_MAX = 256 * 1024
MAPPING_BYTES_MAX = 32 * 2**20
"""Of a mapping as CSV: 200,000 lines of 160 bytes."""
LOCATIONS_MAX = 100
SETTINGS_MAX = 50
LINES_MAX = 1_000
"""Of one request in JSON; more go as CSV."""
UNITS_MAX = 1_000_000_000
TEXT_CHARACTERS_MAX = 4_096
URL_CHARACTERS_READ = 4_096
ID_PATTERN = r"^[a-z][a-z0-9-]{0,49}\Z"
ID_REASON = "must be 1 to 50 small letters, digits and -, and begin with a letter"
Text = Annotated[str, Meta(max_length=TEXT_CHARACTERS_MAX)]
Values = Annotated[dict[Annotated[str, Meta(max_length=64)], Text], Meta(max_length=SETTINGS_MAX)]
Remote = Annotated[str, Meta(min_length=1, max_length=REMOTE_CHARACTERS_MAX)]
Units = Annotated[int, Meta(ge=0, le=UNITS_MAX)]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """A misspelt field is refused."""


class ChannelWish(Body, frozen=True):
    """``credentials``: None leaves them as they are. ``share``: above 0, at most 1."""

    settings: Values
    locations: Annotated[list[Name], Meta(min_length=1, max_length=LOCATIONS_MAX)]
    credentials: Values | None = None
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    buffer: Units = 0
    safety: Units = 0
    cap: Units | None = None
    notices_url: Annotated[str, Meta(max_length=URL_CHARACTERS_READ)] | None = None
    policy: dict[str, Any] = {}


class NewChannel(ChannelWish, frozen=True, kw_only=True):
    id: Annotated[str, Meta(pattern=ID_PATTERN)]
    vendor: Annotated[str, Meta(min_length=1, max_length=64)]


class MappingLine(Body, frozen=True):
    """``location``: None: all of the channel's."""

    remote: Annotated[str, Meta(max_length=REMOTE_CHARACTERS_MAX)]
    sku: Annotated[str, Meta(max_length=64)]
    location: Annotated[str, Meta(max_length=64)] | None = None


class MappingLines(Body, frozen=True):
    lines: Annotated[list[MappingLine], Meta(min_length=1, max_length=LINES_MAX)]


class MappingFile(Body, frozen=True):
    """``csv``: with a header. ``whole``: what it lacks is mapped no more."""

    csv: str
    whole: bool = False


class Remotes(Body, frozen=True):
    """``remotes``: ids of listings."""

    remotes: Annotated[list[Remote], Meta(min_length=1, max_length=LINES_MAX)]


class Letters(Body, frozen=True):
    """``remotes``: None: all that are dead."""

    remotes: Annotated[list[Remote], Meta(min_length=1, max_length=LINES_MAX)] | None = None


class Acceptance(Body, frozen=True):
    """Proposals of these listings; None: of all. ``by``: of these kinds alone."""

    remotes: Annotated[list[Remote], Meta(min_length=1, max_length=LINES_MAX)] | None = None
    by: Annotated[list[By], Meta(min_length=1, max_length=3)] = msgspec.field(
        default_factory=lambda: ["sku", "barcode"]
    )


new_channel = msgspec.json.Decoder(NewChannel)
channel_wish = msgspec.json.Decoder(ChannelWish)
mapping_lines = msgspec.json.Decoder(MappingLines)
mapping_file = msgspec.json.Decoder(MappingFile)
remotes = msgspec.json.Decoder(Remotes)
letters = msgspec.json.Decoder(Letters)
acceptance = msgspec.json.Decoder(Acceptance)
OWN_BYTES_MAX = {"mapping": MAPPING_BYTES_MAX, "notices": NOTICE_BYTES_MAX}
"""By the last part of a path."""
REASONS = {**NAMES, ID_PATTERN: ID_REASON}

T = TypeVar("T")


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """``body`` may be empty, where every field may be left out. Raises Invalid."""
    return decoded(decoder, body or b"{}", REASONS)


def bytes_max_of(path: str) -> int | None:
    """What a request to ``path`` may have as its body; None: it is none of ours."""
    if path.startswith("/v1/channels"):
        return OWN_BYTES_MAX.get(path.rpartition("/")[2], BODY_BYTES_MAX)
    return None
