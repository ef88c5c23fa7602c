"""``/v1/movements``."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, require, write_scope
from ledger.commit.line import Line
from ledger.commit.writers import Writers
from ledger.database.locations import Locations
from ledger.http import bodies
from ledger.http.idempotency import key_of, operation_of
from ledger.http.responses import committed
from server.http.query import Query


class MovementRoutes:
    def __init__(self, access: Access, locations: Locations, writers: Writers, lines_max: int) -> None:
        self._access = access
        self._locations = locations
        self._writers = writers
        self._lines_max = lines_max

    def routes(self) -> list[Route]:
        return [Route("/v1/movements", self.move, methods=["POST"])]

    async def move(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        key = key_of(request)
        movements = bodies.movements(await request.body(), self._lines_max)
        locations = dict.fromkeys(movement.location for movement in movements)
        for location in locations:  # all of them first: who may not write here does not learn what exists
            require(principal, write_scope(location))
        shards = {location: await self._locations.shard_to_write(location) for location in locations}
        lines = tuple(line_of(movement, shards) for movement in movements)
        outcome = await self._writers.submit(operation_of(principal.owner, key, "movements", lines))
        return committed(outcome, 201)


def line_of(movement: bodies.Movement, shards: Mapping[str, int]) -> Line:
    return Line(
        sku=movement.sku,
        location=movement.location,
        shard=shards[movement.location],
        kind=movement.kind,
        quantity=movement.quantity,
        expected_version=movement.expected_version,
        reason=movement.reason,
        reference=movement.reference,
        occurred_at=movement.occurred_at,
    )
