"""``PUT /v1/levels/{location}/{sku}``: what a physical count found."""

import re

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, require, write_scope
from ledger.commit.line import COUNT, Line
from ledger.commit.writers import Writers
from ledger.database.locations import Locations
from ledger.http import bodies
from ledger.http.idempotency import key_of, operation_of
from ledger.http.responses import committed
from server.http.query import Query, path_name
from server.problems import Invalid

IF_MATCH = "If-Match"

_ENTITY_TAG = re.compile(r'"(0|[1-9][0-9]{0,18})"\Z')
_VERSION_MAX = 2**63 - 1


class CountRoutes:
    def __init__(self, access: Access, locations: Locations, writers: Writers) -> None:
        self._access = access
        self._locations = locations
        self._writers = writers

    def routes(self) -> list[Route]:
        return [Route("/v1/levels/{location}/{sku}", self.count, methods=["PUT"])]

    async def count(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        location, sku = path_name(request, "location"), path_name(request, "sku")
        require(principal, write_scope(location))
        key = key_of(request)
        matched = if_match(request.headers.getlist(IF_MATCH))
        body = bodies.decode(bodies.count_decoder, await request.body())
        bodies.check_moment(body.occurred_at, "occurred_at")
        line = Line(
            sku=sku,
            location=location,
            shard=await self._locations.shard_to_write(location),
            kind=COUNT,
            quantity=body.on_hand,
            expected_version=expected_version(body, matched),
            precondition=matched is not None,
            reason=body.reason,
            reference=body.reference,
            occurred_at=body.occurred_at,
        )
        outcome = await self._writers.submit(operation_of(principal.owner, key, "count", (line,)))
        return committed(outcome, 200)


def if_match(values: list[str]) -> int | None:
    """The version that If-Match names. Raises Invalid (400): a list or ``*`` names none."""
    if not values:
        return None
    match = _ENTITY_TAG.match(values[0].strip())
    if len(values) > 1 or match is None or int(match[1]) > _VERSION_MAX:
        raise Invalid(IF_MATCH, 'must be one version in double quotes, such as "7"', 400)
    return int(match[1])


def expected_version(body: bodies.Count, matched: int | None) -> int | None:
    """Raises Invalid if neither header nor body says it, or if they disagree."""
    if body.expected_version is UNSET:
        if matched is None:
            raise Invalid("expected_version", "is required, here or as If-Match; null opts out")
        return matched
    if matched is not None and body.expected_version != matched:
        raise Invalid("expected_version", f"disagrees with If-Match, which names {matched}")
    return body.expected_version
