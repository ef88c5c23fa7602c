"""What another linter knows of locks, rewrites and old clients: every step of every migration stands before it."""

import pytest

from ledger.migrations.revisions import revisions
from ledger.migrations.steps import Change
from tests.ledger.migrations.squawk import EXCLUDED, EXCLUDED_IN_CONTRACTS, as_run, bad, found_in, steps

pytestmark = pytest.mark.usefixtures("processes")


def test_no_step_does_what_would_hold_up_sales_or_break_older_ledgers() -> None:
    looked_at = steps()
    assert len(looked_at) > len(revisions())
    found = found_in(looked_at)
    assert bad(found) == []
    excluded = {one.rule for one in found}
    assert excluded == {*EXCLUDED, *EXCLUDED_IN_CONTRACTS}, "an exclusion that nothing needs"


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("create index on stock_level (sku)", "require-concurrent-index-creation"),
        ("create index concurrently on stock_level (sku)", "ban-concurrent-index-creation-in-transaction"),
        ("alter table stock_level alter column on_hand set not null", "adding-not-nullable-field"),
        ("alter table stock_event add column lot text not null", "adding-required-field"),
        (
            "alter table stock_event add column made timestamptz not null default clock_timestamp()",
            "adding-field-with-default",
        ),
        ("alter table stock_level alter column on_hand type bigint", "changing-column-type"),
        ("alter table stock_level add constraint few check (on_hand < 9)", "constraint-missing-not-valid"),
        ("alter table stock_event rename column actor to owner", "renaming-column"),
        ("alter table stock_event drop column reason", "ban-drop-column"),
        ("drop function stockwire_count_view()", "ban-drop-function"),
    ],
)
def test_a_bad_migration_is_found(statement: str, rule: str) -> None:
    planted = as_run(Change("planted", (statement,)))
    assert [line.split(": ")[:2] for line in bad(found_in({"9999 expand 1": planted}))] == [["9999 expand 1", rule]]


def test_without_the_time_limits_of_its_transaction_a_change_would_be_bad() -> None:
    """They are what keeps those waiting behind it from waiting long."""
    (alter,) = [sql for sql in steps().values() if "alter table stock_level add column view_version" in sql]
    unlimited = "\n".join(line for line in alter.splitlines() if not line.startswith("set local"))
    assert {line.split(": ")[1] for line in bad(found_in({"0002 expand 2": unlimited}))} == {
        "require-lock-timeout",
        "require-statement-timeout",
    }
