"""Lets go of holds whose time is over, also when nobody asks for their units.

Every ledger does. Each takes a few of the oldest at random, so that two rarely take the same; if they do, one is told
that there is nothing to do. The key of such an operation has the version that the hold was found in: once done, it is
known as done.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.commit.decider import within_a_batch
from ledger.commit.hold import Hold
from ledger.commit.operation import Operation, operation_id
from ledger.commit.statements import HOLD_COLUMNS, holds_of_rows
from ledger.commit.writers import Writers
from ledger.database.reading import reading
from ledger.holds.decide import Expire, NothingToDo
from server.problems import Problem

OWNER = "stockwire"
"""Who lets go of them. The keys of its operations have spaces, which nobody can send."""

PAUSE_S = 0.25
"""Between two looks; a hold ends within a second of its time."""

OLDEST_MAX, TAKEN_MAX = 1_000, 100
"""Of the oldest that are overdue so many are let go of at once, and no more lines than go into one batch: sales beside
them wait for no more."""

ALONE = 4.0
"""For so many times as long as that took, sales are alone if there are any: an outage's many thousands go a few at a
time, and sales keep four fifths of their pace. Nobody waits for their units: they are let go of before anybody is
refused."""
ALONE_S_MAX = 1.0
"""However slow the database was."""

# By the time of the statement, which an index can be searched with: clock_timestamp() looks at every pending hold.
OVERDUE_ANYWHERE = f"""
    with oldest as materialized (
      select id, expires_at from hold
       where state = 'pending' and target is null and expires_at <= statement_timestamp()
       order by expires_at limit :oldest),
    taken as materialized (select id from oldest order by random() limit :taken)
    select extract(epoch from clock_timestamp() - h.expires_at)::float8 as overdue_s, {HOLD_COLUMNS}
      from taken t join hold h using (id) join hold_line l on l.hold = h.id
     order by h.id, l.place
"""

log = logging.getLogger(__name__)


def expire_operation(hold: Hold, shard: int | None) -> Operation:
    """Of its lines on one shard; None: of all."""
    levels = [key for key, line in hold.lines.items() if line.pending and shard in (None, key.shard)]
    key = f"expire {hold.id} {hold.version} {'all' if shard is None else shard}"
    return Operation(operation_id(OWNER, key), OWNER, key, b"", (), Expire(hold.id, levels))


class Sweeper:
    """``swept`` counts the holds that it let go of. ``more``: whether more were overdue than it took last."""

    def __init__(self, engine: AsyncEngine, writers: Writers) -> None:
        self._engine = engine
        self._writers = writers
        self.swept = 0
        self.more = False
        self._overdue_s = 0.0
        self._looked = time.monotonic()
        self._failing = False

    @property
    def delay_s(self) -> float:
        """How long the last hold that it found has been overdue by now; 0 if it found none."""
        return self._overdue_s + (time.monotonic() - self._looked if self._failing or self._overdue_s else 0.0)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            taken, began, before = 0, time.monotonic(), self._writers.counters.operations
            self.more = False
            try:
                taken = await self.sweep()
                self._failing = False
            except (OSError, Problem) as error:
                if not self._failing:
                    log.warning("overdue holds cannot be let go of, trying again reason=%r", str(error))
                self._failing = True
            others = self._writers.counters.operations - before - taken
            full = taken if self.more else None
            await asyncio.sleep(pause_s(full, others, time.monotonic() - began, random.uniform(0.5, 1.5)))

    async def sweep(self) -> int:
        """Returns how many it took. Raises Problem, when all others are done with."""
        async with reading(self._engine) as connection:
            values = {"oldest": OLDEST_MAX, "taken": TAKEN_MAX}
            rows: Sequence[Any] = (await connection.execute(text(OVERDUE_ANYWHERE), values)).mappings().all()
        self._overdue_s = max((row["overdue_s"] for row in rows), default=0.0)
        self._looked = time.monotonic()
        releases = [expire_operation(hold, None) for _, hold in holds_of_rows(rows)]
        taken = within_a_batch(releases) if releases else ()
        self.more = len(releases) == TAKEN_MAX or len(taken) < len(releases)
        done = await asyncio.gather(*map(self._let_go, taken), return_exceptions=True)
        self.swept += sum(one is True for one in done)
        for failure in done:
            if isinstance(failure, BaseException):
                raise failure
        return len(taken)

    async def _let_go(self, release: Operation) -> bool:
        try:
            outcome = await self._writers.submit(release)
        except NothingToDo:
            return False
        return not outcome.replayed


def pause_s(full: int | None, others: int, took_s: float, chance: float) -> float:
    """Until the next look, if the last one was ``full``: it took so many, and left more (None: it left none); and
    ``others`` were committed meanwhile: where hardly anybody sells, nobody is in the way of what is overdue.
    ``chance``: 1 on average, so that ledgers look in turns.
    """
    if full is None:
        return chance * PAUSE_S
    return chance * min(ALONE * took_s, ALONE_S_MAX) * min(max(others, 0) / full, 1.0)
