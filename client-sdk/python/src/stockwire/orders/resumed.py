"""What became of an order that was resumed among others."""

from dataclasses import dataclass

from stockwire.orders.order import Order


@dataclass(frozen=True, slots=True)
class Resumed:
    """``order``: as it stands now; None: its row cannot be read. ``error``: what `resume` would have raised for it."""

    key: str
    order: Order | None
    error: Exception | None = None
