"""What each route does. Notices come from channels, which have no key of ours: the adapter verifies them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from followers.api.askers import Asker, Askers
from followers.marketplaces.adapter import Adapter
from followers.marketplaces.errors import NoticeRefused, RemoteAway, SettingRefused
from followers.marketplaces.orders.api import bodies
from followers.marketplaces.orders.api.shown import shown_order, shown_oversold, shown_unmapped, shown_window
from followers.marketplaces.orders.knowing import ID_CHARACTERS_MAX
from followers.marketplaces.orders.notices import InboxFull, Notices
from followers.marketplaces.orders.pages import OrderPages, Which
from followers.marketplaces.orders.refusals import Refusals
from followers.marketplaces.terms import Notice
from followers.marketplaces.vendors import VendorBroken, VendorUnknown
from server.http.body import decoded
from server.http.json import Json
from server.http.query import Query
from server.problems import Invalid, NotFound, Unauthorized, Unavailable

NOTICES = "/notices"
NOTICE_BYTES_MAX = 2**20
"""A large order of any vendor has a tenth of that."""
ANSWER_S = 4.0
"""All senders wait for 5 s or longer."""
AGAIN_S = 5
CHANNEL_CHARACTERS_MAX = 50
ENTRY_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class OrderParts:
    """``adapter_of``: of a channel, in whatever replica a notice comes in; None if there is none.

    ``noticed``: is told of every channel for which a notice was stored.
    """

    pages: OrderPages
    notices: Notices
    askers: Askers
    adapter_of: Callable[[str], Awaitable[Adapter | None]]
    noticed: Callable[[str], None]


class OrderRoutes:
    def __init__(self, parts: OrderParts) -> None:
        self._pages = parts.pages
        self._notices = parts.notices
        self._askers = parts.askers
        self._adapter_of = parts.adapter_of
        self._noticed = parts.noticed
        self._refusals = Refusals()

    def routes(self) -> list[Route]:
        one = "/v1/channels/{id}"
        return [
            Route(f"{one}{NOTICES}", self.receive, methods=["GET", "POST"]),
            Route(f"{one}/orders", self.orders, methods=["GET"]),
            Route(f"{one}/oversold", self.oversold, methods=["GET"]),
            Route(f"{one}/oversold", self.resolve, methods=["POST"]),
            Route(f"{one}/unmapped", self.unmapped, methods=["GET"]),
            Route(f"{one}/window", self.window, methods=["GET"]),
        ]

    async def receive(self, request: Request) -> Response:
        """On disk before it is answered. What cannot be stored now is answered 503, and is sent again."""
        channel = _channel(request)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._receive(channel, request)
        except NoticeRefused as error:
            self._refusals.add(channel, f"is refused: {error}")
            raise Unauthorized("the notice is not signed as the channel signs") from None
        except (InboxFull, RemoteAway, TimeoutError, SettingRefused, VendorBroken, VendorUnknown) as error:
            self._refusals.add(channel, f"is not taken now: {error or 'it took too long'}")
            raise Unavailable("notices cannot be taken now", AGAIN_S) from None

    async def orders(self, request: Request) -> Response:
        channel, _ = await self._known(request)
        query = Query(request, "after", "limit", "which", "order")
        which = _which(query.text("which") or "all")
        order = query.text("order")
        if order is not None and not (0 < len(order) <= ID_CHARACTERS_MAX and "\0" not in order):
            raise Invalid("order", f"is no id of an order: 1 to {ID_CHARACTERS_MAX} characters", 400)
        limit = query.limit()
        before = query.integer("after", ENTRY_MAX, low=1)
        found = await self._pages.orders(channel, which, order, before, limit)
        following = str(found[-1].entry) if len(found) == limit else None
        return Json({"orders": [shown_order(one) for one in found], "next": following})

    async def oversold(self, request: Request) -> Response:
        channel, _ = await self._known(request)
        query = Query(request, "limit", "all")
        all_ = query.text("all") or "false"
        if all_ not in ("true", "false"):
            raise Invalid("all", "must be true or false", 400)
        found = await self._pages.oversold(channel, resolved=all_ == "true", limit=query.limit())
        return Json({"oversold": [shown_oversold(one) for one in found]})

    async def resolve(self, request: Request) -> Response:
        channel, asker = await self._known(request)
        Query(request)
        asked = decoded(bodies.resolution, await request.body())
        resolve = self._pages.book_again if asked.how == "book" else self._pages.give_up
        if not await resolve(channel, asked.order, asked.sku, asker.key, asked.why):
            raise NotFound("oversold", f"{asked.sku} of {asked.order}")
        self._noticed(channel)
        return Json({"order": asked.order, "sku": asked.sku}, 202)

    async def unmapped(self, request: Request) -> Response:
        channel, _ = await self._known(request)
        found = await self._pages.unmapped(channel, Query(request, "limit").limit())
        return Json({"unmapped": [shown_unmapped(one) for one in found]})

    async def window(self, request: Request) -> Response:
        channel, _ = await self._known(request)
        Query(request)
        return Json(shown_window(await self._pages.window(channel)))

    async def _receive(self, channel: str, request: Request) -> Response:
        adapter = await self._adapter_of(channel)
        if adapter is None:
            raise NotFound("channel", channel)
        headers = {name: value for name, value in request.headers.items()}  # noqa: C416 - the last of each name
        notice = Notice(headers, await request.body(), dict(request.query_params))
        received = await adapter.receive(notice)
        stored = request.method == "POST" and await self._notices.store(channel, notice, received)
        if stored:
            self._noticed(channel)
        if received.answer:
            return Response(received.answer, media_type=received.answer_type)
        return Json({"stored": stored})

    async def _known(self, request: Request) -> tuple[str, Asker]:
        asker = await self._askers.of(request)
        channel = _channel(request)
        if not channel or not await self._pages.has(channel, asker.owner):
            raise NotFound("channel", channel)
        return channel, asker


def _which(text: str) -> Which:
    for which in get_args(Which):
        if text == which:
            return cast(Which, which)
    raise Invalid("which", f"must be one of {', '.join(get_args(Which))}", 400)


def _channel(request: Request) -> str:
    channel: str = request.path_params["id"][:CHANNEL_CHARACTERS_MAX]
    return channel if channel.isascii() and channel.isprintable() else ""
