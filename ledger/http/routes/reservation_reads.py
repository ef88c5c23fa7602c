"""``GET /v1/reservations``: one of them, and pages of those that are asked for, the oldest first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, read_scope, readable_locations, require
from ledger.commit.hold import COMMITTED, PENDING, STATES, Hold, document
from ledger.holds.reads import Asked, HoldReads
from ledger.http.routes.reservations import check_seen, reservation_id
from server.http.json import Json
from server.http.level_cursor import CURSOR_REASON
from server.http.query import Query
from server.problems import Invalid, NotFound

AGE_S_MAX = 10 * 365 * 24 * 3600
LABEL_CHARACTERS_MAX = 256

_STATES = {**{state: [state] for state in STATES}, "open": [PENDING, COMMITTED]}
"""By what is asked for: the states that are meant."""


class ReservationReadRoutes:
    def __init__(self, access: Access, reads: HoldReads) -> None:
        self._access = access
        self._reads = reads

    def routes(self) -> list[Route]:
        return [
            Route("/v1/reservations", self.page, methods=["GET"]),
            Route("/v1/reservations/{id}", self.one, methods=["GET"]),
        ]

    async def one(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        known = reservation_id(request)
        hold = await self._reads.one(known)
        if hold is None:
            raise NotFound("reservation", known)
        check_seen(principal, hold)
        return Json(document(hold))

    async def page(self, request: Request) -> Response:
        """Of those whose every location may be read."""
        principal = await self._access.admit(request)
        query = Query(request, "owner", "customer", "reference", "state", "location", "sku", "age_s", "after", "limit")
        limit, location, sku = query.limit(), query.name("location"), query.name("sku")
        if location is not None:
            require(principal, read_scope(location))
        if sku is not None and location is None:
            raise Invalid("sku", "needs a location beside it", 400)
        asked = Asked(
            owner=label_of(query, "owner"),
            customer=label_of(query, "customer"),
            reference=label_of(query, "reference"),
            state=_state(query),
            location=location,
            sku=sku,
            age_s=query.seconds("age_s", high=AGE_S_MAX) or None,
            readable=readable_locations(principal),
        )
        found = await self._reads.page(asked, after_of(query), limit + 1)
        more = len(found) > limit
        content = {
            "reservations": [document(hold) for hold in found[:limit]],
            "next": cursor_of(found[limit - 1]) if more else None,
        }
        return Json(content)


def label_of(query: Query, name: str) -> str | None:
    text = query.text(name)
    if text is not None and (len(text) > LABEL_CHARACTERS_MAX or "\0" in text):
        raise Invalid(name, f"must be at most {LABEL_CHARACTERS_MAX} characters, without NUL", 400)
    return text


def _state(query: Query) -> Sequence[str] | None:
    state = query.text("state")
    if state is None:
        return None
    if state not in _STATES:
        raise Invalid("state", f"must be one of {', '.join(_STATES)}", 400)
    return _STATES[state]


def cursor_of(hold: Hold) -> str:
    assert hold.created_at is not None
    return f"{hold.created_at.astimezone(UTC).isoformat()}/{hold.id}"


def after_of(query: Query) -> tuple[datetime, str] | None:
    cursor = query.cursor()
    if not cursor:
        return None
    moment, _, known = cursor.partition("/")
    try:
        parsed = datetime.fromisoformat(moment)
        if parsed.tzinfo is None:
            raise ValueError
        return parsed, str(UUID(known))
    except ValueError:
        raise Invalid("after", CURSOR_REASON, 400) from None
