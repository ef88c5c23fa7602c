"""Levels, events, items and locations as JSON objects: the fields of the HTTP API. Pure."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stockwire.catalogue import Item, Location
    from stockwire.level import Level
    from stockwire.operation import Event, OperationResult
    from stockwire.reservation import Reservation


def level_fields(level: "Level") -> dict[str, Any]:
    """As the ledger writes a level."""
    return {
        "sku": level.sku,
        "location": level.location,
        "version": level.version,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
        "kind": level.kind,
        "committed_at": _optional_moment(level.committed_at),
        "shard": level.shard,
        "seq": level.seq,
    }


def result_fields(result: "OperationResult") -> dict[str, Any]:
    """The level as the operation left it, and the operation."""
    return {
        **level_fields(result.level),
        "operation": result.operation,
        "replayed": result.replayed,
        "idempotency_key": result.key,
    }


def reservation_fields(reservation: "Reservation") -> dict[str, Any]:
    """As the ledger writes it; of one that was just changed, with the levels and the operation."""
    fields = {
        "id": reservation.id,
        "state": reservation.state,
        "owner": reservation.owner,
        "customer": reservation.customer,
        "reference": reservation.reference,
        "version": reservation.version,
        "created_at": moment_text(reservation.created_at),
        "expires_at": _optional_moment(reservation.expires_at),
        "lines": [asdict(line) for line in reservation.lines],
    }
    result = reservation.result
    if result is None:
        return fields
    return {
        **fields,
        "levels": [level_fields(level) for level in result.levels],
        "operation": result.operation,
        "replayed": result.replayed,
        "idempotency_key": result.key,
    }


def event_fields(event: "Event") -> dict[str, Any]:
    """As the ledger writes an event of the audit trail."""
    times = {"occurred_at": _optional_moment(event.occurred_at), "committed_at": moment_text(event.committed_at)}
    return {**asdict(event), **times}


def item_fields(item: "Item") -> dict[str, Any]:
    price = None if item.price is None else str(item.price)
    return {
        "sku": item.sku,
        "name": item.name,
        "price": price,
        "currency": item.currency,
        "attributes": dict(item.attributes),
        **({} if item.hold_limits is None else {"hold_limits": item.hold_limits.body()}),
    }


def location_fields(location: "Location") -> dict[str, Any]:
    return {"location": location.location, "name": location.name}


def moment_text(at: datetime) -> str:
    """RFC 3339 in UTC, with microseconds."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _optional_moment(at: datetime | None) -> str | None:
    return None if at is None else moment_text(at)
