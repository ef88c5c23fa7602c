"""``/v1/levels/{location}/{sku}/events``: the audit trail of one level."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import HUB, Access, read_scope, require
from ledger.commit.event import EVENT_COLUMNS, event_of_row
from ledger.database.locations import Locations
from ledger.database.reading import reading
from server.http.json import Json
from server.http.query import Query, path_name
from server.problems import NotFound

_HISTORY = text(f"""
    select i.sku as known, e.*
      from item i
      left join lateral (
        select {EVENT_COLUMNS} from stock_event e
         where e.shard = :shard and e.location = :location and e.sku = i.sku and e.version > :after
         order by e.version limit :limit) e on true
     where i.sku = :sku
     order by e.version
""")


class HistoryRoutes:
    def __init__(self, engine: AsyncEngine, access: Access, locations: Locations) -> None:
        self._engine = engine
        self._access = access
        self._locations = locations

    def routes(self) -> list[Route]:
        return [Route("/v1/levels/{location}/{sku}/events", self.page, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        location, sku = path_name(request, "location"), path_name(request, "sku")
        query = Query(request, "after", "limit")
        after, limit = query.integer("after", 0), query.limit()
        require(principal, read_scope(location), HUB)
        shard = await self._locations.shard(location)
        values = {"shard": shard, "location": location, "sku": sku, "after": after, "limit": limit + 1}
        async with reading(self._engine) as connection:
            rows: Sequence[Any] = (await connection.execute(_HISTORY, values)).all()
        if not rows:
            raise NotFound("sku", sku)
        events = [event_of_row(row[1:]) for row in rows if row.version is not None]
        following = events[limit - 1]["version"] if len(events) > limit else None
        return Json({"events": events[:limit], "next": following})
