"""Who wrote each level and each event: a migration of the release after this one.

``tests/upgrades/releases.py`` puts it behind the newest of this release. What it adds proves something too: which
ledger wrote what, while two of them were at work, and that none wrote that had been kept out.
"""

from pathlib import Path

from ledger.migrations.migrator import expand
from ledger.migrations.steps import Backfill, Change, Lock, Step, has_column, has_trigger
from server.version import VERSION

revision = Path(__file__).name.partition("_")[0]
down_revision = f"{int(revision) - 1:04}"
SINCE = VERSION

WRITER = "current_setting('application_name')"
SAID = "writer = 'before'"
SLOWLY = "pg_sleep(0.003) is not null"
"""As in tables a thousand times as large: there is time to be killed within a backfill."""
FUNCTION = f"""
create or replace function stockwire_say_writer() returns trigger language plpgsql as $$
begin
  new.writer := {WRITER};
  return new;
end $$"""


def steps(_shards: int) -> tuple[Step, ...]:
    return (
        Change(
            "the writer of each level, said by a trigger",
            (
                "alter table stock_level add column writer text",
                FUNCTION,
                "create trigger level_writer before update on stock_level for each row"
                " when (new.version <> old.version) execute function stockwire_say_writer()",
            ),
            {"stock_level": Lock.ACCESS_EXCLUSIVE},
            unless=has_trigger("stock_level", "level_writer"),
        ),
        Change(
            "the writer of each event, said by a trigger for ledgers that do not",
            (
                "alter table stock_event add column writer text",
                "create trigger event_writer before insert on stock_event for each row"
                " when (new.writer is null) execute function stockwire_say_writer()",
            ),
            {"stock_event": Lock.ACCESS_EXCLUSIVE},
            unless=has_trigger("stock_event", "event_writer"),
        ),
        Backfill("backfill of levels", "stock_level", SAID, f"version > 0 and writer is null and {SLOWLY}"),
        Backfill("backfill of events", "stock_event", SAID, f"writer is null and (seq % 16 > 0 or {SLOWLY})"),
        Change(
            "when the backfill ended",
            ("alter table ledger_meta add column writers_since timestamptz not null default now()",),
            {"ledger_meta": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("ledger_meta", "writers_since"),
        ),
    )


CONTRACT: tuple[Step, ...] = (
    Change(
        "events say their writer by themselves",
        (
            f"alter table stock_event alter column writer set default {WRITER}",
            "drop trigger if exists event_writer on stock_event",
        ),
        {"stock_event": Lock.ACCESS_EXCLUSIVE},
    ),
    Change(
        "when older ledgers were kept out",
        ("alter table ledger_meta add column if not exists alone_since timestamptz not null default now()",),
        {"ledger_meta": Lock.ACCESS_EXCLUSIVE},
    ),
)
LOST = "Events of older ledgers would have no writer."


def upgrade() -> None:
    expand(revision, steps)
