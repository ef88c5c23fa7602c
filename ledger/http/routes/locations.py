"""``/v1/locations``."""

from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import HUB, Access, read_scope, readable_locations, require, write_scope
from ledger.database.reading import reading, writing
from ledger.http import bodies
from ledger.http.routes.listed import put_list
from server.http.json import Json
from server.http.query import Query, path_name
from server.problems import NotFound
from wire.shards import shard_of

_SHARDS = text("select shards from ledger_meta")
_PUT = text("""
    insert into location (location, name, shard) values (:location, :name, :shard)
    on conflict (location) do update set name = excluded.name
    returning location, name, shard
""")
_PUT_MANY = text("""
    with given as (
        select location, name, shard
          from unnest(cast(:names as text[]), cast(:name as text[]), cast(:shard as int[]))
               as listed (location, name, shard)
    ), put as (
        insert into location (location, name, shard)
        select location, name, shard
          from given
         where not exists (
               select from location
                where location.location = given.location and (:keep or location.name = given.name))
         order by location collate "C"
        on conflict (location) do update
           set name = excluded.name
         where not :keep and location.name <> excluded.name
        returning location, xmax = 0 as created
    )
    select location as name, created from put
""")
_ONE = text("select location, name, shard from location where location = :location")
_PAGE = text("""
    select location, name, shard from location
     where location > :after and (:all or location = any(cast(:readable as text[])))
     order by location limit :limit
""")


class LocationRoutes:
    def __init__(self, engine: AsyncEngine, access: Access) -> None:
        self._engine = engine
        self._access = access

    def routes(self) -> list[Route]:
        return [
            Route("/v1/locations", self.page, methods=["GET"]),
            Route("/v1/locations", self.put_many, methods=["PUT"]),
            Route("/v1/locations/{location}", self.put, methods=["PUT"]),
            Route("/v1/locations/{location}", self.one, methods=["GET"]),
        ]

    async def put(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        location = path_name(request, "location")
        require(principal, write_scope("*"))
        body = bodies.decode(bodies.location_decoder, await request.body())
        async with writing(self._engine) as connection:
            shards = (await connection.execute(_SHARDS)).scalar_one()
            values = {"location": location, "name": body.name, "shard": shard_of(location, shards)}
            row = (await connection.execute(_PUT, values)).mappings().one()
        return Json(_location(row))

    async def put_many(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        require(principal, write_scope("*"))
        listed = bodies.locations(await request.body())
        async with reading(self._engine) as connection:
            shards = (await connection.execute(_SHARDS)).scalar_one()
        names = [one.location for one in listed.locations]
        columns: dict[str, list[Any]] = {
            "name": [one.name for one in listed.locations],
            "shard": [shard_of(name, shards) for name in names],
        }
        return Json(await put_list(self._engine, _PUT_MANY, names, columns, listed.existing))

    async def one(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        location = path_name(request, "location")
        require(principal, read_scope(location), HUB)
        async with reading(self._engine) as connection:
            row = (await connection.execute(_ONE, {"location": location})).mappings().one_or_none()
        if row is None:
            raise NotFound("location", location)
        return Json(_location(row))

    async def page(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        query = Query(request, "after", "limit")
        after, limit = query.cursor(), query.limit()
        readable = readable_locations(principal)
        values = {"after": after, "limit": limit + 1, "all": readable is None, "readable": readable or []}
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_PAGE, values)).mappings().all()
        locations = [_location(row) for row in rows[:limit]]
        return Json({"locations": locations, "next": locations[-1]["location"] if len(rows) > limit else None})


def _location(row: RowMapping) -> dict[str, Any]:
    return {"location": row["location"], "name": row["name"], "shard": row["shard"]}
