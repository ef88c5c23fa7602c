"""A shop of WooCommerce: what is sold there, who is told of it, and who may ask."""

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from tests.channels.shared.marketplace import Marketplace
from tests.channels.shared.notices import Notice, Patience
from tests.channels.shared.selling import Happening
from tests.channels.woocommerce.app import create_app
from tests.channels.woocommerce.orders import Orders
from tests.channels.woocommerce.products import Products
from tests.channels.woocommerce.rules import RULES
from tests.channels.woocommerce.times import Clock
from tests.channels.woocommerce.webhooks import Webhooks

ONCE = Patience((), None)
"""What was not taken is not sent again; that a webhook is disabled is its own affair."""


class WooCommerce(Marketplace):
    """``hours``: that the site's zone is ahead of UTC. ``tls``: what comes here came over HTTPS."""

    def __init__(self, pace: float = 1.0, hours: float = 2.0, *, tls: bool = True) -> None:
        self.clock = Clock(hours)
        self.tls = tls
        self.webhooks = Webhooks(self.clock)
        super().__init__(RULES, self.webhooks, ONCE, pace)
        self.notices.subscriptions = self.webhooks.held
        self.products = Products(lambda: self.selling, self.rules, self.clock)
        self.orders = Orders(lambda: self.selling, self.products, self.clock)
        self._app = create_app(self)

    @property
    def api(self) -> ASGIApp:
        return self._app

    def offer(self, product: Mapping[str, Any]) -> None:
        self.products.offer(product)

    def unsubscribe(self) -> None:
        self.webhooks.disable_all()

    def error_in_200(self) -> object:
        return {"code": "internal_server_error", "message": "There has been a critical error on this website."}

    def level_moved(self, listing: str) -> None:
        product = self.products.by_id[int(listing)]
        product.modified_at = time.time()
        self._tell("product.updated", self.products.shown(product))

    def order_happened(self, happening: Happening) -> None:
        self.orders.happened(happening)
        event = "created" if happening.event == "created" else "updated"
        self._tell(f"order.{event}", self.orders.shown(happening.order))

    def _tell(self, topic: str, shown: dict[str, Any]) -> None:
        if self.notices.subscriptions:
            self.notices.publish(Notice(str(uuid.uuid4()), topic, json.dumps(shown).encode(), time.time()))
