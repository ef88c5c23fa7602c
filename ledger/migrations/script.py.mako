"""${message}"""

from ledger.migrations.migrator import expand
from ledger.migrations.steps import Change, Lock, Step, has_column

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
SINCE = "the version in server/version.py, without .dev0"


def steps(_shards: int) -> tuple[Step, ...]:
    """An expand: ledgers of the version before go on, and what they write is right. Each step may be run again."""
    return (
        Change(
            "what it does, for whoever runs it",
            ("alter table ... add column ...",),
            {"...": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("...", "..."),
        ),
    )


def upgrade() -> None:
    expand(revision, steps)
