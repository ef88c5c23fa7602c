"""The Idempotency-Key header, and the fingerprint that tells a retry from a misuse of its key."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec
from starlette.requests import Request

from ledger.commit.line import Line
from ledger.commit.operation import Operation, operation_id
from server.problems import Invalid

HEADER = "Idempotency-Key"
REASON = "must be 1 to 200 visible ASCII characters, bare or in double quotes"

_BARE = re.compile(r"[\x21-\x7e]{1,200}\Z")
_ESCAPED = re.compile(r"\\(.)")


def key_of(request: Request) -> str:
    """The key, without quotes: a key may be sent quoted at one time and bare at another. Raises Invalid (400)."""
    values = request.headers.getlist(HEADER)
    if len(values) != 1:
        raise Invalid(HEADER, "is required" if not values else "must be given once", 400)
    key = parse_key(values[0])
    if key is None:
        raise Invalid(HEADER, REASON, 400)
    return key


def parse_key(value: str) -> str | None:
    """A quoted key is a string of RFC 9651: backslashes escape quotes and themselves."""
    if value.startswith('"'):
        if not re.fullmatch(r'"(?:[^"\\]|\\["\\])*"', value):
            return None
        value = _ESCAPED.sub(r"\1", value[1:-1])
    return value if _BARE.match(value) else None


def request_hash(kind: str, lines: Sequence[Line]) -> bytes:
    """SHA-256 of what was asked. However it was written: one line alone, or as a list of one, is the same request.

    ``kind``: the route. Shards are left out, they follow from the locations.
    """
    asked = [
        (
            line.sku,
            line.location,
            line.kind,
            line.quantity,
            line.expected_version,
            line.precondition,
            line.reason,
            line.reference,
            line.occurred_at and line.occurred_at.astimezone(UTC),
        )
        for line in lines
    ]
    return hash_of(kind, asked)


def hash_of(kind: str, asked: Any) -> bytes:
    """SHA-256 of what was asked. ``kind``: the route, and what it is about."""
    return hashlib.sha256(msgspec.json.encode((kind, asked))).digest()


def operation_of(owner: str, key: str, kind: str, lines: tuple[Line, ...]) -> Operation:
    return Operation(operation_id(owner, key), owner, key, request_hash(kind, lines), lines)
