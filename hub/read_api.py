"""The read port: levels over HTTP from this hub's memory, saying how fresh they are, and as an event stream.

Every answer has ``fresh`` and ``lag_ms`` in its body and as headers ``Stockwire-Fresh`` and ``Stockwire-Lag-Ms``: see
the heartbeat in docs/reference/protocol.md. Who needs the exact level asks the ledger.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hub.access import Access
from hub.body import BodyLimits
from hub.door import Door, Visitor
from hub.errors import Unauthorized
from hub.event_stream import EventStreams
from hub.feed import Feed
from hub.hosts import AllowedHosts
from hub.problems import RETRY_AFTER_S, Problem, Problems
from hub.reads import Reads
from wire.messages import NAME_PATTERN, Name, Position, Subscribe, encode
from wire.scopes import allows
from wire.tokens import Principal

PAGE_DEFAULT, PAGE_MAX = 100, 1_000
KEYS_MAX = 1_000

_name = re.compile(NAME_PATTERN)


class Keys(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[tuple[Name, Name]]


_keys_decoder = msgspec.json.Decoder(Keys)
_position_decoder = msgspec.json.Decoder(Position)


def create_app(
    reads: Reads,
    streams: EventStreams,
    feed: Feed,
    access: Access,
    door: Door,
    problems: Problems,
    origins: tuple[str, ...],
    hosts: tuple[str, ...],
) -> Starlette:
    api = ReadApi(reads, streams, feed, access, door)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "Last-Event-ID"],
        expose_headers=["ETag", "Retry-After", "Stockwire-Fresh", "Stockwire-Lag-Ms"],
        max_age=600,
    )
    routes = [
        Route("/v1/levels", api.page, methods=["GET"]),
        Route("/v1/levels/query", api.query, methods=["POST"]),
        Route("/v1/levels/stream", api.stream, methods=["GET"]),
        Route("/v1/levels/{location}/{sku}", api.one, methods=["GET"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(BodyLimits), Middleware(AllowedHosts, hosts, problems), cors])
    app.router.redirect_slashes = False  # a redirect would be built from the Host header: whoever sends it
    problems.install(app)
    return app


class ReadApi:
    def __init__(self, reads: Reads, streams: EventStreams, feed: Feed, access: Access, door: Door) -> None:
        self._reads = reads
        self._streams = streams
        self._feed = feed
        self._access = access
        self._door = door

    async def one(self, request: Request) -> Response:
        """GET /v1/levels/{location}/{sku}"""
        principal = await self._principal(request)
        _no_more(request)
        location, sku = (_checked(name, request.path_params[name]) for name in ("location", "sku"))
        _require(principal, location)
        with self._place(principal):
            level = (await self._reads.levels([(location, sku)]))[0]
        etag = f'W/"{level.version}"'
        if etag.removeprefix("W/") in request.headers.get("If-None-Match", "").replace("W/", "").split(", "):
            return Response(status_code=304, headers={"ETag": etag, **self._freshness_headers()})
        return self._answer(msgspec.to_builtins(level), {"ETag": etag})

    async def page(self, request: Request) -> Response:
        """GET /v1/levels?location=&after=&limit="""
        principal = await self._principal(request)
        _no_more(request, "location", "after", "limit")
        location = request.query_params.get("location")
        if location is not None:
            _checked("location", location)
        _require(principal, location or "*")
        limit = _limit(request.query_params.get("limit"))
        after = _after(request.query_params.get("after"))
        with self._place(principal):
            levels = await self._reads.page(location, after, limit + 1)
        following = None
        if len(levels) > limit:
            levels = levels[:limit]
            key = encode([levels[-1].location, levels[-1].sku])
            following = base64.urlsafe_b64encode(key).decode().rstrip("=")
        return self._answer({"levels": msgspec.to_builtins(levels), "next": following, **self._position()})

    async def query(self, request: Request) -> Response:
        """POST /v1/levels/query"""
        principal = await self._principal(request)
        _no_more(request)
        with self._place(principal):
            try:
                keys = _keys(await request.body())
            except ClientDisconnect:
                raise _invalid("body", "ended early", 400) from None
            for location in dict.fromkeys(location for location, _ in keys):
                _require(principal, location)
            levels = await self._reads.levels(keys)
        return self._answer({"levels": msgspec.to_builtins(levels), **self._position()})

    async def stream(self, request: Request) -> Response:
        """GET /v1/levels/stream?location=&sku=&sku=: the messages of the stream protocol as Server-Sent Events."""
        self._streams.knock()
        principal = await self._principal(request)
        _no_more(request, "location", "sku", "since", repeated="sku")
        location = request.query_params.get("location", "")
        if location != "*":
            _checked("location", location, 422)
        _require(principal, location)
        skus = [_checked("sku", sku) for sku in request.query_params.getlist("sku")]
        subscribe = Subscribe(1, location, skus or None, _since(request))
        visitor = Visitor()
        try:
            self._locate(visitor, request)
            self._door.known(visitor, principal.owner)
            return self._streams.response(self._reads.fanout(), principal, subscribe, visitor)
        except BaseException:
            self._door.leave(visitor)
            raise

    def _answer(self, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
        body = encode({**content, "fresh": self._feed.fresh, "lag_ms": self._feed.lag_ms})
        headers = {**(headers or {}), **self._freshness_headers(), "Cache-Control": "no-cache"}
        return Response(body, headers=headers, media_type="application/json")

    def _freshness_headers(self) -> dict[str, str]:
        return {"Stockwire-Fresh": str(self._feed.fresh).lower(), "Stockwire-Lag-Ms": str(self._feed.lag_ms)}

    def _position(self) -> dict[str, Any]:
        """Up to where this hub had applied every event when it answered."""
        shards = self._reads.fanout().shards
        return {"epoch": shards.epoch, "seq": shards.applied()}

    @contextmanager
    def _place(self, principal: Principal) -> Iterator[None]:
        """A read may wait for the ledger for seconds: meanwhile it counts as a connection. Raises Crowded."""
        visitor = Visitor()
        self._door.known(visitor, principal.owner)
        try:
            yield
        finally:
            self._door.leave(visitor)

    def _locate(self, visitor: Visitor, request: Request) -> None:
        peer = request.client.host if request.client else ""
        if not self._door.located(visitor, peer, request.headers.getlist("X-Forwarded-For")):
            detail = "this address has as many connections to this hub as it may"
            raise Problem("rate-limited", detail, retry_after_s=RETRY_AFTER_S)

    async def _principal(self, request: Request) -> Principal:
        values = request.headers.getlist("Authorization")
        scheme, _, token = (values[0] if len(values) == 1 else "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorized("this needs the header Authorization: Bearer <API key or token>")
        return await self._access.principal(token.strip())


def _require(principal: Principal, location: str) -> None:
    """The same answer whether or not the location exists."""
    scope = f"stock:read:{location}"
    if not allows(principal.scopes, scope):
        raise Problem("forbidden", f"this needs the scope {scope}", scope=scope)


def _invalid(field: str, reason: str, status: int = 422) -> Problem:
    return Problem("invalid", f"{field}: {reason}", status, field=field, reason=reason)


def _checked(field: str, text: str, status: int = 400) -> str:
    if not _name.match(text):
        raise _invalid(field, "must be 1 to 64 visible characters without / and *", status)
    return text


def _require_utf8(field: str, text: bytes) -> None:
    """The server decodes with replacement characters: two different wrong names would be the same sku."""
    try:
        unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise _invalid(field, "must be UTF-8, percent-encoded", 400) from None


def _no_more(request: Request, *names: str, repeated: str = "") -> None:
    """A misspelt parameter must not be ignored silently, nor a wrong name be taken for another."""
    _require_utf8("path", request.scope.get("raw_path", b""))
    _require_utf8("query", request.scope["query_string"])
    for name in request.query_params:
        if name not in names:
            raise _invalid(name[:64], "is not a parameter here", 400)
        if name != repeated and len(request.query_params.getlist(name)) > 1:
            raise _invalid(name, "must be given once", 400)


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE_DEFAULT
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= PAGE_MAX:
        raise _invalid("limit", f"must be a whole number from 1 to {PAGE_MAX}", 400)
    return int(text)


def _after(text: str | None) -> tuple[str, str]:
    if not text:
        return ("", "")
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(decoded, type=tuple[str, str])
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise _invalid("after", "must be the `next` of another page", 400) from None


def _since(request: Request) -> Position | None:
    """The header is what an EventSource sends by itself, and newer than the address that it was opened with."""
    for field, text in (
        ("Last-Event-ID", request.headers.get("Last-Event-ID")),
        ("since", request.query_params.get("since")),
    ):
        if text:
            try:
                return _position_decoder.decode(text)
            except (msgspec.MsgspecError, RecursionError) as error:
                raise _invalid(field, f"must be a position as it was given: {error}", 400) from None
    return None


def _keys(body: bytes) -> list[tuple[str, str]]:
    try:
        keys = _keys_decoder.decode(body).keys
    except msgspec.ValidationError as error:
        raise _invalid("keys", str(error)) from None
    except (msgspec.DecodeError, RecursionError):
        raise _invalid("body", "is no JSON", 400) from None
    if len(keys) > KEYS_MAX:
        raise _invalid("keys", f"at most {KEYS_MAX}")
    return keys
