"""Orders and their refunds, as WooCommerce shows them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.channels.shared.selling import Happening, Order, Selling
from tests.channels.woocommerce.errors import Wrong
from tests.channels.woocommerce.products import Products
from tests.channels.woocommerce.times import Clock

STATUSES = {"paid": "processing", "unpaid": "on-hold", "cancelled": "cancelled", "refunded": "refunded"}
ALL = ("any", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "trash")
PRICE = "10.00"


@dataclass(frozen=True, slots=True)
class Refund:
    id: int
    at: float
    units: Mapping[str, int]


class Orders:
    def __init__(self, selling: Callable[[], Selling], products: Products, clock: Clock) -> None:
        self._selling = selling
        self._products = products
        self._clock = clock
        self._refunds: dict[str, list[Refund]] = defaultdict(list)

    def happened(self, happening: Happening) -> None:
        if happening.event == "refunded":
            refunds = self._refunds[happening.order.id]
            number = int(happening.order.id) * 1000 + len(refunds) + 1
            refunds.append(Refund(number, happening.order.updated_at, happening.units))

    def order(self, number: str) -> Order:
        found = self._selling().orders.get(number)
        if found is None:
            raise Wrong("order.unknown", 404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return found

    def refunds_of(self, order: Order) -> list[dict[str, Any]]:
        return [
            {
                "id": one.id,
                **self._clock.both("date_created", one.at),
                "amount": f"{10 * -sum(one.units.values())}.00",
                "reason": "",
                "line_items": [
                    {**line, "id": one.id * 100 + at} for at, line in enumerate(self._lines(order, one.units))
                ],
            }
            for one in self._refunds[order.id]
        ]

    def shown(self, order: Order) -> dict[str, Any]:
        paid_at = None if order.state == "unpaid" else order.at
        return {
            "id": int(order.id),
            "parent_id": 0,
            "number": order.id,
            "status": STATUSES[order.state],
            "currency": "EUR",
            "total": f"{10 * sum(order.ordered.values())}.00",
            **self._clock.both("date_created", order.at),
            **self._clock.both("date_modified", order.updated_at),
            **self._clock.both("date_paid", paid_at),
            "line_items": self._lines(order, order.ordered),
            "refunds": [
                {"id": one["id"], "reason": "", "total": f"-{one['amount']}"} for one in self.refunds_of(order)
            ],
        }

    def found(self, query: Mapping[str, str], second: Callable[[str, str], int]) -> list[Order]:
        """``second``: of a parameter's date. What they ask for in seconds leaves out that second itself."""
        orders = list(self._selling().orders.values())
        for name, at in (("after", "at"), ("modified_after", "updated_at")):
            if name in query:
                bound = second(name, query[name])
                orders = [one for one in orders if int(getattr(one, at)) > bound]
        for name, at in (("before", "at"), ("modified_before", "updated_at")):
            if name in query:
                bound = second(name, query[name])
                orders = [one for one in orders if int(getattr(one, at)) < bound]
        return orders

    def _lines(self, order: Order, units: Mapping[str, int]) -> list[dict[str, Any]]:
        lines = []
        for at, (listing, quantity) in enumerate(units.items(), start=1):
            product = self._products.by_id[int(listing)]
            if quantity:
                lines.append(
                    {
                        "id": int(order.id) * 100 + at,
                        "name": product.name,
                        "product_id": product.parent or product.id,
                        "variation_id": product.id if product.parent else 0,
                        "quantity": quantity,
                        "sku": product.sku,
                        "price": PRICE,
                        "total": f"{10 * quantity}.00",
                    }
                )
        return lines
