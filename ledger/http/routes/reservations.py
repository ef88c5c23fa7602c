"""``/v1/reservations``: holds are made, paid for, changed and let go of. Reads: ``reservation_reads``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, read_scope, require, write_scope
from ledger.commit.hold import Hold
from ledger.commit.operation import Operation, Outcome, operation_id
from ledger.commit.plan import Plan
from ledger.commit.stock import LevelKey
from ledger.commit.writers import Writers
from ledger.database.locations import Locations
from ledger.errors import REPLAYED
from ledger.holds.decide import Cancel, Change, Commit, Extend, Fulfil, Parts, Reserve, Resize, Wanted
from ledger.holds.reads import HoldReads
from ledger.http import hold_bodies
from ledger.http.idempotency import hash_of, key_of
from ledger.http.responses import content_of
from server.http.json import Json
from server.http.query import Query
from server.problems import NotFound
from wire.scopes import allows
from wire.tokens import Principal

_PlanOf = Callable[[Any, str, Sequence[LevelKey], Parts | None], Change]

_CHANGES: dict[str, tuple[Callable[[bytes], Any], _PlanOf]] = {
    "commit": (hold_bodies.commit, lambda asked, *of: Commit(of[0], of[1], of[2], asked.fulfil)),
    "fulfil": (hold_bodies.parts, lambda _, *of: Fulfil(*of)),
    "cancel": (hold_bodies.parts, lambda _, *of: Cancel(*of)),
    "extend": (hold_bodies.extension, lambda asked, hold, levels, _: Extend(hold, levels, ttl_s=asked.ttl_s)),
    "lines": (hold_bodies.new_quantities, lambda asked, *of: Resize(of[0], of[1], of[2], asked.ttl_s)),
}
"""By the last part of their paths: what reads the body, and what makes a plan of it, of the hold's id, the levels that
the plan may touch, and how many units of which."""


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
            *(Route(f"/v1/reservations/{{id}}/{name}", self.change, methods=["POST"]) for name in _CHANGES),
        ]

    async def reserve(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        key = key_of(request)
        asked = hold_bodies.reservation(await request.body(), self._lines_max, self._ttl_s_max)
        shards = await self._writable(principal, (place for line in asked.lines for place in line.places))
        wanted = tuple(
            Wanted(
                tuple(LevelKey(shards[place], place, line.sku) for place in dict.fromkeys(line.places)),
                line.quantity,
                line.split,
            )
            for line in asked.lines
        )
        hold = operation_id(principal.owner, key)
        plan = Reserve(hold, principal.owner, wanted, asked.ttl_s, asked.customer, asked.reference)
        return _answer(await self._submit(principal, key, "reservations", asked, plan), 201)

    async def change(self, request: Request) -> Response:
        """Each of the requests about one that is there; the last part of its path says which."""
        principal = await self._access.admit(request)
        Query(request)
        key = key_of(request)
        name = request.url.path.rpartition("/")[2]
        read, plan_of = _CHANGES[name]
        asked = read(await request.body())
        hold_bodies.check_ttl(getattr(asked, "ttl_s", None), self._ttl_s_max)
        quantities = hold_bodies.quantities(getattr(asked, "lines", None))
        hold = await self._hold(request)
        check_seen(principal, hold)
        named = () if quantities is None else (location for location, _ in quantities)
        shards = await self._writable(principal, (*(level.location for level in hold.lines), *named))
        parts = None if quantities is None else {_key(shards, *level): units for level, units in quantities.items()}
        levels = [*hold.lines, *(level for level in parts or () if level not in hold.lines)]
        plan = plan_of(asked, hold.id, levels, parts)
        return _answer(await self._submit(principal, key, f"{hold.id} {name}", asked, plan), 200)

    async def _hold(self, request: Request) -> Hold:
        """As this process last knew it, or as it is read: its levels decide who commits the change. Raises NotFound."""
        known = reservation_id(request)
        hold = self._writers.remembered_holds.of([known]).get(known) or await self._reads.one(known)
        if hold is None:
            raise NotFound("reservation", known)
        return hold

    async def _writable(self, principal: Principal, locations: Iterable[str]) -> Mapping[str, int]:
        """The shards of locations that may all be written. Raises Forbidden, or NotFound."""
        named = dict.fromkeys(locations)
        for location in named:  # all of them first: who may not write here does not learn what exists
            require(principal, write_scope(location))
        return {location: await self._locations.shard(location) for location in named}

    async def _submit(self, principal: Principal, key: str, kind: str, asked: msgspec.Struct, plan: Plan) -> Outcome:
        fingerprint = hash_of(kind, asked)
        operation = Operation(operation_id(principal.owner, key), principal.owner, key, fingerprint, (), plan)
        return await self._writers.submit(operation)


def check_seen(principal: Principal, hold: Hold) -> None:
    """Raises NotFound for who may neither read nor write one of its locations: its id may be guessed from a key."""
    for level in hold.lines:
        scopes = read_scope(level.location), write_scope(level.location)
        if not any(allows(principal.scopes, scope) for scope in scopes):
            raise NotFound("reservation", hold.id)


def reservation_id(request: Request) -> str:
    """Raises NotFound: what is no id is that of no reservation."""
    given: str = request.path_params["id"]
    try:
        return str(UUID(given))
    except ValueError:
        raise NotFound("reservation", given[:64]) from None


def _key(shards: Mapping[str, int], location: str, sku: str) -> LevelKey:
    return LevelKey(shards[location], location, sku)


def _answer(outcome: Outcome, status: int) -> Json:
    content: dict[str, Any] = {"reservation": outcome.hold, **content_of(outcome)}
    return Json(content, status, REPLAYED if outcome.replayed else None)
