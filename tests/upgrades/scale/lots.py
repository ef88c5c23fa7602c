"""A migration of a release to come that sets something in every tenth level, and in its last event."""

from pathlib import Path

from ledger.migrations.migrator import expand
from ledger.migrations.steps import Backfill, Change, Lock, Step, has_column

revision = Path(__file__).name.partition("_")[0]
down_revision = f"{int(revision) - 1:04}"
SINCE = "the next version"


def steps(_shards: int) -> tuple[Step, ...]:
    """Rows that come later have their lot from the column's default."""
    return (
        *(
            Change(
                f"the lot of each row of {table}",
                (
                    f"alter table {table} add column lot text",
                    f"alter table {table} alter column lot set default 'later'",
                ),
                {table: Lock.ACCESS_EXCLUSIVE},
                unless=has_column(table, "lot"),
            )
            for table in ("stock_level", "stock_event")
        ),
        Backfill("levels from before have none", "stock_level", "lot = 'none'", "sku like '%0' and lot is null"),
        Backfill(
            "events from before have none",
            "stock_event",
            "lot = 'none'",
            "version = 5 and sku like '%0' and lot is null",
        ),
    )


def upgrade() -> None:
    expand(revision, steps)
