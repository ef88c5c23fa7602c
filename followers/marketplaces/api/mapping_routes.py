"""Routes of listings, of what they are mapped to, and of what they could be."""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from followers.api.askers import Asker
from followers.database.database import Database
from followers.log.ledger import Ledger
from followers.marketplaces.api import bodies
from followers.marketplaces.api.shown import shown_row
from followers.marketplaces.channels import Channel
from followers.marketplaces.listings import WHICH, ListingStore
from followers.marketplaces.mapping.lines import LINES_MAX, Line, LinesRefused, checked, read_csv, write_csv
from followers.marketplaces.mapping.mappings import Mappings
from followers.marketplaces.mapping.proposals import Proposal
from followers.marketplaces.mapping.sku_book import SkuBook
from server.http.json import Json
from server.http.query import Query
from server.problems import Invalid, Unavailable
from wire.scopes import READ, WRITE, allows

ACCEPTED_MAX = 100_000
PAGE = 1_000
LARGE_AGAIN_S = 5


class Known(Protocol):
    async def __call__(self, request: Request, *parameters: str) -> tuple[Asker, Channel]: ...


class MappingRoutes:
    def __init__(self, database: Database, ledger: Ledger, known: Known) -> None:
        self._listings = ListingStore(database)
        self._mappings = Mappings(database)
        self._skus = SkuBook(ledger)
        self._known = known
        self._large = asyncio.Lock()

    def routes(self, one: str) -> list[Route]:
        return [
            Route(f"{one}/listings", self.listings, methods=["GET"]),
            Route(f"{one}/listings/read", self.read, methods=["POST"]),
            Route(f"{one}/mapping", self.mapping, methods=["GET"]),
            Route(f"{one}/mapping", self.put, methods=["PUT"]),
            Route(f"{one}/mapping", self.add, methods=["POST"]),
            Route(f"{one}/mapping/remove", self.remove, methods=["POST"]),
            Route(f"{one}/proposals", self.proposals, methods=["GET"]),
            Route(f"{one}/proposals/accept", self.accept, methods=["POST"]),
        ]

    async def listings(self, request: Request) -> Response:
        _, channel = await self._known(request, "which", "after", "limit")
        query = Query(request, "which", "after", "limit")
        which, limit = query.text("which") or "all", query.limit()
        if which not in WHICH:
            raise Invalid("which", f"must be one of {', '.join(WHICH)}", 400)
        found = await self._listings.page(channel.id, which, _remote(query.cursor()), limit)
        following = _cursor(found[-1].remote) if len(found) == limit else None
        return Json({"listings": [shown_row(one) for one in found], "next": following})

    async def read(self, request: Request) -> Response:
        _, channel = await self._known(request)
        await self._listings.ask(channel.id)
        return Json({"asked": True}, 202)

    async def mapping(self, request: Request) -> Response:
        _, channel = await self._known(request)
        async with self._alone():
            text = await asyncio.to_thread(write_csv, await self._mappings.titled(channel.id, LINES_MAX))
        return Response(text, media_type="text/csv")

    async def put(self, request: Request) -> Response:
        """A whole file."""
        asker, channel = await self._known(request)
        async with self._alone():
            body = bodies.read(bodies.mapping_file, await request.body())
            try:
                lines = await asyncio.to_thread(read_csv, body.csv)
            except LinesRefused as error:
                raise _refused(error) from None
            return await self._put(asker, channel, lines, whole=body.whole)

    async def add(self, request: Request) -> Response:
        asker, channel = await self._known(request)
        body = bodies.read(bodies.mapping_lines, await request.body())
        numbered = [
            (number, {"remote": one.remote, "sku": one.sku, "location": one.location or ""})
            for number, one in enumerate(body.lines, 1)
        ]
        try:
            lines = checked(numbered)
        except LinesRefused as error:
            raise _refused(error) from None
        return await self._put(asker, channel, lines)

    async def remove(self, request: Request) -> Response:
        _, channel = await self._known(request)
        body = bodies.read(bodies.remotes, await request.body())
        return Json({"changed": await self._mappings.remove(channel.id, body.remotes)})

    async def proposals(self, request: Request) -> Response:
        _, channel = await self._known(request, "after", "limit")
        query = Query(request, "after", "limit")
        limit = query.limit()
        known = await self._skus.known()
        unmapped = await self._listings.unmapped(channel.id, _remote(query.cursor()), limit)
        following = _cursor(unmapped[-1].remote) if len(unmapped) == limit else None
        found = [proposal for listing in unmapped for proposal in known.proposals(listing)]
        without = [listing for listing in unmapped if not known.proposals(listing)]
        return Json(
            {
                "proposals": [shown_row(one) for one in found],
                "without": [shown_row(one) for one in without],
                "next": following,
            }
        )

    async def accept(self, request: Request) -> Response:
        """Of a listing with several proposals none is taken: a person maps it by its line."""
        asker, channel = await self._known(request)
        body = bodies.read(bodies.acceptance, await request.body())
        async with self._alone():
            lines = await self._acceptable(channel, body)
            return await self._put(asker, channel, lines)

    async def _acceptable(self, channel: Channel, body: bodies.Acceptance) -> list[Line]:
        known = await self._skus.known()
        wanted = None if body.remotes is None else set(body.remotes)
        lines: list[Line] = []
        after = ""
        while len(lines) < ACCEPTED_MAX:
            page = await self._listings.unmapped(channel.id, after, PAGE)
            for listing in page:
                found: Sequence[Proposal] = known.proposals(listing)
                if len(found) == 1 and found[0].by in body.by and (wanted is None or listing.remote in wanted):
                    lines.append(Line(listing.remote, found[0].sku))
            if len(page) < PAGE:
                break
            after = page[-1].remote
        return lines

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """For what takes long, in threads and in memory: one at a time. Raises Unavailable."""
        if self._large.locked():
            raise Unavailable("another large mapping is under way", LARGE_AGAIN_S)
        async with self._large:
            yield

    async def _put(self, asker: Asker, channel: Channel, lines: Sequence[Line], *, whole: bool = False) -> Response:
        for number, line in enumerate(lines, 1):
            if line.location is not None and not all(
                allows(asker.scopes, scope + line.location) for scope in (READ, WRITE)
            ):
                raise Invalid(f"line {number}", f"location {line.location}: this key may not read and write there")
        return Json({"changed": await self._mappings.put(channel.id, lines, asker.key, whole=whole)})


def _refused(error: LinesRefused) -> Invalid:
    """The first one names the field; the rest stand in the reason."""
    first = error.wrong[0]
    more = "".join(f"; {one}" for one in error.wrong[1:])
    return Invalid(f"line {first.line}", first.reason + more)


def _cursor(remote: str) -> str:
    """Without blanks, which an id may have and a cursor may not."""
    return base64.urlsafe_b64encode(remote.encode()).decode("ascii")


def _remote(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, ValueError):
        raise Invalid("after", "must be the next of the page before", 400) from None
