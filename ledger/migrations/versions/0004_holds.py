"""Holds: units of an order or a transfer that are reserved, with a state. Ledgers of before leave them alone."""

from ledger.migrations.migrator import expand
from ledger.migrations.steps import Change, Lock, Step, has_column

revision = "0004"
down_revision = "0003"
SINCE = "0.2.0"

HOLD = """
create table if not exists hold (
  id uuid primary key,
  owner text not null,
  customer text,
  reference text,
  source text collate "C",
  target text collate "C",
  state text not null,
  version bigint not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
) with (fillfactor = 80)"""

LINE = """
create table if not exists hold_line (
  hold uuid not null,
  place int not null,
  shard int not null,
  location text collate "C" not null,
  sku text collate "C" not null,
  pending int not null check (pending >= 0),
  committed int not null check (committed >= 0),
  fulfilled int not null check (fulfilled >= 0),
  cancelled int not null check (cancelled >= 0),
  expired int not null check (expired >= 0),
  expires_at timestamptz,
  primary key (hold, place)
) with (fillfactor = 80)"""

INDEXES = (
    "create index if not exists hold_open on hold (state, expires_at) where state in ('pending', 'committed')"
    " and target is null",
    "create index if not exists hold_by_age on hold (created_at, id)",
    "create index if not exists hold_by_reference on hold (reference) where reference is not null",
    "create index if not exists hold_open_by_owner on hold (owner) where state in ('pending', 'committed')"
    " and target is null",
    "create index if not exists hold_open_by_customer on hold (customer)"
    " where customer is not null and state in ('pending', 'committed')",
    "create index if not exists hold_transfers on hold (created_at, id) where target is not null",
    "create index if not exists hold_by_source on hold (source, created_at, id) where target is not null",
    "create index if not exists hold_by_target on hold (target, created_at, id) where target is not null",
    "create index if not exists hold_line_open on hold_line (location, sku, expires_at) where pending + committed > 0",
)
"""The first serves the sweeper and whoever counts open holds, the second lists of any kind; those by owner and customer
say what one of them has open. The last serves both lists by level and the look for overdue holds: a line that is
pending says when it ends, one that is committed says nothing."""


def steps(_shards: int) -> tuple[Step, ...]:
    return (
        Change(
            "with a location of units on their way the one that they go to",
            ('alter table location add column transit_of text collate "C"',),
            {"location": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("location", "transit_of"),
        ),
        Change("holds and their lines", (HOLD, LINE, *INDEXES)),
        Change(
            "with an operation the hold that it was about",
            ("alter table operation add column hold json",),
            {"operation": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("operation", "hold"),
        ),
        Change(
            "with an item how much of it may be held",
            (
                "alter table item add column hold_customer_units int, add column hold_ttl_s int,"
                " add column hold_share_percent int",
            ),
            {"item": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("item", "hold_share_percent"),
        ),
        Change(
            "whether any item says so",
            ("alter table ledger_meta add column items_limited boolean not null default false",),
            {"ledger_meta": Lock.ACCESS_EXCLUSIVE},
            unless=has_column("ledger_meta", "items_limited"),
        ),
    )


def upgrade() -> None:
    expand(revision, steps)
