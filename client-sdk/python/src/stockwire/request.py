"""HTTP requests of API v1, built without sending anything: the async and the sync client send the same ones.

Every request in here may be sent again unchanged: reads and PUTs of items and locations by nature, what moves stock
because it carries an Idempotency-Key.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import orjson

from stockwire import argument
from stockwire.errors import Invalid
from stockwire.operation import Count, Line, Operation

LIST_MAX = 1_000
"""Levels of one query, and items or locations of one list."""
QUERY_BYTES_MAX = 200 * 2**10
"""Below the 256 KiB that a ledger takes by default: 1,000 names may be twice as much."""
LIST_BYTES_MAX = 1_600 * 2**10
"""Below the 2 MiB that a ledger takes of a list by default; 1,000 items may be more."""
OPERATIONS_PER_REQUEST_MAX = 1_000
"""Operations, and lines of all of them together."""
CONNECT_TIMEOUT_S = 5.0
"""A ledger that is there takes a connection within milliseconds; a try is this long longer than its answer may take."""
CONNECTIONS_MAX = 100
"""Calls at once to one ledger: beyond, calls wait for one another."""
PAGE_SIZE = 500
"""Things per page of a listing: large enough to be few round trips, small enough to answer at once."""

_OPERATIONS = "/v1/operations"
INVISIBLE = (
    r"\xad\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufffb"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    r"\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159"
    r"\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
"""Leave no mark where they stand alone: formatting, fillers, and accents without a letter."""
NAMES_REMEMBERED = 8_192
"""An import of 100,000 lines names the same skus again and again, and one location."""
_NAME = re.compile(rf"(?![{INVISIBLE}]+\Z)[^\s/*\x00-\x20\x7f-\xa0\ud800-\udfff]{{1,64}}\Z")
_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` begins with /v1 and is percent-encoded. ``key``: the Idempotency-Key, None where none is needed."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    key: str | None = None

    @property
    def writes(self) -> bool:
        return self.key is not None or self.method == "PUT" or self.path == _OPERATIONS

    def headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        return headers


def client_headers(key: str | None) -> dict[str, str]:
    """What every request of a client carries. ``key``: its API key or token."""
    headers = {"User-Agent": "stockwire-python"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return headers


def is_name(value: str) -> bool:
    """Whether this can be a sku or a location: 1 to 64 visible characters without ``/`` and ``*``.

    What leaves no mark by itself, such as a joiner between emoji, is good beside what does.
    """
    return _is_name(value)


@lru_cache(NAMES_REMEMBERED)
def _is_name(value: str) -> bool:
    return _NAME.match(value) is not None


def operation(lines: Sequence[Line], key: str | None) -> Request:
    """One atomic operation. Raises Invalid where the ledger would, for names and keys."""
    _check_lines(lines)
    body = orjson.dumps({"lines": [line.body() for line in lines]})
    return Request("POST", "/v1/movements", body=body, key=idempotency_key(key))


def operations(batch: Sequence[Operation]) -> Iterator[tuple[Request, Sequence[Operation]]]:
    """In their order, each request within all bounds, with the operations in it. Raises Invalid as `operation`."""
    chunk: list[bytes] = []
    lines, size, begin = 0, 0, 0
    for index, one in enumerate(batch):
        encoded = _encoded(one)
        own_lines = 1 if isinstance(one.asked, Count) else len(one.asked)
        over_lines = lines + own_lines > OPERATIONS_PER_REQUEST_MAX
        if chunk and (over_lines or size + len(encoded) > LIST_BYTES_MAX):
            yield _many("operations", "operations", chunk), batch[begin:index]
            chunk, lines, size, begin = [], 0, 0, index
        chunk.append(encoded)
        lines += own_lines
        size += len(encoded) + len(b",")
    if chunk:
        yield _many("operations", "operations", chunk), batch[begin:]


def outcomes(keys: Sequence[str]) -> Iterator[Request]:
    """What became of the operations with these keys, as many as you like. Raises Invalid for what is no key."""
    for begin in range(0, len(keys), OPERATIONS_PER_REQUEST_MAX):
        chunk = [
            orjson.dumps(idempotency_key(argument.text("keys", key)))
            for key in keys[begin : begin + OPERATIONS_PER_REQUEST_MAX]
        ]
        yield _many("operations/query", "keys", chunk)


def count(
    sku: str,
    location: str,
    on_hand: int,
    if_version: int | None,
    key: str | None,
    reference: str | None = None,
    reason: str | None = None,
) -> Request:
    counted = Count(sku, location, on_hand, if_version, reference, reason)
    said = {name: value for name, value in (("reference", reference), ("reason", reason)) if value is not None}
    body = orjson.dumps({"on_hand": counted.on_hand, "expected_version": counted.if_version, **said})
    return Request("PUT", _level_path(sku, location), body=body, key=idempotency_key(key))


def level(sku: str, location: str) -> Request:
    return Request("GET", _level_path(sku, location))


def history(sku: str, location: str, after: str | None) -> Request:
    return Request("GET", f"{_level_path(sku, location)}/events", page_of(after))


def levels(location: str | None, after: str | None) -> Request:
    query = page_of(after)
    if location is not None:
        query["location"] = name_of("location", location)
    return Request("GET", "/v1/levels", query)


def levels_of(keys: Sequence[tuple[str, str]]) -> Iterator[Request]:
    """``keys``: (location, sku), as many as you like. In their order, each request within both bounds."""
    for chunk in _chunks([orjson.dumps(_pair(number, key)) for number, key in enumerate(keys)], QUERY_BYTES_MAX):
        yield Request("POST", "/v1/levels/query", body=b'{"keys":[' + b",".join(chunk) + b"]}")


def _pair(number: int, key: object) -> tuple[str, str]:
    pair = argument.several(f"keys[{number}]", key)
    if len(pair) != 2:
        raise Invalid(f"keys[{number}]", f"{len(pair)} names: each is a (location, sku)")
    return name_of(f"keys[{number}].location", pair[0]), name_of(f"keys[{number}].sku", pair[1])


def _chunks(encoded: Sequence[bytes], bytes_max: int) -> Iterator[Sequence[bytes]]:
    """In their order, each within both bounds."""
    begin = size = 0
    for end, one in enumerate(encoded):
        if end > begin and (end - begin == LIST_MAX or size + len(one) >= bytes_max):
            yield encoded[begin:end]
            begin, size = end, 0
        size += len(one) + len(b",")
    if encoded:
        yield encoded[begin:]


def _encoded(operation: Operation) -> bytes:
    idempotency_key(operation.key)
    if isinstance(operation.asked, Count):
        name_of("sku", operation.asked.sku)
        name_of("location", operation.asked.location)
    else:
        _check_lines(operation.asked)
    return orjson.dumps(operation.body())


def _many(path: str, field: str, encoded: Sequence[bytes]) -> Request:
    return Request("POST", f"/v1/{path}", body=b'{"%b":[%b]}' % (field.encode(), b",".join(encoded)))


def thing(collection: str, name: str) -> Request:
    """``collection``: ``items`` or ``locations``."""
    return Request("GET", _thing_path(collection, name))


def things(collection: str, after: str | None) -> Request:
    return Request("GET", f"/v1/{collection}", page_of(after))


def put_thing(collection: str, name: str, fields: Mapping[str, Any]) -> Request:
    """Fields that are None are left out."""
    body = orjson.dumps({field: value for field, value in fields.items() if value is not None})
    return Request("PUT", _thing_path(collection, name), body=body)


def put_things(
    collection: str, things: Sequence[Mapping[str, Any]], keep_existing: bool
) -> Iterator[tuple[int, Request]]:
    """As many requests as their number needs, each with the number of its first thing. Raises Invalid."""
    field = collection[:-1] if collection == "locations" else "sku"
    numbers: dict[str, int] = {}
    for number, thing in enumerate(things):
        name = name_of(f"{collection}[{number}].{field}", thing[field])
        if (earlier := numbers.setdefault(name, number)) != number:
            raise Invalid(f"{collection}[{number}].{field}", f"is that of {collection}[{earlier}] too")
    first = 0
    mode = b',"existing":"keep"}' if keep_existing else b"}"
    for chunk in _chunks([orjson.dumps(thing) for thing in things], LIST_BYTES_MAX):
        yield (
            first,
            Request("PUT", f"/v1/{collection}", body=b'{"%s":[%s]%s' % (collection.encode(), b",".join(chunk), mode)),
        )
        first += len(chunk)


def discovery() -> Request:
    return Request("GET", "/v1/discovery")


def _level_path(sku: str, location: str) -> str:
    return f"/v1/levels/{_segment('location', location)}/{_segment('sku', sku)}"


def _thing_path(collection: str, name: str) -> str:
    return f"/v1/{collection}/{_segment('location' if collection == 'locations' else 'sku', name)}"


def _segment(field: str, value: str) -> str:
    encoded = quote(name_of(field, value), safe="")
    # "." and ".." are good names, but HTTP clients and proxies resolve them away
    return encoded.replace(".", "%2E") if value in (".", "..") else encoded


def _check_lines(lines: Sequence[Line]) -> None:
    if not lines:
        raise Invalid("lines", "an operation has at least one line")
    for line in lines:  # its names are texts: a Line takes nothing else
        if not (is_name(line.sku) and is_name(line.location)):
            name_of("sku", line.sku)
            name_of("location", line.location)


def name_of(field: str, value: str) -> str:
    if not is_name(argument.text(field, value)):
        raise Invalid(field, f"{value!r} is not 1 to 64 visible characters without / and *")
    return value


def idempotency_key(key: str | None) -> str:
    """The caller's key, or a new one: made once per call, so that every retry of the call carries the same."""
    if key is None:
        return str(uuid.uuid4())
    if not _KEY.match(argument.text("key", key)) or key.startswith('"'):
        raise Invalid("key", "an idempotency key is 1 to 200 visible ASCII characters, not beginning with a quote")
    return key


def page_of(after: str | None) -> dict[str, str]:
    query = {"limit": str(PAGE_SIZE)}
    if after is not None:
        query["after"] = after
    return query
