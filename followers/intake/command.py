"""A CloudEvent as a command: what is to be sent to the ledger, and under which key. Pure.

Its data is the body of the request, field for field, and is looked at here no further than to know where to send it:
the ledger judges the rest (docs/reference/streams.md).
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from wire.names import NAME_CHARACTERS_MAX

PREFIX, SUFFIX = "stockwire.command.", ".v1"
ATTRIBUTE_CHARACTERS_MAX = 1_024
"""Of ``id`` and ``source``: they come back with every answer, in headers."""
COMMAND_BYTES_MAX = 2**20
"""More than a ledger takes by default, and what Kafka and NATS take at most by default."""
MOVEMENT, COUNT = "movement", "count"
RESERVATION, TRANSFER = "reservation", "transfer"
STEPS = {
    RESERVATION: ("commit", "fulfil", "cancel", "extend", "lines"),
    TRANSFER: ("receive", "return", "close"),
}
"""What is done with a reservation or a transfer that is there."""
NAMES = (
    MOVEMENT,
    COUNT,
    *(name for thing, steps in STEPS.items() for name in (thing, *(f"{thing}.{step}" for step in steps))),
)
"""Of commands: each is a ``type`` with the prefix and suffix."""
Attributes = Mapping[str, str]
UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Unreadable(ValueError):
    """``field``: an attribute, or of the data ``data.<name>``."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Command(NamedTuple):
    """``name``: one of ``NAMES``. ``thing``: the id of the reservation or transfer that it is about, if it names one.
    ``data``: what came; ``body``: what the request has of it. ``reply_to``: where else its sender waits for the answer,
    unchecked."""

    id: str
    source: str
    correlation: str | None
    name: str
    thing: str | None
    data: Mapping[str, Any]
    method: str
    path: str
    body: bytes
    reply_to: str | None = None

    @property
    def about(self) -> str | None:
        """What its answer tells of beside levels: a reservation or a transfer."""
        about = self.name.partition(".")[0]
        return about if about in STEPS else None

    @property
    def key(self) -> str:
        """The Idempotency-Key. Whoever would send the same by HTTP can make it as well.

        >>> attributes = {"id": "4711", "source": "/shop", "type": "stockwire.command.movement.v1"}
        >>> parse(attributes, {"lines": []}).key[:20]
        'ce-6808628d249e74393'
        """
        return "ce-" + hashlib.sha256(f"{self.source}\n{self.id}".encode()).hexdigest()


def parse(attributes: Attributes, data: object) -> Command:
    """Of a CloudEvent. Raises Unreadable."""
    id_, source = _attribute(attributes, "id"), _attribute(attributes, "source")
    name = _name(_attribute(attributes, "type"))
    correlation = _attribute(attributes, "correlationid") if "correlationid" in attributes else None
    if not isinstance(data, dict):
        raise Unreadable("data", "is no JSON object")
    thing, method, path, body = _request(name, data)
    try:
        written = orjson.dumps(body)
    except orjson.JSONEncodeError:  # it reads 1,024 levels and writes 254
        raise Unreadable("data", "is nested too deep") from None
    return Command(id_, source, correlation, name, thing, data, method, path, written, attributes.get("replyto"))


def _attribute(attributes: Attributes, name: str) -> str:
    value = attributes.get(name, "")
    if not 0 < len(value) <= ATTRIBUTE_CHARACTERS_MAX or _CONTROL.search(value):
        raise Unreadable(name, f"must be 1 to {ATTRIBUTE_CHARACTERS_MAX:,} characters, none that controls")
    return value


def _name(type_: str) -> str:
    name = type_.removeprefix(PREFIX).removesuffix(SUFFIX)
    if name not in NAMES or type_ != f"{PREFIX}{name}{SUFFIX}":
        raise Unreadable("type", f"is none that is known; one is {PREFIX}{MOVEMENT}{SUFFIX}")
    return name


def _request(name: str, data: Mapping[str, Any]) -> tuple[str | None, str, str, Mapping[str, Any]]:
    """The thing that it is about, method, path, body."""
    if name == COUNT:
        location, sku = _text(data, "location"), _text(data, "sku")
        body = {field: value for field, value in data.items() if field not in ("location", "sku")}
        return None, "PUT", f"/v1/levels/{_quoted(location)}/{_quoted(sku)}", body
    thing, _, step = name.partition(".")
    if not step:
        return None, "POST", f"/v1/{thing}s", data
    id_ = _text(data, thing)
    if not UUID.fullmatch(id_):
        raise Unreadable(f"data.{thing}", "must be the id that the answer to its beginning has, a UUID")
    body = {field: value for field, value in data.items() if field != thing}
    return id_.lower(), "POST", f"/v1/{thing}s/{id_.lower()}/{step}", body


def _text(data: Mapping[str, Any], field: str) -> str:
    """Bounded, as it becomes part of a path: HTTP clients raise errors of their own where that is too long."""
    value = data.get(field)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"data.{field}", "is missing, or no text")
    if len(value) > NAME_CHARACTERS_MAX:
        raise Unreadable(f"data.{field}", f"has {len(value):,} characters, and {NAME_CHARACTERS_MAX} are the most")
    return value


def _quoted(name: str) -> str:
    """``.`` and ``..`` are good names, but HTTP clients resolve them away, to another path."""
    try:
        return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")
    except UnicodeEncodeError:
        raise Unreadable("data", "has a name with half of a surrogate pair") from None
