"""The control port, the same for all vendors: what is true there, what is to happen, and what is to go wrong.

GET  /truth     {"levels": {id: n}, "orders": [{"id", "lines": [{"id", "quantity"}], "state", "at"}],
                 "sets": n, "sold": {id: n}}; lines and sold: what is still sold
GET  /moved     every quantity that changed: [{"number", "id", "cause", "before", "after", "order", "at"}]
GET  /counts    {"requests": {operation: n}, "throttled": n, "broken": {rule id: n}, "notices": {what: n}}
POST /products  {"id", "title", "quantity", "barcode"?, ...the vendor's}
POST /set       {"id", "quantity"}: a person did it by hand there
POST /sell      {"id", "quantity", "paid"?} or {"lines": [{"id", "quantity"}], "paid"?} -> {"order"}, or 409
POST /pay /cancel /refund /edit
                {"order", "lines"?, "restock"?}
POST /buyers    {"ids", "per_s", "seconds", "seed"}; DELETE sends them home; GET {"buying", "turned_away"}
DELETE /subscriptions   the vendor has switched all of them off
POST /faults    all of them, as in ``faults.py``: what is left out goes right again
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.channels.shared.faults import Faults
from tests.channels.shared.marketplace import Marketplace
from tests.channels.shared.selling import SoldOut


def control_app(market: Marketplace, break_down: Callable[[Faults], None]) -> Starlette:
    """``break_down``: does what ``faults`` ask for on the way to the vendor's API."""
    control = _Control(market, break_down)
    return Starlette(
        routes=[
            Route("/truth", control.truth),
            Route("/moved", control.moved),
            Route("/counts", control.counts),
            Route("/products", control.offer, methods=["POST"]),
            Route("/set", control.set, methods=["POST"]),
            Route("/sell", control.sell, methods=["POST"]),
            Route("/pay", control.pay, methods=["POST"]),
            Route("/cancel", control.cancel, methods=["POST"]),
            Route("/refund", control.refund, methods=["POST"]),
            Route("/edit", control.edit, methods=["POST"]),
            Route("/buyers", control.crowd),
            Route("/buyers", control.come, methods=["POST"]),
            Route("/buyers", control.leave, methods=["DELETE"]),
            Route("/subscriptions", control.unsubscribe, methods=["DELETE"]),
            Route("/faults", control.go_wrong, methods=["POST"]),
        ],
        exception_handlers={
            SoldOut: _answer(409, "sold out"),
            KeyError: _answer(404, "unknown or missing"),
            ValueError: _answer(422, "senseless"),
        },
    )


class _Control:
    def __init__(self, market: Marketplace, break_down: Callable[[Faults], None]) -> None:
        self._market = market
        self._selling = market.selling
        self._break_down = break_down

    async def truth(self, _: Request) -> JSONResponse:
        selling = self._selling
        orders = [
            {"id": one.id, "lines": _listed(one.lines), "state": one.state, "at": one.at}
            for one in selling.orders.values()
        ]
        return JSONResponse({"levels": selling.levels, "orders": orders, "sets": selling.sets, "sold": selling.sold})

    async def moved(self, _: Request) -> JSONResponse:
        return JSONResponse([asdict(one) for one in self._selling.moved])

    async def counts(self, _: Request) -> JSONResponse:
        market = self._market
        return JSONResponse(
            {
                "requests": market.requests,
                "throttled": market.throttled,
                "broken": market.rules.broken,
                "notices": market.notices.counts,
            }
        )

    async def offer(self, request: Request) -> JSONResponse:
        self._market.offer(await request.json())
        return JSONResponse({}, 201)

    async def set(self, request: Request) -> JSONResponse:
        asked = await request.json()
        self._selling.set_by_hand(asked["id"], asked["quantity"])
        return JSONResponse({})

    async def sell(self, request: Request) -> JSONResponse:
        asked = await request.json()
        lines = _units(asked.get("lines", [asked]))
        return JSONResponse({"order": self._selling.sell(lines, paid=asked.get("paid", True)).id}, 201)

    async def pay(self, request: Request) -> JSONResponse:
        self._selling.pay((await request.json())["order"])
        return JSONResponse({})

    async def cancel(self, request: Request) -> JSONResponse:
        asked = await request.json()
        self._selling.cancel(asked["order"], restock=asked.get("restock", True))
        return JSONResponse({})

    async def refund(self, request: Request) -> JSONResponse:
        asked = await request.json()
        lines = _units(asked["lines"]) if "lines" in asked else None
        self._selling.refund(asked["order"], lines, restock=asked.get("restock", True))
        return JSONResponse({})

    async def edit(self, request: Request) -> JSONResponse:
        asked = await request.json()
        self._selling.edit(asked["order"], _units(asked["lines"]))
        return JSONResponse({})

    async def crowd(self, _: Request) -> JSONResponse:
        buyers = self._market.buyers
        return JSONResponse({"buying": buyers.buying, "turned_away": buyers.turned_away})

    async def come(self, request: Request) -> JSONResponse:
        asked = await request.json()
        self._market.buyers.come(asked["ids"], asked["per_s"], asked["seconds"], asked["seed"])
        return JSONResponse({})

    async def leave(self, _: Request) -> JSONResponse:
        self._market.buyers.leave()
        return JSONResponse({})

    async def unsubscribe(self, _: Request) -> JSONResponse:
        self._market.unsubscribe()
        return JSONResponse({})

    async def go_wrong(self, request: Request) -> JSONResponse:
        """``msgspec`` says what is no fault: its errors are ValueErrors."""
        faults = msgspec.json.decode(await request.body(), type=Faults)
        self._market.faults = faults
        self._market.notices.faults = faults.notices
        self._break_down(faults)
        return JSONResponse({})


def _listed(lines: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"id": listing, "quantity": units} for listing, units in lines.items()]


def _units(lines: list[dict[str, Any]]) -> dict[str, int]:
    return {one["id"]: one["quantity"] for one in lines}


def _answer(status: int, error: str) -> Callable[[Request, Exception], JSONResponse]:
    return lambda _, raised: JSONResponse({"error": error, "detail": str(raised)}, status)
