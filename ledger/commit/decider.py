"""What a writer reads before it decides a batch, and its look for overdue holds before it refuses anybody.

What is remembered is taken as it is; the commit statement finds out if it was old.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate

from ledger.commit import statements
from ledger.commit.counters import Counters
from ledger.commit.decide import NO_HOLDS, Decision, decide, holds_of
from ledger.commit.hold import Hold, complete
from ledger.commit.limiter import Limited, Limiter
from ledger.commit.operation import Operation
from ledger.commit.queue import BATCH_LINES_MAX
from ledger.commit.remembered import RememberedLevels
from ledger.commit.remembered_holds import RememberedHolds
from ledger.commit.statements import Head
from ledger.commit.stock import LevelKey, Stock
from ledger.database.connector import CheckedConnection
from ledger.errors import BelowReserved, InsufficientStock, ReservationExpired, ReservationLimit
from ledger.feed.heads import Heads
from ledger.limits import HoldLimits

OVERDUE_MAX = 200
"""Holds whose time is over that are let go of in the statement of a batch that needs their units, if they have no more
lines than go into one. If there are more, the first go before it, in a statement of their own."""

SHORT = (InsufficientStock, BelowReserved, ReservationExpired, ReservationLimit)
"""Refusals that would not be if fewer units were reserved."""

Expire = Callable[[Hold, int | None], Operation]
"""Makes the operation that lets go of a hold whose time is over: of its lines on one shard, or of all of them."""


class OverdueHolds(Exception):
    """Operations would be refused for units that holds reserve whose time is over. ``releases`` let go of these, or of
    the first of them: then there may be ``more``.
    """

    def __init__(self, releases: Sequence[Operation], *, more: bool) -> None:
        super().__init__(f"{len(releases)} holds")
        self.releases = releases
        self.more = more


class Decider:
    """That of one writer. ``shard``: as the writer's. ``levels``: what this writer remembers; ``holds``: what the whole
    process does.
    """

    def __init__(
        self,
        heads: Heads,
        counters: Counters,
        shard: int | None,
        holds: RememberedHolds,
        expire: Expire,
        limits: HoldLimits,
    ) -> None:
        self.levels = RememberedLevels()
        self.holds = holds
        self.limiter = Limiter(limits, heads)
        self._heads = heads
        self._counters = counters
        self._shard = shard
        self._expire = expire

    async def load(self, connection: CheckedConnection, keys: Collection[LevelKey]) -> dict[LevelKey, Stock]:
        """The levels of ``keys``: what is remembered of them as it is, the others read, and made if need be."""
        remembered = self.levels.of(keys)
        if len(remembered) < len(keys):
            remembered.update(await statements.load(connection, [key for key in keys if key not in remembered]))
        return remembered

    async def lock_holds(self, connection: CheckedConnection, operations: Sequence[Operation]) -> None:
        """Those of the operations, before any level: they are read anew when it is decided."""
        holds = holds_of(operations)
        if holds:
            await statements.lock_holds(connection, holds)
            self.holds.forget(holds)

    async def decide(
        self,
        connection: CheckedConnection,
        operations: Sequence[Operation],
        levels: Mapping[LevelKey, Stock],
        released: Collection[str],
        limited: Limited | None,
    ) -> Decision:
        """Raises OverdueHolds before it refuses one of them for what should be reserved no more.

        ``released``: holds that were let go of for this batch already, or are among ``operations`` to be. ``limited``:
        where holders are counted, their locks were taken.
        """
        holds, moment = await self._read_holds(connection, operations, limited)
        tally = None if limited is None else await limited.tally(connection, moment)
        decision = decide(operations, levels, self._heads.steps, holds, moment, tally)
        keys = _short_of(operations, decision)
        if keys:
            await self._look_for_overdue(connection, keys, decision, released)
        return decision

    async def _look_for_overdue(
        self, connection: CheckedConnection, keys: Sequence[LevelKey], decision: Decision, released: Collection[str]
    ) -> None:
        """Raises OverdueHolds. What this very batch pays for comes first; what it cancels was free before."""
        kept = {hold.id for hold, _ in decision.holds if _is_kept(decision.holds_before[hold.id], hold)}
        ids = await statements.overdue(connection, keys, OVERDUE_MAX, kept.union(released))
        if not ids:
            return
        read = (await statements.holds(connection, ids)).holds
        releases = [self._expire(hold, self._shard) for hold in read.values()]
        releases = [release for release in releases if release.by_level]  # others were paid for at this very moment
        taken = within_a_batch(releases)
        if taken:
            self._counters.holds_released_before_refusal += len(taken)
            raise OverdueHolds(taken, more=len(ids) == OVERDUE_MAX or len(taken) < len(releases))

    async def _read_holds(
        self, connection: CheckedConnection, operations: Sequence[Operation], limited: Limited | None
    ) -> tuple[Mapping[str, Hold], datetime | None]:
        """Those of the operations: what is remembered as it is, the others read; and the time, if it matters.

        Of those that somebody wants to judge by the time what is remembered is not used: what is not overdue is not
        written, so no statement would find out that another ledger has given it less time. One that is to be made is
        not looked for, unless it has to be known when: the statement finds out if it is there.
        """
        ids = holds_of(operations)
        if not ids:
            return NO_HOLDS, None
        timed = {one.plan.hold for one in operations if one.plan is not None and one.plan.timed}
        remembered = self.holds.of(ids - timed)
        made = () if limited is not None else {one.id for one in operations if one.makes_hold}
        unknown = [known for known in ids if known not in remembered and known not in made]
        if not unknown:
            return remembered, None
        read = await statements.holds(connection, unknown)
        self.holds.keep(read.holds.values())  # who asks again must not be told of the old levels again
        return remembered | read.holds, read.now

    def keep(self, decision: Decision, heads: Mapping[int, Head]) -> datetime | None:
        """``decision`` was committed. Returns from when the times of its holds count."""
        self.levels.keep(decision.after)
        at = next(iter(heads.values())).at if heads else None
        if decision.holds_after:
            self.holds.keep(complete(hold, at) for hold, before in decision.holds if hold.version > before)
        return at

    def forget(self, operations: Sequence[Operation], levels: Iterable[LevelKey] | None) -> None:
        """What they were decided on was old. ``levels``: None for all of them."""
        self.holds.forget(holds_of(operations))
        if levels is None:
            self.levels.clear()
        else:
            self.levels.forget(levels)

    def clear(self) -> None:
        self.levels.clear()
        self.holds.clear()


def within_a_batch(releases: Sequence[Operation]) -> Sequence[Operation]:
    """The first of them, as many as have no more lines than go into one batch; one at least."""
    lines = accumulate(release.size for release in releases)
    return releases[: max(1, sum(of_all <= BATCH_LINES_MAX for of_all in lines))]


def _is_kept(before: Hold | None, after: Hold) -> bool:
    """Whether the batch pays for all that was pending of it, or gives it more time."""
    if after.ttl_s is not None:
        return True
    pending = any(line.pending for line in after.lines.values())
    return not pending and before is not None and _paid(after) > _paid(before)


def _paid(hold: Hold) -> int:
    return sum(line.committed + line.fulfilled for line in hold.lines.values())


def _short_of(operations: Sequence[Operation], decision: Decision) -> list[LevelKey]:
    """The levels that were looked at for those that are refused, where units are reserved."""
    verdicts = zip(operations, decision.verdicts, strict=True)
    short = {key for operation, verdict in verdicts if isinstance(verdict, SHORT) for key in operation.by_level}
    return sorted(key for key in short & decision.before.keys() if decision.before[key].reserved)
