"""What can become of an order that is not sold.

    StockwireError
    └── OrderError                  order: as its journal has it
        ├── OrderRefused            shortage, limit, reason: nothing is held, nothing was taken
        ├── OrderDeclined           reason: the provider said no; the hold is let go of
        ├── OrderExpired            ttl_s: its hold ended before anything was taken
        ├── OrderCancelled          reason
        ├── ChargeUnknown           tries, asked_for_s: money may have been taken: resumed, the provider is asked
        │   └── ChargeUnresolved    asked for too long, or the hold has ended meanwhile: somebody has to look
        ├── ChargedWithoutStock     charge, refund, shortage, reason: money was taken and the stock is gone
        └── OrderBusy               for_s: somebody else is working on it
            └── OrderTaken          charge: somebody else has gone on with it while this process stood still

All but `OrderBusy`, and `OrderRefused` for a limit, are told again to whoever asks for the same order again: they stand
in its journal.
"""

from stockwire.errors import StockwireError
from stockwire.orders.order import Limit, Order, OrderState, Shortage


class OrderError(StockwireError):
    """``order``: as its journal has it."""

    def __init__(self, order: Order, message: str) -> None:
        super().__init__(f"order {order.key} {message}")
        self.order = order
        self.key = order.key


class OrderRefused(OrderError):
    """``shortage``: what was missing; ``limit``: what was in the way instead, and the same order may be asked for again
    once less is held. None of both where it was refused for another ``reason``.
    """

    def __init__(self, order: Order) -> None:
        super().__init__(order, f"is refused: {order.reason}")
        self.shortage: Shortage | None = order.shortage
        self.limit: Limit | None = order.limit
        self.reason = order.reason or ""


class OrderDeclined(OrderError):
    def __init__(self, order: Order) -> None:
        super().__init__(order, f"is not paid for: {order.reason}")
        self.reason = order.reason or ""


class OrderExpired(OrderError):
    def __init__(self, order: Order) -> None:
        super().__init__(order, f"was held for {order.lasts_s} s, and not paid for in this time")
        self.ttl_s = order.lasts_s


class OrderCancelled(OrderError):
    def __init__(self, order: Order) -> None:
        super().__init__(order, f"is cancelled: {order.reason}")
        self.reason = order.reason or ""


class ChargeUnknown(OrderError):
    """``tries``: of this run. ``asked_for_s``: since the provider was asked for the first time."""

    def __init__(self, order: Order, tries: int, asked_for_s: float, message: str | None = None) -> None:
        words = message or "may be paid for or not: resume it, and the provider is asked again"
        super().__init__(order, f"{words} ({tries} tries now, the first {asked_for_s:.0f} s ago)")
        self.tries = tries
        self.asked_for_s = asked_for_s


class ChargeUnresolved(ChargeUnknown):
    def __init__(self, order: Order, tries: int, asked_for_s: float) -> None:
        words = "may be paid for, and nothing is held for it any more: look at the provider, and settle it"
        super().__init__(order, tries, asked_for_s, words)


class ChargedWithoutStock(OrderError):
    """``charge``: what was taken. ``refund``: what the provider calls its going back; None: it has not gone back yet.

    ``shortage``: what was missing; None where the hold had ended in another way, or a part of it had left, which
    ``reason`` says.
    """

    def __init__(self, order: Order) -> None:
        told = "went back" if order.state is OrderState.REFUNDED else "has not gone back yet"
        super().__init__(order, f"is paid for and its stock is gone: {order.reason}; charge {order.charge} {told}")
        self.charge = order.charge
        self.refund = order.refund
        self.shortage: Shortage | None = order.shortage
        self.reason = order.reason or ""


class OrderBusy(OrderError):
    """``for_s``: until it can be resumed here, at the latest."""

    def __init__(self, order: Order, for_s: float) -> None:
        super().__init__(order, f"is being worked on elsewhere, for {for_s:.1f} s at most")
        self.for_s = for_s


class OrderTaken(OrderBusy):
    """``charge``: what the provider said meanwhile, under the order's one key; None if it was not asked."""

    def __init__(self, order: Order, charge: str | None = None) -> None:
        super().__init__(order, 0.0)
        self.charge = charge
