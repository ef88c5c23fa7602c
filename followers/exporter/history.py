"""What is known of one epoch: with the next one all of it is dropped."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from followers.exporter.auditing import Audit
from followers.exporter.comparing import Walk
from followers.exporter.counts import Counts
from followers.exporter.hottest import DEMAND, WINDOW_S, Hottest
from followers.exporter.known import Known
from followers.exporter.violations import Violations
from followers.log.follower import Follower, Page
from followers.log.ledger import WAIT_S, Ledger

SILENT_S = WAIT_S + 1.0
"""An answer that takes longer than this is overdue: it was not held back because nothing happened."""
UP_TO_S = 10.0
"""How long a page of levels may wait for the events that it knows of."""
LOOK_S = 0.02


@dataclass(slots=True)
class Read:
    """``answered_s``: when the ledger last answered, by the monotonic clock. ``committed_s``: Unix time of the last
    event that was read, while it is known that there are more; else None."""

    answered_s: float = field(default_factory=time.monotonic)
    committed_s: float | None = None


class History:
    """``heads``: of each shard, when it was read last."""

    def __init__(
        self,
        ledger: Ledger,
        epoch: str,
        heads: Mapping[int, int],
        levels_max: int,
        violations: Violations,
        counts: Counts,
        *,
        from_start: bool,
    ) -> None:
        self.epoch = epoch
        begin = dict.fromkeys(heads, 0) if from_start else dict(heads)
        nothing_yet = not any(begin.values())
        self.known = Known(levels_max, counts, all_of_them=nothing_yet)
        self.audit = Audit(begin, self.known, violations, counts)
        self.walk = Walk(self.known, violations, counts)
        self.hottest = Hottest(0.0 if nothing_yet else time.time())
        self.followers = {shard: Follower(ledger, epoch, shard, seq) for shard, seq in begin.items()}
        self.heads = dict(heads)
        self._reads = {shard: Read() for shard in heads}

    def take(self, page: Page) -> None:
        self.audit.page(page.shard, page.events, page.head)
        self.heads[page.shard] = page.head
        read = self._reads[page.shard]
        read.answered_s = time.monotonic()
        read.committed_s = None
        if page.events:
            newest_s = _unix_s(page.events[-1]["committed_at"])
            if newest_s > time.time() - WINDOW_S:
                self._count_sales(page)
            if page.head > page.last:
                read.committed_s = newest_s

    def behind_s(self) -> float:
        """Of the shard that is furthest behind: since its last event that was audited was committed, if there are more;
        else since when the ledger's answer is overdue; 0 if everything is audited."""
        now, now_s = time.monotonic(), time.time()
        overdue = [now - read.answered_s - SILENT_S for read in self._reads.values()]
        late = [now_s - read.committed_s for read in self._reads.values() if read.committed_s is not None]
        return max([0.0, *overdue, *late])

    def is_caught_up(self) -> bool:
        return all(seq >= self.heads[shard] for shard, seq in self.audit.seqs.items())

    async def up_to(self, heads: Mapping[int, int]) -> bool:
        """Whether everything up to ``heads`` is audited, soon."""
        ends_s = time.monotonic() + UP_TO_S
        while any(seq < heads[shard] for shard, seq in self.audit.seqs.items()):
            if time.monotonic() > ends_s:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _count_sales(self, page: Page) -> None:
        text, committed_s = "", 0.0
        for event in page.events:
            if event["kind"] in DEMAND:
                if event["committed_at"] != text:  # those of one batch have one
                    text = event["committed_at"]
                    committed_s = _unix_s(text)
                self.hottest.count(event, committed_s)


def _unix_s(committed_at: str) -> float:
    return datetime.fromisoformat(committed_at).timestamp()
