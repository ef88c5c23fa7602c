"""What a marketplace holds to be true: how much of each listing it may sell, its orders, and how both came to be."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["paid", "unpaid", "cancelled", "refunded"]
ENDED: tuple[State, ...] = ("cancelled", "refunded")
Event = Literal["created", "paid", "edited", "cancelled", "refunded"]
Cause = Literal["offered", "set", "by_hand", "sold", "returned"]


class SoldOut(Exception):
    """Of ``listing`` more was asked for than there is: nothing was sold."""

    def __init__(self, listing: str, asked: int, available: int) -> None:
        super().__init__(f"{listing}: asked for {asked}, available {available}")
        self.listing, self.asked, self.available = listing, asked, available


@dataclass(frozen=True, slots=True)
class Moved:
    """A quantity that changed, for whatever cause. ``number`` counts all of them, in the order in which they came."""

    number: int
    id: str
    cause: Cause
    before: int
    after: int
    order: str | None
    at: float


@dataclass(slots=True)
class Order:
    """``ordered``: units by id, as last edited; ``refunded``: how many of them came to nothing. Times since 1970."""

    id: str
    ordered: dict[str, int]
    state: State
    at: float
    updated_at: float
    refunded: Counter[str] = field(default_factory=Counter)

    @property
    def lines(self) -> dict[str, int]:
        """Units by id that are still sold: without what was edited out, refunded or cancelled."""
        kept = 0 if self.state == "cancelled" else 1
        return {one: kept * (units - self.refunded[one]) for one, units in self.ordered.items()}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happened to ``order``. ``units`` by id: by how much what it has sold changed through it; ``restocked``:
    whether what came back of it may be sold again."""

    order: Order
    event: Event
    units: Mapping[str, int]
    restocked: bool = True


class Selling:
    """``levels``: units by id that may be sold, never below 0: with 0 it sells nothing.

    A listing's id is the vendor's, and says where it lies if the vendor counts by place. ``on_level(listing)`` and
    ``on_order(happening)`` are called at once after each change: the level first, as vendors do. ``order_id(number)``:
    how the vendor writes an order's id.
    """

    def __init__(
        self,
        on_level: Callable[[str], None],
        on_order: Callable[[Happening], None],
        order_id: Callable[[int], str] = str,
    ) -> None:
        self.levels: dict[str, int] = {}
        self.orders: dict[str, Order] = {}
        self.moved: list[Moved] = []
        self.sets = 0
        self._on_level = on_level
        self._on_order = on_order
        self._order_id = order_id
        self._order_numbers = itertools.count(1001)

    @property
    def sold(self) -> dict[str, int]:
        """Units by id in all orders, as they stand."""
        sold: Counter[str] = Counter()
        for order in self.orders.values():
            sold.update(order.lines)
        return dict(sold)

    def offer(self, listing: str, quantity: int) -> None:
        """A listing that is new, or offered anew."""
        self._move(listing, quantity, "offered")

    def set(self, listing: str, quantity: int) -> None:
        """From outside, by the vendor's API. Raises KeyError if it is not offered."""
        self.sets += 1
        self._move(listing, quantity, "set", before=self.levels[listing])

    def set_by_hand(self, listing: str, quantity: int) -> None:
        """A person changed it there. Raises KeyError if it is not offered."""
        self._move(listing, quantity, "by_hand", before=self.levels[listing])

    def sell(self, lines: Mapping[str, int], *, paid: bool = True) -> Order:
        """All lines or none. Raises SoldOut, or KeyError if one is not offered."""
        now = time.time()
        order = Order(self._order_id(next(self._order_numbers)), dict(lines), "paid" if paid else "unpaid", now, now)
        self._take(lines, order)
        self.orders[order.id] = order
        self._on_order(Happening(order, "created", dict(lines)))
        return order

    def pay(self, order_id: str) -> None:
        order = self.orders[order_id]
        if order.state == "unpaid":
            order.state = "paid"
            self._happened(order, "paid", {})

    def edit(self, order_id: str, lines: Mapping[str, int]) -> None:
        """``lines`` is what is sold from now on, all of it. Raises SoldOut, or ValueError if the order has ended."""
        order = self.orders[order_id]
        if order.state in ENDED:
            raise ValueError(f"order {order_id} is {order.state}")
        units = {one: lines.get(one, 0) - order.lines.get(one, 0) for one in {**order.ordered, **lines}}
        self._take(units, order)
        for one, more in units.items():
            order.ordered[one] = order.ordered.get(one, 0) + more
        self._happened(order, "edited", units)

    def cancel(self, order_id: str, *, restock: bool = True) -> None:
        """Once: again changes nothing."""
        order = self.orders[order_id]
        if order.state in ENDED:
            return
        back = {one: -units for one, units in order.lines.items()}
        order.state = "cancelled"
        if restock:
            self._take(back, order)
        self._happened(order, "cancelled", back, restock)

    def refund(self, order_id: str, lines: Mapping[str, int] | None = None, *, restock: bool = True) -> None:
        """``lines``: all that is still sold, if it does not say. Raises ValueError for more than that."""
        order = self.orders[order_id]
        back = {one: -units for one, units in (order.lines if lines is None else lines).items()}
        if any(order.lines.get(one, 0) + units < 0 for one, units in back.items()):
            raise ValueError(f"order {order_id} has sold {order.lines}, not {lines}")
        order.refunded.subtract(back)
        if not any(order.lines.values()):
            order.state = "refunded"
        if restock:
            self._take(back, order)
        self._happened(order, "refunded", back, restock)

    def _take(self, units: Mapping[str, int], order: Order) -> None:
        """Out of the levels, or back into them where ``units`` are below 0."""
        for listing, more in units.items():
            if more > self.levels[listing]:
                raise SoldOut(listing, more, self.levels[listing])
        for listing, more in units.items():
            if more:
                self._move(listing, self.levels[listing] - more, "sold" if more > 0 else "returned", order=order.id)

    def _happened(self, order: Order, event: Event, units: Mapping[str, int], restocked: bool = True) -> None:
        order.updated_at = time.time()
        self._on_order(Happening(order, event, units, restocked))

    def _move(
        self, listing: str, after: int, cause: Cause, *, before: int | None = None, order: str | None = None
    ) -> None:
        if before is None:
            before = self.levels.get(listing, 0)
        self.levels[listing] = after
        self.moved.append(Moved(len(self.moved) + 1, listing, cause, before, after, order, time.time()))
        self._on_level(listing)
