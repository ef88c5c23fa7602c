"""``/v1/keys``: API keys, and what a hub asks about them."""

from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import HUB, Access, require
from ledger.access.keys import ApiKey, NewKey, active_ids, create_key, list_keys, revoke_key
from ledger.commit.event import timestamp
from ledger.database.reading import reading, writing
from ledger.feed.publisher import Publisher
from ledger.http import bodies
from server.http.json import Json
from server.http.query import Query
from server.problems import Invalid, NotFound

ADMIN = "admin"


class KeyRoutes:
    def __init__(self, engine: AsyncEngine, access: Access, publisher: Publisher) -> None:
        self._engine = engine
        self._access = access
        self._publisher = publisher

    def routes(self) -> list[Route]:
        return [
            Route("/v1/keys", self.create, methods=["POST"]),
            Route("/v1/keys", self.page, methods=["GET"]),
            Route("/v1/keys/introspect", self.introspect, methods=["POST"]),
            Route("/v1/keys/{id}", self.revoke, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """Not with a token: what it makes would outlast it."""
        require(await self._access.admit_key(request), ADMIN)
        Query(request)
        body = bodies.decode(bodies.key_decoder, await request.body())
        bodies.check_moment(body.expires_at, "expires_at")
        async with writing(self._engine) as connection:
            created = await create_key(connection, body.owner, body.scopes, body.name, body.expires_at)
        return Json(_new_key(created), 201)

    async def page(self, request: Request) -> Response:
        require(await self._access.admit(request), ADMIN)
        query = Query(request, "after", "limit")
        after, limit = query.cursor(), query.limit()
        async with reading(self._engine) as connection:
            keys = await list_keys(connection, after, limit + 1)
        following = keys[limit - 1].id if len(keys) > limit else None
        return Json({"keys": [_key(key) for key in keys[:limit]], "next": following})

    async def revoke(self, request: Request) -> Response:
        require(await self._access.admit(request), ADMIN)
        Query(request)
        key_id = request.path_params["id"][:64]
        async with writing(self._engine) as connection:
            known = key_id.isalnum() and await revoke_key(connection, key_id)
        if not known:
            raise NotFound("key", key_id)
        self._access.forget(key_id)
        self._publisher.revoke(key_id)
        return Response(status_code=204)

    async def introspect(self, request: Request) -> Response:
        require(await self._access.admit(request), HUB)
        Query(request)
        body = bodies.decode(bodies.introspection_decoder, await request.body())
        if len([asked for asked in (body.key, body.id, body.ids) if asked is not UNSET]) != 1:
            raise Invalid("key", "one of this, id and ids is required")
        if not isinstance(body.ids, UnsetType):
            return await self._active(body.ids)
        if isinstance(body.key, str):
            holder = await self._access.holder_of(body.key)
        else:
            holder = await self._access.holder_of_id(str(body.id))
        if holder is None:
            return Json({"active": False})
        ends = None if holder.expires_at is None else datetime.fromtimestamp(holder.expires_at, UTC)
        content = {
            "active": True,
            "id": holder.key,
            "owner": holder.owner,
            "scopes": sorted(holder.scopes),
            "expires_at": timestamp(ends),
        }
        return Json(content)

    async def _active(self, ids: list[str]) -> Response:
        """Read past what is remembered: another ledger may have revoked one a moment ago."""
        async with reading(self._engine) as connection:
            return Json({"ids": await active_ids(connection, [asked for asked in ids if asked.isalnum()])})


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "owner": key.owner,
        "scopes": key.scopes,
        "name": key.name,
        "created_at": timestamp(key.created_at),
        "expires_at": timestamp(key.expires_at),
        "revoked_at": timestamp(key.revoked_at),
    }


def _new_key(key: NewKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "key": key.key,
        "owner": key.owner,
        "scopes": key.scopes,
        "name": key.name,
        "created_at": timestamp(key.created_at),
        "expires_at": timestamp(key.expires_at),
    }
