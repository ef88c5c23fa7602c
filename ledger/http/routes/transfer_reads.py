"""``GET /v1/transfers``: one of them, and pages of those that are asked for, the oldest first."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, read_scope, readable_locations, require
from ledger.commit.hold import TRANSFER_STATES, document
from ledger.holds.transfer_reads import AskedTransfers, TransferReads
from ledger.http.routes.reservation_reads import AGE_S_MAX, after_of, cursor_of, label_of
from ledger.http.routes.transfers import check_seen, transfer_id
from server.http.json import Json
from server.http.query import Query
from server.problems import Invalid, NotFound

_STATES = {name: state for state, name in TRANSFER_STATES.items()}


class TransferReadRoutes:
    def __init__(self, access: Access, reads: TransferReads) -> None:
        self._access = access
        self._reads = reads

    def routes(self) -> list[Route]:
        return [
            Route("/v1/transfers", self.page, methods=["GET"]),
            Route("/v1/transfers/{id}", self.one, methods=["GET"]),
        ]

    async def one(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        known = transfer_id(request)
        transfer = await self._reads.one(known)
        if transfer is None:
            raise NotFound("transfer", known)
        check_seen(principal, transfer)
        return Json(document(transfer))

    async def page(self, request: Request) -> Response:
        """Of those that come from or go to a location that may be read."""
        principal = await self._access.admit(request)
        query = Query(request, "from", "to", "state", "reference", "age_s", "after", "limit")
        limit, source, target = query.limit(), query.name("from"), query.name("to")
        named = [location for location in (source, target) if location is not None]
        if named:
            require(principal, *map(read_scope, named))
        asked = AskedTransfers(
            source=source,
            target=target,
            state=_state(query),
            reference=label_of(query, "reference"),
            age_s=query.seconds("age_s", high=AGE_S_MAX) or None,
            readable=readable_locations(principal),
        )
        found = await self._reads.page(asked, after_of(query), limit + 1)
        more = len(found) > limit
        content = {
            "transfers": [document(transfer) for transfer in found[:limit]],
            "next": cursor_of(found[limit - 1]) if more else None,
        }
        return Json(content)


def _state(query: Query) -> str | None:
    state = query.text("state")
    if state is not None and state not in _STATES:
        raise Invalid("state", f"must be one of {', '.join(_STATES)}", 400)
    return None if state is None else _STATES[state]
