"""What each route of channels does. Channels are seen and changed by the API key that made them, and by ``admin``."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from followers.api.askers import Asker, Askers
from followers.log.ledger import Ledger
from followers.marketplaces.adapter import Adapter, RemoteAway
from followers.marketplaces.api import bodies
from followers.marketplaces.api.checked import CheckedWish
from followers.marketplaces.api.mapping_routes import MappingRoutes
from followers.marketplaces.api.pushing_routes import PushingRoutes
from followers.marketplaces.api.shown import shown, shown_vendor
from followers.marketplaces.channels import CHANNELS_MAX, Channel, Channels, checked
from followers.marketplaces.listings import ListingStore
from followers.marketplaces.marketplaces import Marketplaces
from followers.marketplaces.reconciling.api.routes import ReconcilingRoutes
from followers.marketplaces.vendors import VendorBroken, VendorUnknown
from server.http.json import Json
from server.http.query import Query
from server.problems import Invalid, NotFound

IDENTIFIER_CHARACTERS_MAX = 50
ADDRESS_MARKS = (".", ":")
"""No address of a host is without both."""

Known = Callable[[Request], Awaitable[tuple[Asker, Channel]]]


@dataclass(frozen=True, slots=True)
class ChannelParts:
    """``checked_wish``: what is said of a wish; ``askers``: who they are."""

    marketplaces: Marketplaces
    ledger: Ledger
    checked_wish: CheckedWish
    askers: Askers


class ChannelRoutes:
    def __init__(self, parts: ChannelParts) -> None:
        self._marketplaces = parts.marketplaces
        self._channels: Channels = parts.marketplaces.channels
        self._listings = ListingStore(parts.marketplaces.database)
        self._ledger = parts.ledger
        self._checked = parts.checked_wish
        self._askers = parts.askers
        self._mapping = MappingRoutes(parts.marketplaces.database, parts.ledger, self.known)
        self._pushing = PushingRoutes(parts.marketplaces, parts.ledger, self.known)
        self._reconciling = ReconcilingRoutes(parts.marketplaces.database, self.known)

    def routes(self) -> list[Route]:
        one = "/v1/channels/{id}"
        return [
            Route("/v1/vendors", self.vendors, methods=["GET"]),
            Route("/v1/channels", self.page, methods=["GET"]),
            Route("/v1/channels", self.add, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.change, methods=["PUT"]),
            Route(one, self.remove, methods=["DELETE"]),
            Route(f"{one}/pause", self.pause, methods=["POST"]),
            Route(f"{one}/resume", self.resume, methods=["POST"]),
            Route(f"{one}/check", self.check, methods=["POST"]),
            *self._mapping.routes(one),
            *self._pushing.routes(one),
            *self._reconciling.routes(one),
        ]

    async def vendors(self, request: Request) -> Response:
        await self._askers.of(request)
        Query(request)
        found = []
        for name in self._marketplaces.vendors.names:
            try:
                found.append(shown_vendor(name, self._marketplaces.vendors.adapter(name)))
            except VendorBroken:
                continue  # said in the log by whoever holds a channel of it
        return Json({"vendors": found})

    async def page(self, request: Request) -> Response:
        asker = await self._askers.of(request)
        query = Query(request, "after", "limit")
        limit = query.limit()
        found = await self._channels.page(asker.owner, query.cursor(), limit)
        following = found[-1].id if len(found) == limit else None
        return Json({"channels": [shown(one) for one in found], "next": following})

    async def add(self, request: Request) -> Response:
        asker = await self._askers.of(request)
        Query(request)
        body = bodies.read(bodies.new_channel, await request.body())
        wish = self._checked.wish(asker, body)
        credentials = body.credentials or {}
        self._checked.check_settings(self._vendor(body.vendor), body.settings, credentials)
        if await self._channels.count() >= CHANNELS_MAX:
            raise Invalid("body", f"there are {CHANNELS_MAX} channels: remove one first")
        state = await self._ledger.shards()
        heads = {one["shard"]: one["head"] for one in state["shards"]}
        made = await self._channels.add(body.id, body.vendor, asker.key, wish, credentials, state["epoch"], heads)
        if made is None:
            raise Invalid("id", f"{body.id} is taken: choose another name")
        return Json(shown(made), 201)

    async def get(self, request: Request) -> Response:
        _, channel = await self.known(request)
        return Json({**shown(channel), "listings": await self._listings.counts(channel.id)})

    async def change(self, request: Request) -> Response:
        asker, channel = await self.known(request)
        body = bodies.read(bodies.channel_wish, await request.body())
        wish = self._checked.wish(asker, body)
        credentials: Mapping[str, str] | None = body.credentials
        if credentials is None:
            _check_stays(channel.settings, body.settings)
            credentials = await self._channels.credentials(channel.id)
        self._checked.check_settings(self._vendor(channel.vendor), body.settings, credentials)
        return self._answer(request, await self._channels.change(channel.id, asker.owner, wish, body.credentials))

    async def remove(self, request: Request) -> Response:
        asker, channel = await self.known(request)
        if not await self._channels.remove(channel.id, asker.owner):
            raise _unknown(request)
        return Response(status_code=204)

    async def pause(self, request: Request) -> Response:
        asker, channel = await self.known(request)
        return self._answer(request, await self._channels.pause(channel.id, asker.owner))

    async def resume(self, request: Request) -> Response:
        asker, channel = await self.known(request)
        return self._answer(request, await self._channels.resume(channel.id, asker.owner))

    async def check(self, request: Request) -> Response:
        """Asked of the channel now, by this process."""
        _, channel = await self.known(request)
        made = await self._marketplaces.adapters.of(channel.id)
        if made is None:
            raise _unknown(request)
        try:
            findings = list((await made.adapter.check(channel.notices_url)).findings)
        except RemoteAway as error:
            return Json({"works": False, "reason": str(error), "findings": []})
        async with self._marketplaces.database.transaction() as connection:
            await checked(connection, channel.id, findings)
        return Json({"works": True, "reason": None, "findings": findings})

    async def known(self, request: Request, *parameters: str) -> tuple[Asker, Channel]:
        """Who asks, and the channel of the path. Raises what ``Askers.of`` raises, Invalid, NotFound."""
        asker = await self._askers.of(request)
        Query(request, *parameters)
        channel = await self._channels.get(_identifier(request), asker.owner)
        if channel is None:
            raise _unknown(request)
        return asker, channel

    def _vendor(self, name: str) -> type[Adapter]:
        try:
            return self._marketplaces.vendors.adapter(name)
        except (VendorUnknown, VendorBroken) as error:
            raise Invalid("vendor", str(error)) from None

    def _answer(self, request: Request, channel: Channel | None) -> Response:
        if channel is None:
            raise _unknown(request)
        return Json(shown(channel))


def _check_stays(known: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """What was sealed goes nowhere else, whoever holds the owner's key by now. Raises Invalid."""
    for name in sorted({*known, *wanted}):
        values = known.get(name, ""), wanted.get(name, "")
        if values[0] != values[1] and any(mark in value for value in values for mark in ADDRESS_MARKS):
            raise Invalid("credentials", f"are needed again where {name} changes: it may be where they are sent")


def _identifier(request: Request) -> str:
    identifier: str = request.path_params["id"][:IDENTIFIER_CHARACTERS_MAX]
    return identifier if identifier.isascii() and identifier.isprintable() else ""


def _unknown(request: Request) -> NotFound:
    return NotFound("channel", _identifier(request))
