"""The REST API, version 3: what is served of it."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.channels.woocommerce.access import check
from tests.channels.woocommerce.errors import Wrong
from tests.channels.woocommerce.orders import ALL, STATUSES
from tests.channels.woocommerce.paging import ids, one_of, page_of
from tests.channels.woocommerce.webhooks import STATES

if TYPE_CHECKING:
    from tests.channels.woocommerce.marketplace import WooCommerce

PATH = "/wp-json/wc/v3"
EDITABLE = ["POST", "PUT", "PATCH"]
Handler = Callable[[Request], Awaitable[Response]]


def create_app(shop: "WooCommerce") -> Starlette:
    api = _Api(shop)

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(PATH + path, api.guarded(handler), methods=list(methods or ["GET"]))

    return Starlette(
        routes=[
            route("/products", api.products),
            route("/products/batch", api.batch, *EDITABLE),
            route("/products/{id:int}", api.product),
            route("/products/{id:int}", api.change_product, *EDITABLE),
            route("/products/{id:int}/variations", api.variations),
            route("/products/{id:int}/variations/batch", api.batch_variations, *EDITABLE),
            route("/products/{id:int}/variations/{variation:int}", api.variation),
            route("/products/{id:int}/variations/{variation:int}", api.change_variation, *EDITABLE),
            route("/orders", api.orders),
            route("/orders/{id}", api.order),
            route("/orders/{id}/refunds", api.refunds),
            route("/webhooks", api.webhooks),
            route("/webhooks", api.make_webhook, "POST"),
            route("/webhooks/{id:int}", api.webhook),
            route("/webhooks/{id:int}", api.change_webhook, *EDITABLE),
            route("/webhooks/{id:int}", api.drop_webhook, "DELETE"),
            route("/{path:path}", api.describe, "OPTIONS"),
        ],
        exception_handlers={404: api.no_route, 405: api.no_route},
    )


class _Api:
    def __init__(self, shop: "WooCommerce") -> None:
        self._shop = shop

    def guarded(self, handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            self._shop.requests[handler.__name__] += 1
            try:
                check(request, revoked=self._shop.faults.token_revoked, tls=self._shop.tls)
                return await handler(request)
            except Wrong as wrong:
                self._shop.rules.broke(wrong.rule)
                return JSONResponse(wrong.body, wrong.status)

        return handle

    async def no_route(self, _: Request, __: Exception) -> Response:
        self._shop.rules.broke("route")
        message = "No route was found matching the URL and request method."
        return JSONResponse({"code": "rest_no_route", "message": message, "data": {"status": 404}}, 404)

    async def describe(self, _: Request) -> Response:
        """What WordPress says of a route, as far as anybody here asks."""
        return JSONResponse({"namespace": "wc/v3", "methods": ["GET", *EDITABLE]})

    async def products(self, request: Request) -> Response:
        query = request.query_params
        wanted, sku = ids(query, "include"), query.get("sku")
        found = [
            one
            for one in self._shop.products.by_id.values()
            if ((sku is None and one.parent is None) or (sku is not None and one.sku in sku.split(",")))
            and (wanted is None or one.id in wanted)
        ]
        one_of(query, "orderby", "date", "id", "modified", "title", "slug")
        found.sort(key=lambda one: one.id, reverse=one_of(query, "order", "desc", "asc") == "desc")
        return page_of(request, [self._shop.products.shown(one) for one in found])

    async def product(self, request: Request) -> Response:
        return JSONResponse(self._shop.products.shown(self._shop.products.product(request.path_params["id"])))

    async def change_product(self, request: Request) -> Response:
        return JSONResponse(self._shop.products.update(request.path_params["id"], await _body(request)))

    async def batch(self, request: Request) -> Response:
        products = self._shop.products
        return JSONResponse(products.batch(await _body(request), products.update))

    async def variations(self, request: Request) -> Response:
        products, query = self._shop.products, request.query_params
        wanted = ids(query, "include")
        numbers = sorted(products.product(request.path_params["id"]).variations)
        if one_of(query, "order", "desc", "asc") == "desc":
            numbers.reverse()
        chosen = [one for one in numbers if wanted is None or one in wanted]
        return page_of(request, [products.shown(products.by_id[one]) for one in chosen])

    async def variation(self, request: Request) -> Response:
        products, path = self._shop.products, request.path_params
        return JSONResponse(products.shown(products.variation(path["id"], path["variation"])))

    async def change_variation(self, request: Request) -> Response:
        path = request.path_params
        return JSONResponse(self._shop.products.update_variation(path["id"], path["variation"], await _body(request)))

    async def batch_variations(self, request: Request) -> Response:
        products, parent = self._shop.products, request.path_params["id"]
        products.product(parent)
        done = products.batch(
            await _body(request), lambda number, asked: products.update_variation(parent, number, asked)
        )
        return JSONResponse(done)

    async def orders(self, request: Request) -> Response:
        query = request.query_params
        gmt = one_of(query, "dates_are_gmt", "false", "true", "0", "1") in ("true", "1")
        found = self._shop.orders.found(query, lambda name, text: self._shop.clock.second(name, text, gmt=gmt))
        statuses = query.get("status", "any").split(",")
        for status in statuses:
            one_of({"status": status}, "status", *ALL)
        if "any" not in statuses:
            found = [one for one in found if STATUSES[one.state] in statuses]
        wanted = ids(query, "include")
        found = [one for one in found if wanted is None or int(one.id) in wanted]
        by = one_of(query, "orderby", "date", "id", "modified", "include", "title", "slug")
        found.sort(
            key=lambda one: (int(one.updated_at) if by == "modified" else 0, int(one.id)),
            reverse=one_of(query, "order", "desc", "asc") == "desc",
        )
        return page_of(request, [self._shop.orders.shown(one) for one in found])

    async def order(self, request: Request) -> Response:
        return JSONResponse(self._shop.orders.shown(self._shop.orders.order(request.path_params["id"])))

    async def refunds(self, request: Request) -> Response:
        orders = self._shop.orders
        return page_of(request, orders.refunds_of(orders.order(request.path_params["id"])))

    async def webhooks(self, request: Request) -> Response:
        hooks = self._shop.webhooks
        status = one_of(request.query_params, "status", "all", *STATES)
        found = [one for one in hooks.by_id.values() if status in ("all", one.status)]
        found.sort(key=lambda one: one.id, reverse=one_of(request.query_params, "order", "desc", "asc") == "desc")
        return page_of(request, [hooks.shown(one) for one in found])

    async def make_webhook(self, request: Request) -> Response:
        hooks = self._shop.webhooks
        made = hooks.shown(hooks.create(await _body(request)))
        return JSONResponse(made, 201, headers={"Location": f"{request.url}/{made['id']}"})

    async def webhook(self, request: Request) -> Response:
        hooks = self._shop.webhooks
        return JSONResponse(hooks.shown(hooks.webhook(request.path_params["id"])))

    async def change_webhook(self, request: Request) -> Response:
        hooks = self._shop.webhooks
        return JSONResponse(hooks.shown(hooks.update(request.path_params["id"], await _body(request))))

    async def drop_webhook(self, request: Request) -> Response:
        hooks = self._shop.webhooks
        force = one_of(request.query_params, "force", "false", "true", "0", "1") in ("true", "1")
        return JSONResponse(hooks.shown(hooks.delete(request.path_params["id"], force=force)))


async def _body(request: Request) -> dict[str, Any]:
    try:
        content = json.loads(await request.body() or b"{}")
    except ValueError:
        raise Wrong("json", 400, "rest_invalid_json", "Invalid JSON body passed.") from None
    if not isinstance(content, dict):
        raise Wrong("json", 400, "rest_invalid_json", "Invalid JSON body passed.")
    return content
