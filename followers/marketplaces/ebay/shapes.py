"""What we read of eBay's answers: the fields that we use, of its own names. Pure.

From eBay's OpenAPI documents: sell_inventory_v1_oas3, sell_fulfillment_v1_oas3, commerce_notification_v1_oas3.
"""

from collections.abc import Sequence

import msgspec


class Read(msgspec.Struct, frozen=True, rename="camel"):
    """Unknown fields are passed over."""


class Error(Read, frozen=True):
    error_id: int = 0
    domain: str = ""
    category: str = ""
    message: str = ""
    long_message: str = ""


class Errors(Read, frozen=True):
    errors: Sequence[Error] = ()


class Quantity(Read, frozen=True):
    quantity: int | None = None


class Availability(Read, frozen=True):
    ship_to_location_availability: Quantity = Quantity()


class Product(Read, frozen=True):
    title: str = ""
    ean: Sequence[str] = ()
    upc: Sequence[str] = ()
    isbn: Sequence[str] = ()


class Item(Read, frozen=True):
    sku: str
    product: Product = Product()
    availability: Availability = Availability()


class Items(Read, frozen=True):
    """``next``: the address of the next page."""

    total: int
    inventory_items: Sequence[Item] = ()
    next: str = ""


class ItemRead(Read, frozen=True):
    inventory_item: Item | None = None


class ItemsRead(Read, frozen=True):
    responses: Sequence[ItemRead]


class Offer(Read, frozen=True):
    offer_id: str
    format: str = ""
    status: str = ""
    available_quantity: int | None = None

    @property
    def is_ours_to_set(self) -> bool:
        """Quantities of what is not published, and of auctions, are not updated in bulk."""
        return self.status == "PUBLISHED" and self.format == "FIXED_PRICE"


class Offers(Read, frozen=True):
    offers: Sequence[Offer]


class Updated(Read, frozen=True):
    """``sku`` and ``offer_id``: of what it is the outcome, at least one of them."""

    status_code: int
    sku: str = ""
    offer_id: str = ""
    errors: Sequence[Error] = ()


class BulkUpdated(Read, frozen=True):
    responses: Sequence[Updated]


class Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class TokenRefused(msgspec.Struct, frozen=True):
    error: str = ""
    error_description: str = ""


class PublicKey(Read, frozen=True):
    key: str
    digest: str = "SHA1"


class DeliveryConfig(Read, frozen=True):
    endpoint: str = ""


class Destination(Read, frozen=True):
    destination_id: str
    status: str = ""
    delivery_config: DeliveryConfig = DeliveryConfig()


class Destinations(Read, frozen=True):
    total: int
    destinations: Sequence[Destination] = ()


class Subscription(Read, frozen=True):
    subscription_id: str
    topic_id: str = ""
    status: str = ""
    destination_id: str = ""


class Subscriptions(Read, frozen=True):
    total: int
    subscriptions: Sequence[Subscription] = ()


class Rate(Read, frozen=True):
    """``reset``: when ``remaining`` is ``limit`` again, ISO 8601."""

    limit: int
    remaining: int
    reset: str = ""


class RatedResource(Read, frozen=True):
    name: str
    rates: Sequence[Rate] = ()


class RatedApi(Read, frozen=True):
    resources: Sequence[RatedResource] = ()


class Rates(Read, frozen=True):
    rate_limits: Sequence[RatedApi]
