"""How late the audit is: as old as its last event while there are more, or as an answer is overdue."""

from datetime import UTC, datetime, timedelta

import pytest

from followers.exporter import history
from followers.exporter.counts import Counts
from followers.exporter.history import History
from followers.exporter.violations import Violations
from followers.log.follower import Page
from followers.log.ledger import Ledger
from tests.followers.exporter.logs import SHARD, Log


async def test_how_late_it_is_is_told_while_there_is_more() -> None:
    log, began = Log(), datetime.now(UTC)
    for _ in range(4):
        log.add("A", 5)
    for event in log.events:
        event["committed_at"] = (began - timedelta(hours=1)).isoformat()
    async with Ledger("http://127.0.0.1:1", "sw_key") as ledger:
        found = History(ledger, "e", {SHARD: 4}, 1_000, Violations(), Counts(), from_start=True)
        assert not found.is_caught_up()
        found.take(Page("e", SHARD, 4, log.events[:2]))
        late_s = found.behind_s()
        assert 3_600 <= late_s <= 3_600 + (datetime.now(UTC) - began).total_seconds()
        assert not found.is_caught_up()
        found.take(Page("e", SHARD, 4, log.events[2:]))
        assert found.behind_s() < late_s
        assert found.is_caught_up()


async def test_an_answer_that_is_overdue_makes_it_late(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Ledger("http://127.0.0.1:1", "sw_key") as ledger:
        found = History(ledger, "e", {SHARD: 4}, 1_000, Violations(), Counts(), from_start=False)
        assert found.is_caught_up()
        monkeypatch.setattr(history, "SILENT_S", -10.0)
        assert found.behind_s() >= 10
