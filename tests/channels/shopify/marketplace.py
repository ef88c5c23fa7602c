"""One shop at Shopify: what is sold there, who is told of it, and who may ask."""

import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from tests.channels.shared.marketplace import Marketplace
from tests.channels.shared.notices import Notice, Patience, Post
from tests.channels.shared.selling import Happening
from tests.channels.shopify import payloads
from tests.channels.shopify.access import Access
from tests.channels.shopify.app import create_app
from tests.channels.shopify.bucket import Bucket
from tests.channels.shopify.inventory import Inventory
from tests.channels.shopify.queries import Queries
from tests.channels.shopify.rules import RULES
from tests.channels.shopify.schema import FILE, load, scopes
from tests.channels.shopify.shop import Shop
from tests.channels.shopify.subscriptions import Subscriptions

FAILURES = 8
FIRST_WAIT_S = 56.0
PATIENCE = Patience(tuple(FIRST_WAIT_S * 2**retry for retry in range(8)), FAILURES)
"""8 retries within 4 hours."""
TIMEOUT_S = 5.0


class Shopify(Marketplace):
    """``schema``: the file that Shopify ships."""

    def __init__(self, pace: float = 1.0, schema: Path = FILE) -> None:
        super().__init__(RULES, Post(payloads.headers, TIMEOUT_S), PATIENCE, pace)
        self.shop = Shop(lambda: self.selling)
        self.access = Access()
        inventory = Inventory(self.shop, self.selling, self.rules, lambda: self.faults.late_apply_s)
        subscriptions = Subscriptions(self.notices.subscriptions, self.rules)
        queries = Queries(load(schema), scopes(schema), self.shop, inventory, subscriptions, self.access, self.rules)
        self._app = create_app(self, queries, self.access, Bucket(pace))

    @property
    def api(self) -> ASGIApp:
        return self._app

    def offer(self, product: Mapping[str, Any]) -> None:
        self.shop.offer(product)

    def error_in_200(self) -> object:
        return {"errors": [{"message": "Internal error. Looks like something went wrong on our end."}]}

    def level_moved(self, listing: str) -> None:
        self._tell("inventory_levels/update", payloads.of_level(listing, self.selling.levels[listing]))

    def order_happened(self, happening: Happening) -> None:
        refund = self.shop.happened(happening)
        order = happening.order
        history = self.shop.histories[order.id]
        if happening.event == "edited":
            self._tell("orders/edited", payloads.of_edit(happening))
        elif happening.event in ("created", "paid", "cancelled"):
            topic = {"created": "create"}.get(happening.event, happening.event)
            self._tell(f"orders/{topic}", payloads.of_order(self.shop, order, history))
        if refund is not None and refund.units:
            self._tell("refunds/create", payloads.of_refund(order, refund))

    def _tell(self, topic: str, payload: dict[str, Any]) -> None:
        self.notices.publish(Notice(str(uuid.uuid4()), topic, json.dumps(payload).encode(), time.time()))
