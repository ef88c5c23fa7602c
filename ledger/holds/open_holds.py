"""How many reservations are open, for the metrics."""

import time
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.commit.hold import COMMITTED, PENDING
from ledger.database.reading import reading
from server.problems import Unavailable

COUNT_AGE_S = 30.0
"""Counted no more often, however often somebody scrapes: a million holds take PostgreSQL about 0.1 s."""

_COUNTS = text("""
    select state, count(*) from hold where state in ('pending', 'committed') and target is null group by state
""")


class OpenHolds:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._counts: Mapping[str, int] = {}
        self._counted = float("-inf")

    async def by_state(self) -> Mapping[str, int]:
        """Both states, at most ``COUNT_AGE_S`` old; none when the database does not answer."""
        if time.monotonic() - self._counted < COUNT_AGE_S:
            return self._counts
        try:
            async with reading(self._engine) as connection:
                found = {row[0]: row[1] for row in await connection.execute(_COUNTS)}
        except Unavailable:
            return {}
        self._counts = {state: found.get(state, 0) for state in (PENDING, COMMITTED)}
        self._counted = time.monotonic()
        return self._counts
