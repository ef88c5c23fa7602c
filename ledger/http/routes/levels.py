"""Exact reads of levels: ``/v1/levels``. The heads come in the same statement, so they are of the same snapshot."""

from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import HUB, Access, read_scope, readable_locations, require
from ledger.commit.level import (
    LEVEL_ARRAYS,
    LEVEL_COLUMNS,
    LISTED_COLUMNS,
    empty_level,
    last_event,
    level_of_row,
    levels_of_arrays,
)
from ledger.database.locations import Locations
from ledger.database.reading import reading
from ledger.feed.heads import Heads
from ledger.http import bodies
from server.http.etags import holds
from server.http.json import Json
from server.http.level_cursor import level_cursor
from server.http.query import PAGE_MAX, Query, path_name
from server.problems import Invalid, NotFound
from wire.messages import encode
from wire.shards import shard_of
from wire.tokens import Principal

HUB_PAGE_MAX = 5_000
"""Levels of one answer to a hub, which reads whole locations: about 1.2 MB. Others might be slow to take so much."""

HEADS = """
    select (select epoch from ledger_meta) as epoch,
           array(select id from shard order by id) as shards, array(select head from shard order by id) as heads
"""

_ONE = text(f"""
    select i.sku as known, {LEVEL_COLUMNS}
      from item i
      left join stock_level l on l.shard = :shard and l.location = :location and l.sku = i.sku
      {last_event()}
     where i.sku = :sku
""")

_PAGE = """
    with page as (
      select * from stock_level l where version > 0 and {where} order by sku, location limit :limit)
    select h.*, p.*
      from ({heads}) h,
           (select {arrays} from (select {columns} from page l {last_event} order by l.sku, l.location) listed) p
"""


def _page(where: str, shard: str) -> TextClause:
    event = last_event(shard)
    return text(_PAGE.format(where=where, heads=HEADS, arrays=LEVEL_ARRAYS, columns=LISTED_COLUMNS, last_event=event))


_EVERYWHERE = _page("(l.sku, l.location) > (:sku, :location)", "l.shard")
_IN_SHARD = _page("l.shard = :shard and (l.sku, l.location) > (:sku, :location)", ":shard")
_AT_LOCATION = _page("l.shard = :shard and l.location = :location and l.sku > :sku", ":shard")

_ASKED = text(f"""
    select h.*, a.asked_location, a.asked_sku, c.shard as located, {LEVEL_COLUMNS}
      from ({HEADS}) h
      left join unnest(cast(:locations as text[]), cast(:skus as text[]))
                with ordinality as a(asked_location, asked_sku, n) on true
      left join location c on c.location = a.asked_location
      left join stock_level l on l.shard = c.shard and l.location = a.asked_location and l.sku = a.asked_sku
      {last_event()}
     order by a.n
""")


class LevelRoutes:
    def __init__(self, engine: AsyncEngine, access: Access, locations: Locations, heads: Heads) -> None:
        self._engine = engine
        self._access = access
        self._locations = locations
        self._heads = heads

    def routes(self) -> list[Route]:
        return [
            Route("/v1/levels", self.page, methods=["GET"]),
            Route("/v1/levels/query", self.query, methods=["POST"]),
            Route("/v1/levels/{location}/{sku}", self.one, methods=["GET"]),
        ]

    async def one(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        location, sku = path_name(request, "location"), path_name(request, "sku")
        require(principal, read_scope(location), HUB)
        shard = await self._locations.shard(location)
        async with reading(self._engine) as connection:
            values = {"shard": shard, "location": location, "sku": sku}
            row = (await connection.execute(_ONE, values)).mappings().one_or_none()
        if row is None:
            raise NotFound("sku", sku)
        level = level_of_row(row) if row["version"] else empty_level(sku, location, shard)
        etag = f'"{level["version"]}"'
        if holds(request, etag):
            return Response(status_code=304, headers={"ETag": etag})
        return Json(level, headers={"ETag": etag})

    async def page(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        query = Query(request, "location", "shard", "after", "limit")
        location = query.name("location")
        shard = None if query.text("shard") is None else query.integer("shard", high=2**31 - 1)
        if location is not None and shard is not None:
            raise Invalid("shard", "is not taken beside location, which stands in one", 400)
        limit = query.limit(HUB_PAGE_MAX if HUB in principal.scopes else PAGE_MAX)
        after_sku, after_location = query.level_cursor()
        require(principal, read_scope(location or "*"), HUB)
        if location is None:
            statement = _EVERYWHERE if shard is None else _IN_SHARD
            values: dict[str, Any] = {"location": after_location} | ({} if shard is None else {"shard": shard})
        else:
            statement = _AT_LOCATION
            values = {"location": location, "shard": await self._locations.shard(location)}
        async with reading(self._engine) as connection:
            result = await connection.execute(statement, {**values, "sku": after_sku, "limit": limit + 1})
            row = result.mappings().one()
        if shard is not None and shard not in row["shards"]:
            raise NotFound("shard", str(shard))
        found = levels_of_arrays(row)
        levels = found[:limit]
        following = level_cursor(levels[-1].sku, levels[-1].location) if len(found) > limit else None
        content = {
            "levels": orjson.Fragment(encode(levels)),
            "view_versions": (row["view_version"] or [])[:limit],
            "next": following,
            **self._position(row, principal, location),
        }
        return Json(content, headers=_link(location, following, limit, shard))

    async def query(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        keys = bodies.decode(bodies.level_keys_decoder, await request.body()).keys
        locations = list(dict.fromkeys(location for location, _ in keys))
        for location in locations:
            require(principal, read_scope(location), HUB)
        values = {"locations": [location for location, _ in keys], "skus": [sku for _, sku in keys]}
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_ASKED, values)).mappings().all()
        asked = [row for row in rows if row["asked_sku"] is not None]  # nothing asked: the heads alone
        view_versions = [row["view_version"] or 0 for row in asked]
        levels = [_asked_level(row) for row in asked]
        position = self._position(rows[0], principal, *locations)
        return Json({**position, "levels": levels, "view_versions": view_versions})

    def _position(self, row: RowMapping, principal: Principal, *locations: str | None) -> dict[str, Any]:
        """Of all shards for who may read everything; else of those of ``locations``: others tell what sells there."""
        heads = {str(shard): head for shard, head in zip(row["shards"], row["heads"], strict=True)}
        if readable_locations(principal) is not None:
            own = {str(shard_of(location, len(heads))) for location in locations if location is not None}
            heads = {shard: head for shard, head in heads.items() if shard in own}
        return {"epoch": self._heads.compose(row["epoch"]), "heads": heads}


def _link(location: str | None, following: str | None, limit: int, shard: int | None = None) -> dict[str, str]:
    """Says before the levels where the next page is (RFC 8288), so that a hub can ask for it while it reads this."""
    if following is None:
        return {}
    asked = {"location": location, "shard": shard, "after": following, "limit": limit}
    asked = {name: value for name, value in asked.items() if value is not None}
    return {"Link": f'<?{urlencode(asked)}>; rel="next"'}


def _asked_level(row: RowMapping) -> dict[str, Any]:
    if row["version"]:
        return level_of_row(row)
    location = row["asked_location"]
    shard = row["located"] if row["located"] is not None else shard_of(location, len(row["shards"]))
    return empty_level(row["asked_sku"], location, shard)
