"""Transfers as they are read: one, or a page of those that were asked for, the oldest first."""

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
     where h.id = cast(:id as uuid) and h.target is not null order by l.place
""")

_PAGE = """
    with page as materialized (
      select * from hold where target is not null and {where} order by created_at, id limit :limit)
    select {columns} from page h join hold_line l on l.hold = h.id order by h.created_at, h.id, l.place
"""

_FILTERS = {
    "source": "source = :source",
    "target": "target = :target",
    "state": "state = :state",
    "reference": "reference = :reference",
    "age_s": "created_at < clock_timestamp() - make_interval(secs => cast(:age_s as float8))",
    "readable": "(source = any(:readable) or target = any(:readable))",
}
"""Of a page: each condition by the name of what is asked for."""


@dataclass(frozen=True, slots=True)
class AskedTransfers:
    """What a page is to hold; None: whatever it is. ``state``: as of a hold. ``age_s``: sent so long ago at least.
    ``readable``: those that come from or go to one of these locations.
    """

    source: str | None = None
    target: str | None = None
    state: str | None = None
    reference: str | None = None
    age_s: float | None = None
    readable: Sequence[str] | None = None


class TransferReads:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def one(self, known: str) -> Hold | None:
        """Raises Unavailable."""
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_ONE, {"id": known})).mappings().all()
        return next((hold for _, hold in holds_of_rows(rows)), None)

    async def page(self, asked: AskedTransfers, after: tuple[datetime, str] | None, limit: int) -> list[Hold]:
        """Up to ``limit``, behind ``after``: when the last one of the page before was sent, and its id."""
        values: dict[str, Any] = {
            name: value for name in AskedTransfers.__slots__ if (value := getattr(asked, name)) is not None
        }
        conditions = [_FILTERS[name] for name in values]
        if after is not None:
            values |= {"after_at": after[0], "after_id": after[1]}
            conditions.append("(created_at, id) > (:after_at, cast(:after_id as uuid))")
        statement = text(_PAGE.format(where=" and ".join(conditions) or "true", columns=HOLD_COLUMNS))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(statement, {**values, "limit": limit})).mappings().all()
        return [hold for _, hold in holds_of_rows(rows)]
