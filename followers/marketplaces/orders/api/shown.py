"""Orders as the API shows them."""

from typing import Any

from followers.marketplaces.orders.pages import OrderShown, Oversold, Unmapped, Window


def shown_order(one: OrderShown) -> dict[str, Any]:
    order, hold = one.order, one.booked.hold
    held = hold.held if hold else {}
    sold = {level: units - held.get(level, 0) for level, units in one.booked.all.items()}
    return {
        "id": order.id,
        "number": order.number or order.id,
        "state": order.state,
        "placed_at": order.placed_at,
        "updated_at": order.updated_at,
        "lines": [
            {
                "remote": line.remote,
                "quantity": line.quantity,
                "sku": one.mapped.get(line.remote, (None, None))[0],
                "location": one.mapped.get(line.remote, (None, None))[1],
            }
            for line in order.lines
        ],
        "booked": [
            {
                "sku": sku,
                "location": location,
                "sold": sold.get((sku, location), 0),
                "held": held.get((sku, location), 0),
            }
            for sku, location in sorted(one.booked.all)
        ],
        "unmapped": list(one.unmapped),
        "oversold": [{"sku": sku, "units": units} for sku, units in sorted(one.oversold.items())],
        "waits": one.waits,
        "reason": one.reason,
        "booked_here": one.is_ours,
    }


def shown_oversold(one: Oversold) -> dict[str, Any]:
    return {
        "order": one.order,
        "number": one.number,
        "sku": one.sku,
        "units": one.units,
        "at": one.at,
        "resolved_at": one.resolved_at,
        "resolved_by": one.resolved_by,
        "why": one.why,
    }


def shown_unmapped(one: Unmapped) -> dict[str, Any]:
    return {"remote": one.remote, "title": one.title, "orders": one.orders, "units": one.units}


def shown_window(window: Window) -> dict[str, Any]:
    return {
        "way_in_s": window.way_in_s,
        "way_out_s": window.way_out_s,
        "polled_s": window.polled_s,
        "listings": [
            {"remote": remote, "units_sold": one.sold, "units_at_risk": one.at_risk}
            for remote, one in window.selling.items()
        ],
    }
