"""The read port: levels over HTTP from this hub's memory, saying how fresh they are, and as an event stream.

Every answer has ``fresh`` and ``lag_ms`` in its body and as headers ``Stockwire-Fresh`` and ``Stockwire-Lag-Ms``: see
the heartbeat in docs/reference/protocol.md. A client that needs the exact level asks the ledger.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.entry.door import Caller
from hub.errors import HubError
from hub.reads import event_stream
from hub.reads.availability_api import AvailabilityApi
from hub.reads.badge_script import PATH as BADGE
from hub.reads.badge_script import BadgeScript
from hub.reads.discovery import Discovery
from hub.reads.origins import Origins
from hub.reads.problems import problem_of
from hub.reads.read_parts import ReadParts
from server.http.body import decoded
from server.http.body_limits import BodyLimits
from server.http.etags import holds
from server.http.hosts import AllowedHosts
from server.http.level_cursor import level_cursor
from server.http.query import Query, check_name, path_name
from server.http.rate_headers import RateHeaders
from server.http.request_times import Timed
from server.http.route_templates import RouteTemplates
from server.problems import Forbidden, Invalid, Misdirected
from wire.messages import UNITS_MAX, Name, Position, Subscribe, When, encode
from wire.scopes import PUBLIC, READ, allows
from wire.shards import shard_of
from wire.tokens import Principal

KEYS_MAX = 1_000
BODY_BYTES_MAX = 256 * 1_024
FRONT = {
    "name": "Stockwire hub",
    "version": "1",
    "docs": "GET /docs on the ledger, and docs/reference/http.md",
    "paths": ["/v1/levels", "/v1/levels/query", "/v1/levels/stream", "/v1/availability", "/v1/discovery", BADGE],
}


class Keys(msgspec.Struct, forbid_unknown_fields=True):
    keys: Annotated[list[tuple[Name, Name]], Meta(max_length=KEYS_MAX)]


_keys_decoder = msgspec.json.Decoder(Keys)
_position_decoder = msgspec.json.Decoder(Position)


def create_app(parts: ReadParts) -> Starlette:
    api = ReadApi(parts)
    availability = AvailabilityApi(parts)
    cors = Middleware(
        Origins,
        allow_origins=list(parts.origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "Last-Event-ID", "traceparent"],
        expose_headers=["ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "Stockwire-Fresh", "Stockwire-Lag-Ms"],
        max_age=600,
    )
    routes = [
        Route("/", front, methods=["GET"]),
        Route("/v1/levels", api.page, methods=["GET"]),
        Route("/v1/levels/query", api.query, methods=["POST"]),
        Route("/v1/levels/stream", api.stream, methods=["GET"]),
        Route("/v1/levels/{location}/{sku}", api.one, methods=["GET"]),
        Route("/v1/availability", availability.page, methods=["GET"]),
        Route("/v1/availability/{location}/{sku}", availability.one, methods=["GET"]),
        Route("/v1/discovery", Discovery(parts.ledger, parts.readers).discover, methods=["GET"]),
        Route(BADGE, BadgeScript(parts.readers).answer, methods=["GET"]),
    ]
    middleware = [
        Middleware(Timed, parts.request_times, RouteTemplates(routes)),
        Middleware(BodyLimits, lambda _: BODY_BYTES_MAX),
        Middleware(AllowedHosts, parts.allowed_hosts, lambda host: parts.problems.answer_to(Misdirected(host))),
        Middleware(RateHeaders, parts.readers.owners),
        cors,
        Middleware(ServerErrorMiddleware, parts.problems.of_defect),  # its own answers within the headers of all others
    ]
    app = Starlette(routes=routes, middleware=middleware)
    app.router.redirect_slashes = False  # a redirect would be built from the Host header: whoever sends it
    parts.problems.install(app)

    async def hub_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, HubError)
        return parts.problems.answer_to(problem_of(error))

    app.add_exception_handler(HubError, hub_error)
    return app


class ReadApi:
    """Levels as numbers, for those who may read them."""

    def __init__(self, parts: ReadParts) -> None:
        self._reads = parts.reads
        self._streams = parts.streams
        self._feed = parts.feed
        self._readers = parts.readers
        self._door = parts.door

    async def one(self, request: Request) -> Response:
        """GET /v1/levels/{location}/{sku}"""
        principal = await self._readers.principal(request)
        Query(request)
        location, sku = path_name(request, "location"), path_name(request, "sku")
        _require(principal, location)
        with self._door.place(principal.owner):
            level = (await self._reads.levels([(location, sku)]))[0].state
        assert level is not None
        etag = f'W/"{level.version}"'
        if holds(request, etag):
            return Response(status_code=304, headers={"ETag": etag, **self._freshness_headers()})
        return self._answer(msgspec.to_builtins(level), {"ETag": etag})

    async def page(self, request: Request) -> Response:
        """GET /v1/levels?location=&after=&limit="""
        principal = await self._readers.principal(request)
        query = Query(request, "location", "after", "limit")
        location, limit, after = query.name("location"), query.limit(), query.level_cursor()
        _require(principal, location or "*")
        with self._door.place(principal.owner):
            held = await self._reads.page(location, after, limit + 1)
        following = level_cursor(held[limit - 1].sku, held[limit - 1].location) if len(held) > limit else None
        levels = [one.state for one in held[:limit]]
        position = self._position(None if location is None else [location])
        return self._answer({"levels": msgspec.to_builtins(levels), "next": following, **position})

    async def query(self, request: Request) -> Response:
        """POST /v1/levels/query"""
        principal = await self._readers.principal(request)
        Query(request)
        with self._door.place(principal.owner):
            keys = decoded(_keys_decoder, await request.body()).keys
            locations = list(dict.fromkeys(location for location, _ in keys))
            for location in locations:
                _require(principal, location)
            levels = [held.state for held in await self._reads.levels(keys)]
        return self._answer({"levels": msgspec.to_builtins(levels), **self._position(locations)})

    async def stream(self, request: Request) -> Response:
        """GET /v1/levels/stream?location=&sku=&sku=: the messages of the stream protocol as Server-Sent Events."""
        address = self._readers.visits_from(request)
        if address is None:
            self._streams.knock(keyed="Authorization" in request.headers)
            principal = await self._readers.principal(request)
        else:
            principal = self._door.visitors.principal
        query = Query(request, "location", "sku", "since", "view", "at_most", "at_least", "until", repeated="sku")
        location = query.text("location") or ""
        if location != "*":
            check_name("location", location, 422)
        view = _view(query)
        _require(principal, location, PUBLIC if view else READ)
        skus = query.names("sku")
        since, when = _since(request, query), _when(query)
        if request.method == "HEAD":
            return event_stream.head()
        subscribe = Subscribe(1, location, skus or None, since, view, when)
        caller = Caller()
        try:
            self._readers.locate(caller, request)
            if address is None:
                self._door.known(caller, principal.owner)
            else:
                self._streams.visits(caller, address)
            return self._streams.response(self._reads.fanout(), principal, subscribe, caller)
        except BaseException:
            self._door.leave(caller)
            raise

    def _answer(self, content: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
        body = encode({**content, "fresh": self._feed.fresh, "lag_ms": self._feed.lag_ms})
        headers = {**(headers or {}), **self._freshness_headers(), "Cache-Control": "no-cache"}
        return Response(body, headers=headers, media_type="application/json")

    def _freshness_headers(self) -> dict[str, str]:
        return {"Stockwire-Fresh": str(self._feed.fresh).lower(), "Stockwire-Lag-Ms": str(self._feed.lag_ms)}

    def _position(self, locations: Sequence[str] | None) -> dict[str, Any]:
        """Up to where this hub had applied every event when it answered: of the shards of ``locations``, or of all."""
        shards = self._reads.fanout().shards
        applied = shards.applied()
        if locations is not None:
            names = sorted({shard_of(location, len(shards)) for location in locations})
            applied = {str(shard): applied[str(shard)] for shard in names}
        return {"epoch": shards.epoch, "seq": applied}


def _require(principal: Principal, location: str, kind: str = READ) -> None:
    """The same answer whether or not the location exists."""
    scope = f"{kind}{location}"
    if not allows(principal.scopes, scope):
        raise Forbidden(scope)


async def front(_request: Request) -> Response:
    """For a visitor who knows nothing but the address."""
    return Response(encode(FRONT), media_type="application/json")


def _since(request: Request, query: Query) -> Position | None:
    """The header is what an EventSource sends by itself, and newer than the address that it was opened with."""
    for field, text in (
        ("Last-Event-ID", request.headers.get("Last-Event-ID")),
        ("since", query.text("since")),
    ):
        if text:
            try:
                return _position_decoder.decode(text)
            except (msgspec.MsgspecError, RecursionError) as error:
                raise Invalid(field, f"must be a position as it was given: {error}", 400) from None
    return None


def _view(query: Query) -> Literal["public"] | None:
    text = query.text("view")
    if text not in (None, "public"):
        raise Invalid("view", "must be public, or left out for levels", 400)
    return "public" if text else None


def _when(query: Query) -> When | None:
    names = [name for name in ("at_most", "at_least", "until") if query.text(name) is not None]
    return When(**{name: query.integer(name, high=UNITS_MAX) for name in names}) if names else None
