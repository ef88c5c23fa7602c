"""What a migration is made of: changes that take a moment, and backfills that take their time.

Each step is a transaction of its own, or many, and may be run again: a migration that was stopped anywhere goes on when
it is run again. ``docs/decisions/0019-expand-and-contract.md`` says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Lock(StrEnum):
    """Table locks of PostgreSQL that our steps take (its manual, 13.3.1), from the weakest."""

    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def holds_sales(self) -> bool:
        """A sale writes rows: it takes ROW EXCLUSIVE."""
        return self in (Lock.SHARE_ROW_EXCLUSIVE, Lock.ACCESS_EXCLUSIVE)


@dataclass(frozen=True, slots=True)
class Change:
    """One short transaction, sent as one message. It rewrites no table, and reads no rows of one that grows with sales.

    ``locks``: the strongest on each table that is there already, until its end. ``unless``: a query whose only value
    says that the change was made already; without it, the statements may be repeated (``if not exists``).
    """

    does: str
    statements: tuple[str, ...]
    locks: Mapping[str, Lock] = field(default_factory=dict)
    unless: str | None = None

    @property
    def sql(self) -> str:
        return ";\n".join(self.statements) + ";"


@dataclass(frozen=True, slots=True)
class Backfill:
    """Sets ``values`` in all rows of ``table`` (and of its partitions) of which ``where`` is true, and is false after.

    A few pages at a time, each in a transaction of its own, beside the sales: a sale waits for one batch at most.
    """

    does: str
    table: str
    values: str
    where: str

    @property
    def locks(self) -> Mapping[str, Lock]:
        return {self.table: Lock.ROW_EXCLUSIVE}

    @property
    def sql(self) -> str:
        return self.batch(self.table)

    def batch(self, partition: str) -> str:
        """Pages $1 to before $2 of ``partition``; answers how many rows were set, the seconds of work that it took, and
        the bytes of log that were written meanwhile.

        It never waits for a row while it holds others, so no sale can meet it in a deadlock. Rows that somebody holds
        are left for the next pass.
        """
        return (
            f"with found as materialized (\n"
            f"  select ctid, pg_current_wal_insert_lsn() as log from {partition}\n"
            f"   where ctid >= format('(%s,0)', $1::bigint)::tid and ctid < format('(%s,0)', $2::bigint)::tid\n"
            f"     and {self.where}\n"
            f"     for no key update skip locked),\n"
            f"changed as (\n"
            f"  update {partition} set {self.values} where ctid = any(array(select ctid from found)) returning 1)\n"
            f"select count(*), extract(epoch from clock_timestamp() - statement_timestamp())::float8,\n"
            f"       coalesce(pg_current_wal_insert_lsn() - (select min(log) from found), 0)::bigint from changed"
        )


Step = Change | Backfill


def has_column(table: str, column: str) -> str:
    """For ``unless``: a change that was made needs no lock a second time, which somebody may hold."""
    return (
        f"select exists(select from pg_attribute where attrelid = to_regclass('{table}') and attname = '{column}'"
        " and not attisdropped)"
    )


def has_trigger(table: str, name: str) -> str:
    return f"select exists(select from pg_trigger where tgrelid = to_regclass('{table}') and tgname = '{name}')"
