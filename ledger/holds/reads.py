"""Reservations as they are read: one, or a page of those that were asked for, the oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.commit.hold import Hold
from ledger.commit.statements import HOLD_COLUMNS, holds_of_rows
from ledger.database.reading import reading

_ONE = text(f"""
    select {HOLD_COLUMNS} from hold h join hold_line l on l.hold = h.id
     where h.id = cast(:id as uuid) and h.target is null order by l.place
""")

_PAGE = """
    with page as materialized (
      select * from hold h where target is null and {where} order by created_at, id limit :limit)
    select {columns} from page h join hold_line l on l.hold = h.id order by h.created_at, h.id, l.place
"""

_FILTERS = {
    "owner": "owner = :owner",
    "customer": "customer = :customer",
    "reference": "reference = :reference",
    "state": "state = any(:state)",
    "age_s": "created_at < clock_timestamp() - make_interval(secs => cast(:age_s as float8))",
    "location": "exists (select from hold_line l where l.hold = h.id and l.location = :location)",
    "level": """id in (select l.hold from hold_line l
                        where l.location = :location and l.sku = :sku and l.pending + l.committed > 0)""",
    "readable": "not exists (select from hold_line l where l.hold = h.id and l.location <> all(:readable))",
    "after": "(created_at, id) > (:after_at, cast(:after_id as uuid))",
}
"""Of a page: each condition by the name of what is asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is to hold; None: whatever it is. ``sku``, with ``location``: those that have open units of that
    level.

    ``state``: one of them. ``age_s``: made at least so long ago, by the database's clock. ``readable``: those with
    lines at these locations alone.
    """

    owner: str | None = None
    customer: str | None = None
    reference: str | None = None
    state: Sequence[str] | None = None
    location: str | None = None
    sku: str | None = None
    age_s: float | None = None
    readable: Sequence[str] | None = None


class HoldReads:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def one(self, known: str) -> Hold | None:
        """Raises Unavailable."""
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_ONE, {"id": known})).mappings().all()
        return next((hold for _, hold in holds_of_rows(rows)), None)

    async def page(self, asked: Asked, after: tuple[datetime, str] | None, limit: int) -> list[Hold]:
        """Up to ``limit``, behind ``after``: when the last one of the page before was made, and its id."""
        values: dict[str, Any] = {
            name: value for name in Asked.__slots__ if (value := getattr(asked, name)) is not None
        }
        conditions = [_FILTERS[name] for name in values if name not in ("location", "sku")]
        if asked.location is not None:
            conditions.append(_FILTERS["location" if asked.sku is None else "level"])
        if after is not None:
            values |= {"after_at": after[0], "after_id": after[1]}
            conditions.append(_FILTERS["after"])
        statement = text(_PAGE.format(where=" and ".join(conditions) or "true", columns=HOLD_COLUMNS))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(statement, {**values, "limit": limit})).mappings().all()
        return [hold for _, hold in holds_of_rows(rows)]
