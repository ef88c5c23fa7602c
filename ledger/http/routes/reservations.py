"""``/v1/reservations``: holds are made, paid for, changed and let go of. Reads: ``reservation_reads``."""

from collections.abc import Iterable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, read_scope, require, write_scope
from ledger.commit.hold import Hold
from ledger.commit.writers import Writers
from ledger.database.locations import Locations
from ledger.holds.reads import HoldReads
from ledger.http import hold_bodies
from ledger.http.hold_operations import CHANGES, AskedChange, hold_id, reserving
from ledger.http.idempotency import key_of
from ledger.http.responses import committed
from server.http.query import Query
from server.problems import NotFound
from wire.scopes import allows
from wire.tokens import Principal


class ReservationRoutes:
    """``ttl_s_max``: how long units may be kept at a time."""

    def __init__(
        self, access: Access, locations: Locations, writers: Writers, reads: HoldReads, lines_max: int, ttl_s_max: int
    ) -> None:
        self._access = access
        self._locations = locations
        self._writers = writers
        self._reads = reads
        self._lines_max = lines_max
        self._ttl_s_max = ttl_s_max

    def routes(self) -> list[Route]:
        return [
            Route("/v1/reservations", self.reserve, methods=["POST"]),
            *(Route(f"/v1/reservations/{{id}}/{name}", self.change, methods=["POST"]) for name in CHANGES),
        ]

    async def reserve(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        key = key_of(request)
        asked = hold_bodies.reservation(await request.body(), self._lines_max, self._ttl_s_max)
        shards = await self._writable(principal, asked.locations())
        return committed(
            await self._writers.submit(reserving(principal.owner, key, asked, shards, self._ttl_s_max)), 201
        )

    async def change(self, request: Request) -> Response:
        """Each of the requests about one that is there; the last part of its path says which."""
        principal = await self._access.admit(request)
        Query(request)
        key = key_of(request)
        name = request.url.path.rpartition("/")[2]
        asked = AskedChange(name, await request.body(), self._lines_max, self._ttl_s_max)
        hold = await self._hold(request)
        check_seen(principal, hold)
        shards = await self._writable(principal, asked.locations(hold))
        return committed(await self._writers.submit(asked.operation(principal.owner, key, hold, shards)), 200)

    async def _hold(self, request: Request) -> Hold:
        """As this process last knew it, or as it is read: its levels decide who commits the change. Raises NotFound."""
        known = reservation_id(request)
        remembered = self._writers.remembered_holds
        hold = remembered.of((known,)).get(known)
        if hold is None:
            hold = await self._reads.one(known)
            if hold is None:
                raise NotFound("reservation", known)
            remembered.keep((hold,))  # its writer would read it once more
        if hold.is_transfer:
            raise NotFound("reservation", known)
        return hold

    async def _writable(self, principal: Principal, locations: Iterable[str]) -> Mapping[str, int]:
        """The shards of locations that may all be written. Raises Forbidden, or NotFound."""
        named = dict.fromkeys(locations)
        for location in named:  # all of them first: who may not write here does not learn what exists
            require(principal, write_scope(location))
        return {location: await self._locations.shard_to_write(location) for location in named}


def check_seen(principal: Principal, hold: Hold) -> None:
    """Raises NotFound for who may neither read nor write one of its locations: its id may be guessed from a key."""
    for level in hold.lines:
        scopes = read_scope(level.location), write_scope(level.location)
        if not any(allows(principal.scopes, scope) for scope in scopes):
            raise NotFound("reservation", hold.id)


def reservation_id(request: Request) -> str:
    """Raises NotFound: what is no id is that of no reservation."""
    given: str = request.path_params["id"]
    known = hold_id(given)
    if known is None:
        raise NotFound("reservation", given[:64])
    return known
