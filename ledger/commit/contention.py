"""How a writer gets along with others that write the same shard: turns, what they have moved, and when to lock."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from ledger.commit.counters import Counters
from ledger.commit.remembered import RememberedLevels
from ledger.commit.stock import LevelKey, Stock
from ledger.commit.turns import Turns
from ledger.feed.rivals import Moved, Rivals

LOCKED_BATCHES = 8
"""A writer that lost a race and hears nothing of the others begins with the locks until this many batches in a row
found nobody else's writes; one that hears them, when it has lost twice in a row."""

TURN_COMMITS = 4
"""Others get as long for their turn as this many of our own commits take. Much less, and they are met in the middle of
their commit; more, and one that has nothing to commit is waited for in vain for longer."""

TURN_S_MIN, TURN_S_MAX = 0.002, 0.25
"""The bounds of that. A ledger that was stopped or killed holds up each other one for this long, once."""

SMOOTHING = 0.2
"""The weight of the last commit in what one usually takes."""


class Contention:
    """Of one writer. ``rivals`` tell it what others commit (None: nobody does), and ``remembered`` is kept in step."""

    def __init__(self, remembered: RememberedLevels, counters: Counters) -> None:
        self.rivals: Rivals | None = None
        self._remembered = remembered
        self._counters = counters
        self._turns = Turns()
        self._news = asyncio.Event()
        self._commit_s = TURN_S_MIN
        self._locked_batches_left = 0
        self._lost_before = False

    @property
    def locked(self) -> bool:
        """Whether to begin with the locks."""
        return self._locked_batches_left > 0

    @property
    def _told(self) -> bool:
        """Whether what others move is heard."""
        return self.rivals is not None and self.rivals.live

    async def run(self) -> None:
        """Hears the others where it is worth it, until cancelled; returns at once if there are none to hear."""
        if self.rivals is not None:
            await self.rivals.run()

    async def turn(self) -> None:
        """Returns when the others have had their turn, or have let it go."""
        if self._turns.first is None:
            return
        self._counters.turns += 1
        while (first := self._turns.first) is not None:
            try:
                async with asyncio.timeout(min(max(TURN_COMMITS * self._commit_s, TURN_S_MIN), TURN_S_MAX)):
                    while self._turns.first == first:  # news of others gives it no more time
                        self._news.clear()
                        await self._news.wait()
            except TimeoutError:
                self._counters.missed_turns += 1
                self._turns.missed()

    # --- what became of a batch

    def lost(self, keys: Iterable[LevelKey]) -> None:
        """It met a level that had moved. Whoever is told what moves forgets the levels of that batch alone."""
        if self._told:
            self._remembered.forget(keys)
            self._locked_batches_left = LOCKED_BATCHES if self._lost_before else 0
            self._lost_before = not self._lost_before
        else:
            self._remembered.clear()
            self._locked_batches_left = LOCKED_BATCHES
        self._turns.lost()
        if self.rivals is not None:
            self.rivals.listen()

    def held(self) -> None:
        """It was written without the locks: nothing had moved."""
        self._lost_before = False

    def read(self, levels: Mapping[LevelKey, Stock], *, replays: bool) -> None:
        """It was written under the locks, where ``levels`` were read. Replays keep the locks for the next batch: where
        one is, more follow."""
        if not self._told and self._remembered.contradict(levels):
            self._locked_batches_left = LOCKED_BATCHES
        else:
            self._locked_batches_left = max(self._locked_batches_left - 1, 1 if replays else 0)

    def committed(self, seq: int) -> None:
        """Its last event is ``seq``."""
        self._turns.committed(seq)
        if self.rivals is not None:
            self.rivals.committed()

    def took(self, seconds: float) -> None:
        """From its beginning to its answers."""
        self._commit_s += SMOOTHING * (seconds - self._commit_s)

    # --- what is heard of others

    def connected(self) -> None:
        """What is remembered may have moved before; from now on it is kept in step."""
        self._remembered.clear()
        self._locked_batches_left = 0
        self._lost_before = False

    def heard(self, by: str, shard: int, seq: int, moved: Sequence[Moved]) -> None:
        for level in moved:
            stock = Stock(level.on_hand, level.reserved, level.version, level.view_version)
            self._remembered.refresh(LevelKey(shard, level.location, level.sku), stock)
        self._turns.heard(by, seq)
        self._news.set()

    def disconnected(self) -> None:
        self._remembered.clear()
        self._turns.forget()
        self._news.set()
