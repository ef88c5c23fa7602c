"""``/v1/transfers``: units are sent to another location, and come to their end there, elsewhere, or nowhere.

Reads: ``transfer_reads``.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, read_scope, require, write_scope
from ledger.commit.hold import Hold
from ledger.commit.operation import operation_id
from ledger.commit.plan import Plan
from ledger.commit.stock import LevelKey
from ledger.commit.writers import Writers
from ledger.database.locations import Locations
from ledger.holds.transfer import NOWHERE, RECEIVED, RETURNED, End, Place, Send
from ledger.holds.transfer_reads import TransferReads
from ledger.http import transfer_bodies
from ledger.http.hold_operations import hold_id, planned
from ledger.http.idempotency import key_of
from ledger.http.responses import TRANSFER, committed
from server.http.query import Query
from server.problems import Invalid, NotFound
from wire.scopes import allows
from wire.tokens import Principal

T = TypeVar("T")


class TransferRoutes:
    def __init__(
        self, access: Access, locations: Locations, writers: Writers, reads: TransferReads, lines_max: int
    ) -> None:
        self._access = access
        self._locations = locations
        self._writers = writers
        self._reads = reads
        self._lines_max = lines_max

    def routes(self) -> list[Route]:
        return [
            Route("/v1/transfers", self.send, methods=["POST"]),
            Route("/v1/transfers/{id}/receive", self.receive, methods=["POST"]),
            Route("/v1/transfers/{id}/return", self.return_, methods=["POST"]),
            Route("/v1/transfers/{id}/close", self.close, methods=["POST"]),
        ]

    async def send(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        key = key_of(request)
        asked = transfer_bodies.transfer(await request.body(), self._lines_max)
        units = transfer_bodies.units_of(asked.lines)
        for location in (asked.source, asked.target):  # both first: who may not write here does not learn what exists
            require(principal, write_scope(location))
        source = Place(asked.source, await self._locations.shard_to_write(asked.source, "from"))
        await self._locations.shard_to_write(asked.target, "to")
        transit = Place(*await self._locations.transit(asked.target))
        known = operation_id(principal.owner, key)
        plan = Send(known, principal.owner, source, asked.target, transit, units, asked.reference)
        return await self._submit(principal.owner, key, "transfers", asked, plan, 201)

    async def receive(self, request: Request) -> Response:
        """At the target. With ``close`` nothing more comes: what is missing is lost."""
        principal, key, asked, transfer = await self._asked(request, transfer_bodies.arrival)
        parts = transfer_bodies.parts_of(asked.lines)
        place = await self._target(transfer)
        levels = _levels(transfer, place, None if asked.close else parts)
        plan = End(transfer.id, levels, RECEIVED, place, parts, close=asked.close, reason=asked.reason)
        return await self._submit(principal.owner, key, f"{transfer.id} receive", asked, plan)

    async def return_(self, request: Request) -> Response:
        """To the shelf that they came from, or to another one that is not the target."""
        principal, key, asked, transfer = await self._asked(request, transfer_bodies.return_)
        parts = transfer_bodies.parts_of(asked.lines)
        to = asked.target or transfer.source or ""
        if to == transfer.target:
            raise Invalid("to", f"the transfer goes to {to}: receive it there")
        require(principal, write_scope(to))
        place = Place(to, await self._locations.shard_to_write(to, "to"))
        plan = End(transfer.id, _levels(transfer, place, parts), RETURNED, place, parts, reason=asked.reason)
        return await self._submit(principal.owner, key, f"{transfer.id} return", asked, plan)

    async def close(self, request: Request) -> Response:
        """What is missing does not come any more: it is lost."""
        principal, key, asked, transfer = await self._asked(request, transfer_bodies.closing)
        parts = transfer_bodies.parts_of(asked.lines)
        plan = End(transfer.id, _levels(transfer, None, parts), NOWHERE, None, parts, reason=asked.reason)
        return await self._submit(principal.owner, key, f"{transfer.id} close", asked, plan)

    async def _asked(self, request: Request, read: Callable[[bytes], T]) -> tuple[Principal, str, T, Hold]:
        """Who asks, under which key, for what, of which transfer. Raises Forbidden, or NotFound."""
        principal = await self._access.admit(request)
        Query(request)
        key, asked, known = key_of(request), read(await request.body()), transfer_id(request)
        transfer = self._writers.remembered_holds.of([known]).get(known) or await self._reads.one(known)
        if transfer is None or transfer.target is None:
            raise NotFound("transfer", known)
        check_seen(principal, transfer)
        require(principal, write_scope(transfer.target))
        return principal, key, asked, transfer

    async def _target(self, transfer: Hold) -> Place:
        assert transfer.target is not None
        return Place(transfer.target, await self._locations.shard(transfer.target))

    async def _submit(
        self, owner: str, key: str, kind: str, asked: msgspec.Struct, plan: Plan, status: int = 200
    ) -> Response:
        outcome = await self._writers.submit(planned(owner, key, kind, asked, plan))
        return committed(outcome, status, TRANSFER)


def check_seen(principal: Principal, transfer: Hold) -> None:
    """Raises NotFound for who may neither read nor write where it comes from or goes to."""
    ends = (transfer.source or "", transfer.target or "")
    scopes = [scope(location) for location in ends for scope in (read_scope, write_scope)]
    if not any(allows(principal.scopes, scope) for scope in scopes):
        raise NotFound("transfer", transfer.id)


def transfer_id(request: Request) -> str:
    """Raises NotFound: what is no id is that of no transfer."""
    given: str = request.path_params["id"]
    known = hold_id(given)
    if known is None:
        raise NotFound("transfer", given[:64])
    return known


def _levels(transfer: Hold, place: Place | None, parts: Mapping[str, int | None] | None) -> list[LevelKey]:
    """Where units leave and come to: of the skus named; of all of them, if it has none of those."""
    keys = [key for key in transfer.lines if parts is None or key.sku in parts] or list(transfer.lines)
    return [*keys, *(place.level(key.sku) for key in keys if place is not None)]
