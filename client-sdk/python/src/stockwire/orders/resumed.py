"""What became of an order that was resumed among others."""

from dataclasses import dataclass

from stockwire.orders.order import Order


@dataclass(frozen=True, slots=True)
class Resumed:
    """``order``: as it stands now. ``error``: what `resume` would have raised for it."""

    key: str
    order: Order
    error: Exception | None = None
