"""Products and their variations, with the counts of those that manage stock."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.channels.shared.rules import Rules
from tests.channels.shared.selling import Selling
from tests.channels.woocommerce.errors import Wrong, wrong_parameter
from tests.channels.woocommerce.times import Clock

BATCH_MAX = 100
LINK = "woocommerce_rest_invalid_product_id"
LINK_TEXT = (
    "To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
)


@dataclass(slots=True)
class Product:
    """``parent``: of a variation. ``manages``: its stock is counted; "parent": with its product's."""

    id: int
    name: str
    sku: str
    barcode: str
    parent: int | None
    manages: bool | Literal["parent"]
    modified_at: float
    variations: list[int] = field(default_factory=list)


class Products:
    def __init__(self, selling: Callable[[], Selling], rules: Rules, clock: Clock) -> None:
        self.by_id: dict[int, Product] = {}
        self._selling = selling
        self._rules = rules
        self._clock = clock

    def offer(self, asked: Mapping[str, Any]) -> None:
        """``id``: a number, as text. ``parent``: of a variation. ``manage_stock``: true unless it says otherwise."""
        number = int(asked["id"])
        parent = int(asked["parent"]) if "parent" in asked else None
        if parent is not None:
            of = self.by_id.setdefault(parent, Product(parent, "Variable", "", "", None, False, time.time()))
            of.variations.append(number)
        manages = asked.get("manage_stock", True)
        self.by_id[number] = Product(
            *(number, asked["title"], asked.get("sku", ""), asked.get("barcode", "")), parent, manages, time.time()
        )
        if manages is True:
            self._selling().offer(str(number), asked["quantity"])

    def product(self, number: int) -> Product:
        found = self.by_id.get(number)
        if found is None or found.parent is not None:
            raise Wrong("product.unknown", 404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return found

    def variation(self, parent: int, number: int) -> Product:
        found = self.by_id.get(number)
        if found is None or found.parent != self.product(parent).id:
            message = "Invalid ID." if found is None else "Parent product does not match current variation."
            raise Wrong("variation.unknown", 404, "woocommerce_rest_product_variation_invalid_id", message)
        return found

    def update(self, number: int, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = self.by_id.get(number)
        if found is not None and found.parent is not None:
            raise Wrong("product.variation", 404, LINK, LINK_TEXT)
        return self._update(self.product(number), asked)

    def update_variation(self, parent: int, number: int, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._update(self.variation(parent, number), asked)

    def batch(
        self, asked: Mapping[str, Any], update: Callable[[int, Mapping[str, Any]], dict[str, Any]]
    ) -> dict[str, list[dict[str, Any]]]:
        """Each for itself, in order: those that are wrong have an error beside their id."""
        if sum(len(asked.get(what, ())) for what in ("create", "update", "delete")) > BATCH_MAX:
            message = f"Unable to accept more than {BATCH_MAX} items for this request."
            raise Wrong("batch.most", 413, "woocommerce_rest_request_entity_too_large", message)
        done = []
        for one in asked.get("update", ()):
            number = one.get("id", 0)
            try:
                done.append(update(number, one))
            except Wrong as wrong:
                self._rules.broke(wrong.rule)
                done.append({"id": number, "error": wrong.body})
        return {"update": done}

    def shown(self, product: Product) -> dict[str, Any]:
        quantity = self._quantity(product)
        kind = "variation" if product.parent is not None else "variable" if product.variations else "simple"
        return {
            "id": product.id,
            "name": product.name,
            "type": kind,
            "status": "publish",
            "sku": product.sku,
            "global_unique_id": product.barcode,
            "manage_stock": product.manages,
            "stock_quantity": quantity,
            "stock_status": "outofstock" if quantity == 0 else "instock",
            "backorders": "no",
            "backorders_allowed": False,
            "parent_id": product.parent or 0,
            "variations": product.variations,
            **self._clock.both("date_modified", product.modified_at),
        }

    def _update(self, product: Product, asked: Mapping[str, Any]) -> dict[str, Any]:
        quantity = asked.get("stock_quantity")
        if quantity is not None and (isinstance(quantity, bool) or not isinstance(quantity, int)):
            raise wrong_parameter("stock.integer", "stock_quantity", "stock_quantity is not of type integer.")
        product.manages = asked.get("manage_stock", product.manages)
        product.modified_at = time.time()
        selling = self._selling()
        if product.manages is not True:
            if quantity is not None:
                self._rules.broke("stock.unmanaged")
            return self.shown(product)
        if str(product.id) not in selling.levels:
            selling.offer(str(product.id), 0)
        if quantity is not None:
            selling.set(str(product.id), quantity)
        return self.shown(product)

    def _quantity(self, product: Product) -> int | None:
        if product.manages == "parent":
            return self._quantity(self.by_id[product.parent or 0])
        return self._selling().levels.get(str(product.id)) if product.manages else None
