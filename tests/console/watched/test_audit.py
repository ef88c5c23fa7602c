"""The audit believes no event: a log that does not add up is found, one that does is not."""

from typing import Any

import pytest

from console.watched.audit import Audit
from tests.console.events import event

GOOD = [
    event(1, 10, 10, kind="receipt"),
    event(2, -3, 7),
    event(3, 0, 7, kind="hold", held=2, reserved=2),
    event(4, -2, 5, kind="fulfil", held=-2, reserved=0),
    event(5, -5, 0),
]


def audited(*events: dict[str, Any]) -> Audit:
    audit = Audit()
    for one in events:
        audit.check(one, 1_000.0)
    return audit


def test_a_log_that_adds_up_is_found_right() -> None:
    audit = audited(*GOOD)
    assert (audit.oversold, audit.events, audit.levels, audit.since_s) == (0, 5, 1, 1_000.0)


@pytest.mark.parametrize(
    "wrong",
    [
        event(6, -1, -1),
        event(6, 0, 0, kind="hold", held=1, reserved=1),
        event(6, -1, 0),
        event(7, 1, 1, kind="return", seq=6),
        event(6, 1, 1, kind="return", seq=7),
        event(6, 1, 1, kind="return", available=2),
        event(5, 1, 1, kind="return", seq=6),
    ],
    ids=["below 0", "below reserved", "not the sum", "a version left out", "a seq left out", "another sum", "twice"],
)
def test_whatever_does_not_add_up_is_found(wrong: dict[str, Any]) -> None:
    audit = audited(*GOOD, wrong)
    assert audit.oversold == 1
    assert audit.wrong[0][0] == ("A", "berlin")


def test_what_was_wrong_stays_wrong() -> None:
    audit = audited(*GOOD, event(6, -1, -1), event(7, 5, 4, kind="receipt"))
    assert audit.oversold == 1


def test_it_claims_no_more_than_it_saw_of_the_shard_of_which_it_saw_least() -> None:
    audit = Audit()
    for shard, seq, committed_s in ((0, 1, 100.0), (1, 501, 300.0), (1, 502, 301.0), (2, 1, 900.0)):
        audit.check(event(1, 1, 1, kind="receipt", sku=str(seq + shard), shard=shard, seq=seq), committed_s)
    assert audit.since_s == 300.0  # of shard 1 more went before; shards 0 and 2 were seen from their beginning
