"""Replication slots by which others read what is committed, as Debezium does: whether they follow, and what they keep.

PostgreSQL keeps the log that a slot has not confirmed, for as long as it takes, unless ``max_slot_wal_keep_size`` says
how much at most: what is left behind fills the disk, and then nothing is sold (its manual, 19.6.1 and 53.20).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

PUBLICATION = "stockwire_events"

READ = f"""
select current_setting('wal_level') as wal_level,
       (select setting::bigint from pg_settings where name = 'max_slot_wal_keep_size') as most_mb,
       exists(select from pg_publication where pubname = '{PUBLICATION}') as published,
       s.slot_name::text as name, s.active, s.wal_status,
       to_jsonb(s)->>'invalidation_reason' as reason,
       (pg_current_wal_lsn() - coalesce(s.restart_lsn, s.confirmed_flush_lsn))::float8 as retained_bytes
  from (select 1) one
  left join pg_replication_slots s
         on s.slot_type = 'logical' and s.plugin = 'pgoutput' and s.database = current_database() and not s.temporary
 order by s.slot_name
"""
"""One row for each slot, or one without. ``to_jsonb``: before PostgreSQL 17 no slot says why it was given up."""
NO_LIMIT_MB = -1


class Slot(NamedTuple):
    """``retained_bytes``: of the log that it keeps from being removed; ``bytes_max``: that it may keep, infinite where
    nothing limits it. ``lost``: it cannot go on, for ``reason``.
    ``ending``: it keeps more than it may, and is lost with the next checkpoint."""

    name: str
    active: bool
    retained_bytes: float
    bytes_max: float
    lost: bool
    reason: str
    ending: bool


class Slots(NamedTuple):
    """``published``: whether there is what `stockwire migrate --cdc` makes."""

    wal_level: str
    published: bool
    slots: tuple[Slot, ...]

    @property
    def logical(self) -> bool:
        return self.wal_level == "logical"

    @property
    def any(self) -> bool:
        """Whether anybody reads that way, or is meant to."""
        return self.published or bool(self.slots)


def slots_of(rows: Sequence[Mapping[str, Any]]) -> Slots:
    """``rows``: of ``READ``."""
    first = rows[0]
    slots = tuple(_slot(row) for row in rows if row["name"] is not None)
    return Slots(first["wal_level"], first["published"], slots)


def _slot(row: Mapping[str, Any]) -> Slot:
    lost = row["reason"] is not None or row["wal_status"] == "lost"
    # One that is lost keeps nothing, and may say no position any more
    retained_bytes = 0.0 if lost else max(0.0, row["retained_bytes"] or 0.0)
    bytes_max = float("inf") if row["most_mb"] == NO_LIMIT_MB else row["most_mb"] * 2.0**20
    ending = not lost and row["wal_status"] == "unreserved"
    return Slot(row["name"], row["active"], retained_bytes, bytes_max, lost, row["reason"] or "wal_removed", ending)
