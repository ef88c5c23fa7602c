"""What the public sees of levels, over HTTP: the only reads that a shared cache may keep.

Anybody may read it of the public locations; all who ask without a key share the places of one owner, and a shared
cache may keep what they are answered, and nothing else. Of other locations a client with the scope may. The bodies hold
nothing that changes while the view does not: no seq, no lag, no number.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hub.entry.visitors import ANYBODY
from hub.reads.read_parts import ReadParts
from hub.stock.held import Held
from hub.stock.view_states import view_of
from server.http.etags import holds
from server.http.level_cursor import level_cursor
from server.http.query import Query, path_name
from server.problems import Forbidden, Invalid, Unauthorized
from server.rates.rate_limits import ALLOWANCE
from wire.messages import encode
from wire.scopes import PUBLIC, allows

CACHEABLE = "public, max-age=1, stale-while-revalidate=5, stale-if-error=60"
"""A cache answers with what it was told at most 6 s ago, while no hub answers 61 s ago; a page that hears of a newer
version asks for it by ``version``. No ``s-maxage``: it forbids what the other two allow (RFC 9111, 5.2.2.10)."""
BEHIND = "public, max-age=1, stale-if-error=60"
"""It says itself that it is not fresh. Kept for a second, or all who look would come to a hub that has trouble."""
OWN = "private, no-cache"
OLDER = "no-store"
"""Than what was asked for by its version: must not take its place in a cache."""
VERSION_MAX = 2**53 - 1
SKUS_MAX = 200
"""Of one answer: of long names as many as a request line of 16 KB has room for."""


class AvailabilityApi:
    """Levels as the public sees them."""

    def __init__(self, parts: ReadParts) -> None:
        self._reads = parts.reads
        self._feed = parts.feed
        self._readers = parts.readers
        self._door = parts.door
        self._public = frozenset(parts.public_locations)

    async def one(self, request: Request) -> Response:
        """GET /v1/availability/{location}/{sku}?version="""
        query = Query(request, "version")
        location, sku = path_name(request, "location"), path_name(request, "sku")
        owner = await self._admit(request, location)
        wanted = query.integer("version", 0, high=VERSION_MAX)
        with self._door.place(owner):
            (held,) = await self._selected(location, [sku])
        headers = self._headers(owner, f"{held.view_version}", older=held.view_version < wanted)
        return self._answer(request, headers, lambda: self._view(held))

    async def page(self, request: Request) -> Response:
        """GET /v1/availability?location=&after=&limit= or GET /v1/availability?location=&sku=&sku="""
        query = Query(request, "location", "after", "limit", "sku", repeated="sku")
        location, skus = query.name("location"), query.names("sku")
        if location is None:
            raise Invalid("location", "is required", 400)
        limit, after = query.limit(), query.level_cursor()
        _check_selection(query, skus)
        owner = await self._admit(request, location)
        following = None
        with self._door.place(owner):
            if skus:
                held = await self._selected(location, skus)
            else:
                held = await self._reads.page(location, after, limit + 1)
                following = level_cursor(held[limit - 1].sku, location) if len(held) > limit else None
        shown = held[: len(skus) or limit]
        versions = "".join(f"{one.sku} {one.view_version} " for one in shown)
        headers = self._headers(owner, hashlib.sha256(f"{versions}{following}".encode()).hexdigest()[:16])
        return self._answer(request, headers, lambda: {"views": list(map(self._view, shown)), "next": following})

    async def _admit(self, request: Request, location: str) -> str:
        """Who asks. The same answer whether or not the location exists. Raises Unauthorized or Forbidden."""
        if "Authorization" not in request.headers:
            if location not in self._public:
                raise Unauthorized(
                    "without Authorization only locations of STOCKWIRE_HUB_PUBLIC_LOCATIONS are answered"
                )
            self._readers.anybody(request)
            return ANYBODY
        principal = await self._readers.principal(request)
        scope = f"{PUBLIC}{location}"
        if not allows(principal.scopes, scope):
            raise Forbidden(scope)
        return principal.owner

    async def _selected(self, location: str, skus: Sequence[str]) -> list[Held]:
        """Of a public location from the whole of it, so that names that anybody makes up cost no memory and no look."""
        if location in self._public:
            return await self._reads.members(location, skus)
        return await self._reads.levels([(location, sku) for sku in skus])

    def _view(self, held: Held) -> dict[str, Any]:
        view: dict[str, Any] = msgspec.to_builtins(view_of(held, self._reads.fanout().views.steps))
        return view

    def _headers(self, owner: str, digest: str, *, older: bool = False) -> dict[str, str]:
        """``digest``: equal for equal content within an epoch, on every hub."""
        epoch = hashlib.sha256(self._reads.fanout().shards.epoch.encode()).hexdigest()[:8]
        public = CACHEABLE if self._feed.fresh else BEHIND
        return {
            "ETag": f'"{epoch}-{digest}"',
            "Cache-Control": OWN if owner != ANYBODY else OLDER if older else public,
            "Stockwire-Fresh": str(self._feed.fresh).lower(),
        }

    def _answer(self, request: Request, headers: dict[str, str], content: Callable[[], dict[str, Any]]) -> Response:
        """``content`` is made only for whoever has not got it."""
        if headers["Cache-Control"] != OWN:
            request.scope.pop(ALLOWANCE, None)  # what a shared cache keeps says nothing of who asked
        if holds(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(encode(content()), headers=headers, media_type="application/json")


def _check_selection(query: Query, skus: Sequence[str]) -> None:
    """Raises Invalid."""
    if len(skus) > SKUS_MAX:
        raise Invalid("sku", f"may be given {SKUS_MAX} times", 400)
    for name in ("after", "limit"):
        if skus and query.text(name) is not None:
            raise Invalid(name, "is of pages, and goes with no sku", 400)
