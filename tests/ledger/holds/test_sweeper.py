"""What a ledger lets go of by itself leaves the ledger to those who buy."""

import asyncpg
import pytest

from ledger.commit.statements import OVERDUE
from ledger.holds.sweeper import ALONE_S_MAX, OVERDUE_ANYWHERE, PAUSE_S, TAKEN_MAX, pause_s


@pytest.mark.parametrize("took_s", [0.01, 0.1, 0.2])
def test_the_many_overdue_holds_of_an_outage_leave_four_fifths_of_the_time_to_sales(took_s: float) -> None:
    assert took_s / (took_s + pause_s(TAKEN_MAX, TAKEN_MAX, took_s, 1.0)) == pytest.approx(1 / 5)


def test_a_slow_database_does_not_keep_overdue_holds_for_long() -> None:
    assert pause_s(TAKEN_MAX, 1_000, 30.0, 1.0) == ALONE_S_MAX


def test_where_nobody_sells_all_that_is_overdue_goes_at_once() -> None:
    assert pause_s(TAKEN_MAX, 0, 0.1, 1.0) == 0
    assert pause_s(TAKEN_MAX, -3, 0.1, 1.0) == 0, "some were let go of by others"
    assert pause_s(TAKEN_MAX, TAKEN_MAX // 10, 0.1, 1.0) == pytest.approx(0.04)


def test_a_hold_ends_within_a_second_of_its_time() -> None:
    assert pause_s(None, 1_000, 0.2, 1.5) + 0.2 < 1.0
    assert pause_s(None, 0, 0.0, 1.0) == PAUSE_S


async def test_a_look_for_overdue_holds_does_not_go_through_all_that_are_pending(database_url: str) -> None:
    everywhere = OVERDUE_ANYWHERE.replace(":oldest", "1000").replace(":taken", "100")
    of_levels = (
        OVERDUE.replace("$1", "array['berlin']").replace("$2", "array['A']").replace("$3", "200").replace("$4", "'{}'")
    )
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        for look in (everywhere, of_levels):
            plan = [row[0] for row in await connection.fetch(f"explain {look}")]
            assert any("Index Cond" in line and "expires_at <=" in line for line in plan), "\n".join(plan)
    finally:
        await connection.close()
