"""Path and query parameters of the read port, read strictly: what is misspelt or out of range is refused."""

import re
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from hub.errors import Unauthorized
from hub.problems import Problem
from server.http.level_cursor import CURSOR_REASON, split_level_cursor
from server.tokens.bearer import BEARER_WANTED, credential_of
from wire.names import NAME_PATTERN, NAME_REASON

PAGE_DEFAULT, PAGE_MAX = 100, 1_000

_name = re.compile(NAME_PATTERN)


def invalid(field: str, reason: str, status: int = 422) -> Problem:
    return Problem("invalid", f"{field}: {reason}", status, field=field, reason=reason)


def checked(field: str, text: str, status: int = 400) -> str:
    if not _name.match(text):
        raise invalid(field, NAME_REASON, status)
    return text


def _require_utf8(field: str, text: bytes) -> None:
    """The server decodes with replacement characters: two different wrong names would be the same sku."""
    try:
        unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise invalid(field, "must be UTF-8, percent-encoded", 400) from None


def no_more(request: Request, *names: str, repeated: str = "") -> None:
    """A misspelt parameter must not be ignored silently, nor a wrong name be taken for another."""
    _require_utf8("path", request.scope.get("raw_path", b""))
    _require_utf8("query", request.scope["query_string"])
    for name in request.query_params:
        if name not in names:
            raise invalid(name[:64] or "query", "is not a parameter here", 400)
        if name != repeated and len(request.query_params.getlist(name)) > 1:
            raise invalid(name[:64], "must be given once", 400)


def limit_of(request: Request) -> int:
    return integer_of(request, "limit", PAGE_DEFAULT, low=1, high=PAGE_MAX)


def integer_of(request: Request, name: str, default: int, *, low: int = 0, high: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,19}", text) or not low <= int(text) <= high:
        raise invalid(name, f"must be a whole number from {low} to {high}", 400)
    return int(text)


def after_of(request: Request) -> tuple[str, str]:
    """The (sku, location) that the page before ended with."""
    after = split_level_cursor(request.query_params.get("after", ""))
    if after is None:
        raise invalid("after", CURSOR_REASON, 400)
    return after


def holds(request: Request, etag: str) -> bool:
    """RFC 9110, 13.1.2: a weak comparison with each entity tag that the reader has."""
    tags = [tag.strip() for value in request.headers.getlist("If-None-Match") for tag in value.split(",")]
    return any(tag == "*" or tag.removeprefix("W/") == etag.removeprefix("W/") for tag in tags)


def bearer_of(request: Request) -> str:
    """Raises Unauthorized."""
    credential = credential_of(request.headers)
    if credential is None:
        raise Unauthorized(BEARER_WANTED)
    return credential
