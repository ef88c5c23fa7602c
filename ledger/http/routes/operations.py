"""``/v1/operations``: many operations in one request, each decided on its own; and a look-up of them by their keys.

For senders that book thousands at once, such as an import or a connector that has been away.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, require, write_scope
from ledger.commit import statements
from ledger.commit.line import COUNT, LOST, TRANSFER, TRANSIT, Line
from ledger.commit.operation import Operation, operation_id
from ledger.commit.writers import Writers
from ledger.database.locations import TRANSIT as TRANSIT_NAME
from ledger.database.locations import Locations
from ledger.database.reading import reading
from ledger.errors import Refusal
from ledger.http import operation_bodies
from ledger.http.idempotency import operation_of
from ledger.http.responses import content_of
from ledger.http.routes.movements import line_of
from server.http.json import Json
from server.http.query import Query
from server.problems import Problem
from wire.scopes import allows
from wire.tokens import Principal

COMMITTED = 201


class OperationRoutes:
    def __init__(
        self, engine: AsyncEngine, access: Access, locations: Locations, writers: Writers, lines_max: int
    ) -> None:
        self._engine = engine
        self._access = access
        self._locations = locations
        self._writers = writers
        self._lines_max = lines_max

    def routes(self) -> list[Route]:
        return [
            Route("/v1/operations", self.submit, methods=["POST"]),
            Route("/v1/operations/query", self.query, methods=["POST"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Those at one location are decided in the order given: each batch is enqueued in it, and then answered."""
        principal = await self._access.admit(request)
        Query(request)
        asked = operation_bodies.operations(await request.body(), self._lines_max)
        locations = dict.fromkeys(location for operation in asked.operations for location in _locations(operation))
        for location in locations:  # all of them first: who may not write here does not learn what exists
            require(principal, write_scope(location))
        shards = {location: await self._locations.shard_to_write(location) for location in locations}
        operations = [_operation(principal, operation, shards) for operation in asked.operations]
        results: list[dict[str, Any]] = []
        for batch in batches(operations):
            results += await asyncio.gather(*(self._result(operation, asked.events) for operation in batch))
        return Json({"results": results})

    async def query(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        keys = operation_bodies.operation_keys(await request.body())
        ids = {operation_id(principal.owner, key): key for key in keys}
        async with reading(self._engine) as connection:
            known = await statements.known(connection, ids)
        found = {ids[operation.id]: operation for operation in known if _may_see(principal, operation.lines)}
        return Json({"operations": [_known(key, found[key]) for key in dict.fromkeys(keys) if key in found]})

    async def _result(self, operation: Operation, events: bool) -> dict[str, Any]:
        """``events``: with all that the operation alone would have been answered."""
        try:
            outcome = await self._writers.submit(operation)
        except Problem as error:
            replayed = isinstance(error, Refusal) and error.replayed
            return {**error.document(), "key": operation.key, "replayed": replayed}
        return {
            "key": operation.key,
            "status": COMMITTED,
            **(content_of(outcome) if events else {"operation": outcome.operation}),
            "replayed": outcome.replayed,
        }


def batches(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    """In the order given, as many at a time as the writers keep in order.

    Operations within one shard and those across several have queues of their own: a location that was named by one of
    these is named by one of the others in a later batch only. Few requests have both.
    """
    batch: list[Operation] = []
    named: dict[str, bool] = {}
    for operation in operations:
        across, locations = operation.shard is None, {line.location for line in operation.lines}
        if any(named.get(location, across) is not across for location in locations):
            yield batch
            batch, named = [], {}
        batch.append(operation)
        named |= dict.fromkeys(locations, across)
    yield batch


def _locations(operation: operation_bodies.KeyedOperation) -> list[str]:
    if operation.count is not UNSET:
        return [operation.count.location]
    return [] if operation.lines is UNSET else [line.location for line in operation.lines]


def _operation(principal: Principal, asked: operation_bodies.KeyedOperation, shards: Mapping[str, int]) -> Operation:
    """The same fingerprint as the routes of single movements and counts give: a key may be used in either way."""
    if asked.count is not UNSET:
        return operation_of(principal.owner, asked.key, "count", (_counted(asked.count, shards),))
    assert asked.lines is not UNSET
    lines = tuple(line_of(movement, shards) for movement in asked.lines)
    return operation_of(principal.owner, asked.key, "movements", lines)


def _counted(count: operation_bodies.LevelCount, shards: Mapping[str, int]) -> Line:
    return Line(
        sku=count.sku,
        location=count.location,
        shard=shards[count.location],
        kind=COUNT,
        quantity=count.on_hand,
        expected_version=count.expected_version,
        reason=count.reason,
        reference=count.reference,
        occurred_at=count.occurred_at,
    )


def _may_see(principal: Principal, lines: Sequence[Mapping[str, Any]]) -> bool:
    """A token may have less than all scopes of the owner whose keys these are."""
    return all(allows(principal.scopes, write_scope(location)) for location in {_moved_by(line) for line in lines})


def _moved_by(line: Mapping[str, Any]) -> str:
    """Where somebody must be allowed to write for it: on their way to a location units are moved by who may there."""
    location: str = line["location"]
    return location.removeprefix(TRANSIT_NAME) if line["kind"] in (TRANSFER, TRANSIT, LOST) else location


def _known(key: str, operation: statements.Known) -> dict[str, Any]:
    refusal = {} if operation.refusal is None else operation.refusal.document()
    return {"key": key, "status": COMMITTED, "operation": operation.id, **refusal, "lines": operation.lines}
