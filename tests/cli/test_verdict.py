"""A verdict is red for every single thing that can go wrong, names it with its numbers, and fits on a terminal."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from cli.flash_sale.buyers import Outcome, Purchase
from cli.flash_sale.level_audit import audit_level
from cli.flash_sale.verdict import FaultFound, HoldsFound, NaiveFound, Sale, ScreensFound, Verdict, sale_of
from cli.flash_sale.verdict_table import COLUMNS_MAX, verdict_table
from stockwire import Event, Level

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def event(version: int, delta: int, on_hand: int, kind: str = "sale") -> Event:
    return Event(
        shard=0, seq=version, sku="A", location="x", version=version, kind=kind, on_hand_delta=delta, reserved_delta=0,
        on_hand=on_hand, reserved=0, available=on_hand, operation="o", actor="a", reason=None, reference=None,
        occurred_at=None, committed_at=NOW,
    )  # fmt: skip


def level(version: int, on_hand: int) -> Level:
    return Level("A", "x", version, on_hand, 0, on_hand, "sale", NOW, 0, version)


SOUND = (event(1, 2, 2, "receipt"), event(2, -1, 1), event(3, -1, 0))
SALE = Sale(buyers=5, units=2, at_once=5, sold=2, refused=3, unknown=0, took_s=0.1, p50_ms=1.0, p99_ms=2.0)
SCREENS = ScreensFound(
    views=4, hubs=2, equal=4, healed_s=0.01, healed_after="the last answer", went_back=0, p50_ms=1.0, p99_ms=2.0
)
HOLDS = HoldsFound(made=3, paid=2, expired=1, open=0)
NAIVE = NaiveFound(replace(SALE, sold=5, refused=0), on_hand=1)
GOOD = Verdict("A", "x", SALE, SCREENS, audit_level(level(3, 0), SOUND), NAIVE)
IN_TWO_STEPS = replace(GOOD, sale=replace(SALE, refused=2, never_paid=1), holds=HOLDS)


def test_a_sound_sale_is_good_whatever_the_naive_one_did() -> None:
    assert GOOD.reasons() == []
    assert GOOD.naive.sale.oversold == 3
    assert json.loads(GOOD.as_json())["good"] is True


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (replace(GOOD, sale=replace(SALE, sold=3, refused=2)), "oversold: 3 sold of 2 units"),
        (replace(GOOD, sale=replace(SALE, sold=1, refused=4)), "undersold: 1 sold where 2 could be"),
        (replace(GOOD, sale=replace(SALE, refused=2, unknown=1)), "1 buyers got no answer"),
        (replace(GOOD, sale=replace(SALE, sold=1, refused=4)), "audit: 2 units left by sales, 1 buyers were told so"),
        (replace(GOOD, screens=replace(SCREENS, equal=3, healed_s=None)), "1 of 4 screens differ from the ledger"),
        (
            replace(GOOD, screens=replace(SCREENS, healed_s=10.5, healed_after="the end of the fault")),
            "screens equal only 10.5 s after the end of the fault; 10 s are allowed",
        ),
        (replace(GOOD, fault=FaultFound("hub-1", "killed", 1, None)), "hub-1 did not come back"),
        (replace(GOOD, screens=replace(SCREENS, went_back=1)), "1 times a version went back on a screen"),
        (replace(GOOD, audit=audit_level(level(3, 1), SOUND)), "audit: the level says 1, its events sum up to 0"),
        (replace(GOOD, audit=audit_level(level(4, 0), SOUND)), "audit: 3 events for versions 1 to 4, 1 missing or"),
        (replace(GOOD, audit=audit_level(level(3, 0), (*SOUND, SOUND[2]))), "4 events for versions 1 to 3, 1 missing"),
        (replace(GOOD, audit=audit_level(level(4, -1), (*SOUND, event(4, -1, -1)))), "audit: the level was at -1"),
    ],
)
def test_each_thing_that_is_wrong_is_named(wrong: Verdict, reason: str) -> None:
    assert not wrong.good
    assert any(found.startswith(reason) or reason in found for found in wrong.reasons())
    assert json.loads(wrong.as_json())["reasons"] == wrong.reasons()
    assert "✗" in printed(wrong)


@pytest.mark.parametrize(
    ("holds", "reason"),
    [
        (replace(HOLDS, open=1), "holds: 1 are still open"),
        (replace(HOLDS, made=4, paid=3), "holds: 3 were paid for, of 2 units"),
        (replace(HOLDS, paid=1), "holds: 1 were paid for, 2 buyers were told so"),
        (replace(HOLDS, expired=0), "holds: 0 expired, 1 buyers never paid"),
    ],
)
def test_each_hold_that_is_wrong_is_named(holds: HoldsFound, reason: str) -> None:
    assert IN_TWO_STEPS.reasons() == []
    wrong = replace(IN_TWO_STEPS, holds=holds)
    assert reason in wrong.reasons()
    assert "✗" in printed(wrong)


def test_who_never_pays_buys_nothing_and_the_rest_is_left() -> None:
    sale = replace(SALE, buyers=3, units=9, refused=0, never_paid=1)
    assert replace(IN_TWO_STEPS, sale=sale, holds=replace(HOLDS, made=3)).reasons() == []


def test_units_that_nobody_lets_go_of_are_found() -> None:
    left = replace(level(3, 0), reserved=1, available=-1)
    assert "audit: 1 are reserved, the events sum up to 0" in replace(GOOD, audit=audit_level(left, SOUND)).reasons()


def test_fewer_buyers_than_units_leave_the_rest_and_are_good() -> None:
    sale = replace(SALE, buyers=2, units=9, refused=0)
    assert replace(GOOD, sale=sale).reasons() == []


def test_figures_are_of_the_answered_purchases() -> None:
    took = [0.001 * number for number in range(1, 101)]
    purchases = [Purchase(Outcome.SOLD if n < 10 else Outcome.REFUSED, took_s, 0.0) for n, took_s in enumerate(took)]
    sale = sale_of([*purchases, Purchase(Outcome.UNKNOWN, 60.0, 0.0)], 10, 7, 0.5)
    assert (sale.buyers, sale.sold, sale.refused, sale.unknown, sale.oversold) == (101, 10, 90, 1, 0)
    assert sale.p50_ms == pytest.approx(51.0)
    assert sale.p99_ms == pytest.approx(100.0)
    assert sale_of([], 1, 1, 0.0).p50_ms is None


def test_the_largest_figures_fit_on_a_terminal() -> None:
    sale = replace(SALE, buyers=20_000, units=1_000_000, sold=20_000, took_s=1234.5, p50_ms=12345.6, p99_ms=123456.7)
    screens = replace(SCREENS, views=1000, equal=1000, hubs=16, healed_s=10.0, healed_after="the end of the fault")
    fault = FaultFound("hub-16", "stopped (SIGSTOP) for 5 s", sold_before=20_000, lasted_s=60.0)
    audit = replace(GOOD.audit, sold=20_000)
    shown = printed(replace(GOOD, sale=sale, screens=screens, audit=audit, fault=fault))
    assert max(map(len, shown.splitlines())) <= COLUMNS_MAX
    assert len(shown.splitlines()) == len(printed(GOOD).splitlines()) + 2, "a line was broken"


def printed(verdict: Verdict) -> str:
    file = io.StringIO()
    Console(file=file, width=COLUMNS_MAX).print(verdict_table(verdict))
    return file.getvalue()
