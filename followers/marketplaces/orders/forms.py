"""How orders and what is booked of them lie in the database: plain JSON, there and back. Pure.

Raises KeyError, ValueError for what was not written by this module: a defect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from followers.marketplaces.orders.booking import Booked, Hold, Level, Step, Units
from followers.marketplaces.terms import Listing, Order, OrderLine

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Booking:
    """A step that may be under way: whoever finds it sends it again, the same under the same key."""

    key: str
    step: Step


def order_json(order: Order) -> Json:
    return {
        "id": order.id,
        "state": order.state,
        "lines": [[line.remote, line.quantity] for line in order.lines],
        "placed_at": order.placed_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
        "number": order.number,
    }


def order_of(said: Mapping[str, Any]) -> Order:
    return Order(
        said["id"],
        said["state"],
        [OrderLine(remote, quantity) for remote, quantity in said["lines"]],
        datetime.fromisoformat(said["placed_at"]),
        datetime.fromisoformat(said["updated_at"]),
        said["number"],
    )


def level_json(listing: Listing) -> Json:
    return {"remote": listing.remote, "quantity": listing.quantity}


def booked_json(booked: Booked) -> Json:
    said: Json = {"sold": _rows(booked.sold)}
    if booked.hold is not None:
        said["hold"] = {
            "id": booked.hold.id,
            "held": _rows(booked.hold.held),
            "left": _rows(booked.hold.left),
        }
    return said


def booked_of(said: Mapping[str, Any]) -> Booked:
    hold = said.get("hold")
    return Booked(
        _units(said.get("sold", [])),
        None if hold is None else Hold(hold["id"], _units(hold["held"]), _units(hold["left"])),
    )


def booking_json(booking: Booking) -> Json:
    step = booking.step
    return {"key": booking.key, "kind": step.kind, "lines": _rows(dict(step.lines)), "hold": step.hold}


def booking_of(said: Mapping[str, Any]) -> Booking:
    lines = tuple(((sku, location), quantity) for sku, location, quantity in said["lines"])
    return Booking(said["key"], Step(said["kind"], lines, said["hold"]))


def _rows(units: Mapping[Level, int]) -> list[list[Any]]:
    return [[sku, location, quantity] for (sku, location), quantity in sorted(units.items())]


def _units(rows: list[list[Any]]) -> Units:
    return {(sku, location): quantity for sku, location, quantity in rows}
