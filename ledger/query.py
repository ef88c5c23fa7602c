"""Query parameters, read strictly: what is misspelt or out of range is refused, never silently ignored."""

import re
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.requests import Request

from ledger.errors import Invalid
from server.http.level_cursor import CURSOR_REASON
from wire.names import NAME_PATTERN, NAME_REASON

PAGE_DEFAULT = 100
PAGE_MAX = 1000
"""Rows of one answer: about 400 KB of events."""
CURSOR_CHARACTERS_MAX = 256

_NAME = re.compile(NAME_PATTERN)
# Every name that may be stored, such as one with a joiner between two emoji, and nothing that PostgreSQL refuses.
_CURSOR = re.compile(rf"[^\x00-\x20\x7f-\xa0\ud800-\udfff]{{0,{CURSOR_CHARACTERS_MAX}}}\Z")
_INTEGER = re.compile(r"[0-9]{1,19}\Z")
_NUMBER = re.compile(r"[0-9]{1,19}(\.[0-9]{1,32})?([eE][+-]?[0-9]{1,3})?\Z")  # as JSON writes them, 0 or above


class Query:
    """The parameters of one request; ``names`` are those that the route has. Raises Invalid (400) throughout."""

    def __init__(self, request: Request, *names: str) -> None:
        query_string = request.scope["query_string"]
        self._values: dict[str, str] = _parse(query_string) if query_string else {}
        for name in self._values:
            if name not in names:
                raise Invalid(name[:64] or "query", "is not a parameter here", 400)

    def integer(self, name: str, default: int | None = None, *, low: int = 0, high: int = 2**63 - 1) -> int:
        text = self._values.get(name)
        if text is None:
            if default is None:
                raise Invalid(name, "is required", 400)
            return default
        if not _INTEGER.match(text) or not low <= int(text) <= high:
            raise Invalid(name, f"must be a whole number from {low} to {high}", 400)
        return int(text)

    def seconds(self, name: str, *, high: float) -> float:
        text = self._values.get(name, "0")
        if not _NUMBER.match(text) or float(text) > high:
            raise Invalid(name, f"must be a number of seconds from 0 to {high:g}", 400)
        return float(text)

    def limit(self) -> int:
        return self.integer("limit", PAGE_DEFAULT, low=1, high=PAGE_MAX)

    def name(self, name: str) -> str | None:
        text = self._values.get(name)
        return None if text is None else check_name(name, text)

    def cursor(self) -> str:
        """The ``next`` of the page before; empty for the first page."""
        text = self._values.get("after", "")
        if not _CURSOR.match(text):
            raise Invalid("after", CURSOR_REASON, 400)
        return text


def _parse(query_string: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("query", "must be UTF-8, percent-encoded", 400) from None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise Invalid(name[:64], "must be given once", 400)
        values[name] = value
    return values


def path_name(request: Request, name: str) -> str:
    """A sku or location in the path. Raises Invalid (400)."""
    raw_path = request.scope.get("raw_path", b"")
    if b"%" in raw_path:
        # The server decodes with replacement characters: two different wrong names would be the same sku.
        try:
            unquote_to_bytes(raw_path).decode()
        except UnicodeDecodeError:
            raise Invalid("path", "must be UTF-8, percent-encoded", 400) from None
    text: str = request.path_params[name]
    return check_name(name, text)


def check_name(field: str, text: str) -> str:
    if not _NAME.match(text):
        raise Invalid(field, NAME_REASON, 400)
    return text
