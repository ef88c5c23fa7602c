"""The ledger's first tables: catalog, levels, event log, operations, keys."""

import secrets

from ledger.migrations.migrator import expand
from ledger.migrations.steps import Change, Step

revision = "0001"
down_revision = None
SINCE = "0.1.0"

TABLES = """
create table ledger_meta (
  one boolean primary key default true check (one),
  epoch text not null,
  shards int not null check (shards between 1 and 64)
);

create table item (
  sku text collate "C" primary key,
  name text not null,
  price numeric(14, 4) check (price >= 0),
  currency text,
  attributes jsonb not null default '{}'
);

create table location (
  location text collate "C" primary key,
  name text not null,
  shard int not null
);

create table shard (
  id int primary key,
  head bigint not null default 0
) with (fillfactor = 10);

create table stock_level (
  shard int not null,
  location text collate "C" not null references location,
  sku text collate "C" not null references item,
  on_hand int not null default 0,
  reserved int not null default 0,
  version bigint not null default 0,
  primary key (sku, location, shard),
  check (on_hand >= 0),
  check (reserved >= 0),
  check (reserved <= on_hand)
) partition by list (shard);

create table stock_event (
  shard int not null,
  seq bigint not null,
  version bigint not null,
  sku text collate "C" not null,
  location text collate "C" not null,
  kind text not null,
  on_hand_delta int not null,
  reserved_delta int not null,
  on_hand int not null,
  reserved int not null,
  operation uuid not null,
  actor text not null,
  reason text,
  reference text,
  occurred_at timestamptz,
  committed_at timestamptz not null,
  primary key (shard, seq),
  unique (shard, location, sku, version)
) partition by list (shard);

-- Not partitioned by shard: an operation may span shards, and its key is unique wherever its lines stand.
-- id = 128 bits of SHA-256(owner, key), so the one index that keeps keys unique is narrow.
-- Its events are shards[i], seqs first_seqs[i] .. first_seqs[i] + events[i] - 1.
create table operation (
  id uuid primary key,
  owner text not null,
  key text not null,
  request_hash bytea not null,
  lines jsonb not null,
  refusal jsonb,
  shards int[] not null,
  first_seqs bigint[] not null,
  events int[] not null,
  committed_at timestamptz not null
);

create table api_key (
  id text collate "C" primary key,
  owner text not null,
  name text not null default '',
  secret_hash bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
"""

LEVEL_STORAGE = "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0"
"""Hot rows are updated in place (HOT) while their page has room, and dead versions go early."""


def steps(shards: int) -> tuple[Step, ...]:
    statements = [statement.strip() for statement in TABLES.split(";\n") if statement.strip()]
    for shard in range(shards):
        statements += (
            f"create table stock_level_{shard} partition of stock_level for values in ({shard}) with ({LEVEL_STORAGE})",
            f"create table stock_event_{shard} partition of stock_event for values in ({shard})",
            f"insert into shard (id) values ({shard})",
        )
    statements.append(f"insert into ledger_meta (epoch, shards) values ('{secrets.token_hex(6)}', {shards})")
    # The number of shards is fixed by whoever makes the tables.
    return (Change("the ledger's tables", tuple(statements), unless="select to_regclass('ledger_meta') is not null"),)


def upgrade() -> None:
    expand(revision, steps)
