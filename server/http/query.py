"""Path and query parameters, read strictly: what is misspelt or out of range is refused, never silently ignored."""

import re
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.requests import Request

from server.http.level_cursor import CURSOR_REASON, split_level_cursor
from server.problems import Invalid
from wire.names import NAME_PATTERN, NAME_REASON

PAGE_DEFAULT = 100
PAGE_MAX = 1000
"""Rows of one answer: about 400 KB of events."""
CURSOR_CHARACTERS_MAX = 256
NAME_SHOWN_MAX = 64
"""The caller chose the name of an unknown parameter: an error does not echo a long one."""

_NAME = re.compile(NAME_PATTERN)
# Every name that may be stored, such as one with a joiner between two emoji, and nothing that PostgreSQL refuses.
_CURSOR = re.compile(rf"[^\x00-\x20\x7f-\xa0\ud800-\udfff]{{0,{CURSOR_CHARACTERS_MAX}}}\Z")
_INTEGER = re.compile(r"[0-9]{1,19}\Z")
_NUMBER = re.compile(r"[0-9]{1,19}(\.[0-9]{1,32})?([eE][+-]?[0-9]{1,3})?\Z")  # as JSON writes them, 0 or above


class Query:
    """The parameters of one request; ``names`` are those that the route has. Raises Invalid (400) throughout.

    ``repeated``: the one of ``names`` that may be given several times.
    """

    def __init__(self, request: Request, *names: str, repeated: str = "") -> None:
        query_string = request.scope["query_string"]
        self._values: dict[str, list[str]] = _parse(query_string) if query_string else {}
        for name, values in self._values.items():
            if name not in names:
                raise Invalid(name[:NAME_SHOWN_MAX] or "query", "is not a parameter here", 400)
            if name != repeated and len(values) > 1:
                raise Invalid(name[:NAME_SHOWN_MAX], "must be given once", 400)

    def text(self, name: str) -> str | None:
        """As it was given; None if it was not."""
        values = self._values.get(name)
        return None if values is None else values[0]

    def integer(self, name: str, default: int | None = None, *, low: int = 0, high: int = 2**63 - 1) -> int:
        text = self.text(name)
        if text is None:
            if default is None:
                raise Invalid(name, "is required", 400)
            return default
        if not _INTEGER.match(text) or not low <= int(text) <= high:
            raise Invalid(name, f"must be a whole number from {low} to {high}", 400)
        return int(text)

    def seconds(self, name: str, *, high: float) -> float:
        text = self.text(name)
        text = "0" if text is None else text
        if not _NUMBER.match(text) or float(text) > high:
            raise Invalid(name, f"must be a number of seconds from 0 to {high:.0f}", 400)
        return float(text)

    def share(self, name: str) -> float | None:
        """Above 0, and 1 at most; None if it was not given."""
        text = self.text(name)
        if text is None:
            return None
        if not _NUMBER.match(text) or not 0 < float(text) <= 1:
            raise Invalid(name, "must be a number above 0, and 1 at most: 0.2 for a fifth", 400)
        return float(text)

    def limit(self, most: int = PAGE_MAX) -> int:
        return self.integer("limit", PAGE_DEFAULT, low=1, high=most)

    def name(self, name: str) -> str | None:
        text = self.text(name)
        return None if text is None else check_name(name, text)

    def names(self, name: str) -> list[str]:
        """Of the parameter that may be repeated."""
        return [check_name(name, text) for text in self._values.get(name, ())]

    def cursor(self) -> str:
        """The ``next`` of the page before; empty for the first page."""
        text = self.text("after") or ""
        if not _CURSOR.match(text):
            raise Invalid("after", CURSOR_REASON, 400)
        return text

    def level_cursor(self) -> tuple[str, str]:
        """The (sku, location) that the page of levels before ended with."""
        after = split_level_cursor(self.text("after") or "")
        if after is None:
            raise Invalid("after", CURSOR_REASON, 400)
        return after


def _parse(query_string: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("query", "must be UTF-8, percent-encoded", 400) from None
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
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


def check_name(field: str, text: str, status: int = 400) -> str:
    if not _NAME.match(text):
        raise Invalid(field, NAME_REASON, status)
    return text
