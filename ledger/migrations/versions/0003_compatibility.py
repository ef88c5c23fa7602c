"""The database says which ledgers it bears, and which contracts were carried out."""

from ledger.migrations.migrator import expand
from ledger.migrations.steps import Change, Lock, Step, has_column

revision = "0003"
down_revision = "0002"
SINCE = "0.1.0"


def steps(_shards: int) -> tuple[Step, ...]:
    return (
        Change(
            "the oldest schema that a ledger must know, who first did, and the last contract",
            (
                "alter table ledger_meta add column bears text not null default '0001',"
                " add column bears_version text not null default '0.1.0',"
                " add column contracted text not null default '0001'",
            ),
            {"ledger_meta": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("ledger_meta", "contracted"),
        ),
    )


def upgrade() -> None:
    expand(revision, steps)
