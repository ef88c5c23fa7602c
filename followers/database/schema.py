"""The schema ``stockwire_channels``: numbered steps, each once, in order; whoever starts first runs them.

Steps only expand: a replica of the version before goes on beside them. An advisory lock keeps two from running at once.
"""

from followers.database.database import Database

_ONE_AT_A_TIME = 7_262_501_811
"""Any number that nobody else uses: the ledger's own migrations have another."""

ENDPOINTS = """
create table stockwire_channels.endpoint (
  id text collate "C" primary key,
  owner text collate "C" not null,
  scopes text[] not null,
  sealed bytea not null,
  url text not null,
  types text[] not null,
  locations text[] not null default '{}',
  skus text[] not null default '{}',
  mode text not null check (mode in ('every', 'latest')),
  batch int not null check (batch >= 1),
  rate_per_s double precision check (rate_per_s > 0),
  state text not null default 'enabled' check (state in ('enabled', 'paused', 'disabled')),
  reason text,
  created_at timestamptz not null default now());

create index endpoint_by_owner on stockwire_channels.endpoint (owner, id);

create table stockwire_channels.lease (
  endpoint text collate "C" primary key references stockwire_channels.endpoint on delete cascade,
  holder text collate "C",
  until timestamptz not null default '-infinity',
  fence bigint not null default 0);

create table stockwire_channels.replica (
  name text collate "C" primary key,
  until timestamptz not null);

create table stockwire_channels.position (
  endpoint text collate "C" not null references stockwire_channels.endpoint on delete cascade,
  shard int not null,
  epoch text not null,
  seq bigint not null,
  primary key (endpoint, shard));

create table stockwire_channels.behind (
  endpoint text collate "C" not null references stockwire_channels.endpoint on delete cascade,
  location text collate "C" not null,
  sku text collate "C" not null,
  epoch text not null,
  shard int not null,
  sent_version bigint not null,
  newest_version bigint not null check (newest_version > sent_version),
  attempt int not null default 0,
  due_at timestamptz not null default now(),
  first_failed_at timestamptz,
  last_status int,
  last_error text,
  primary key (endpoint, location, sku)) with (fillfactor = 70);

create index behind_due on stockwire_channels.behind (endpoint, due_at);

create table stockwire_channels.standing (
  endpoint text collate "C" primary key references stockwire_channels.endpoint on delete cascade,
  failing_since timestamptz,
  failed_at timestamptz);

create table stockwire_channels.notice (
  endpoint text collate "C" not null references stockwire_channels.endpoint on delete cascade,
  id text collate "C" not null,
  type text not null,
  data jsonb not null,
  created_at timestamptz not null default now(),
  attempt int not null default 0,
  due_at timestamptz not null default now(),
  primary key (endpoint, id));

create table stockwire_channels.attempt (
  endpoint text collate "C" not null references stockwire_channels.endpoint on delete cascade,
  number bigint generated always as identity,
  message text not null,
  type text not null,
  location text,
  sku text,
  version bigint,
  at timestamptz not null default now(),
  status int,
  failure text,
  excerpt text not null default '',
  elapsed_ms int not null,
  primary key (endpoint, number));

create table stockwire_channels.replay (
  endpoint text collate "C" not null references stockwire_channels.endpoint on delete cascade,
  id text collate "C" not null,
  epoch text not null,
  shard int not null,
  next_seq bigint not null,
  until_seq bigint not null check (until_seq >= next_seq),
  attempt int not null default 0,
  due_at timestamptz not null default now(),
  primary key (endpoint, id, shard, until_seq));
"""
"""A destination costs a position per shard and a row in ``behind`` per level whose newest version it does not have.

``endpoint.sealed``: its signing keys, encrypted. ``behind.epoch``: of the history that its versions count in.
``replay``: spans of the log that are sent once more.
"""

CHANNELS = """
create table stockwire_channels.channel (
  id text collate "C" primary key check (id ~ '^[a-z][a-z0-9-]{0,49}$'),
  vendor text not null,
  owner text collate "C" not null,
  settings jsonb not null,
  sealed bytea not null,
  locations text[] not null check (cardinality(locations) > 0),
  share numeric not null default 1 check (share > 0 and share <= 1),
  buffer int not null default 0 check (buffer >= 0),
  safety int not null default 0 check (safety >= 0),
  cap int check (cap >= 0),
  notices_url text,
  policy jsonb not null default '{}',
  state text not null default 'enabled' check (state in ('enabled', 'paused', 'stopped')),
  reason text,
  findings text[] not null default '{}',
  checked_at timestamptz,
  listings_asked_at timestamptz,
  listings_read_at timestamptz,
  revision bigint not null default 1,
  created_at timestamptz not null default now());

create index channel_by_owner on stockwire_channels.channel (owner, id);

create table stockwire_channels.channel_lease (
  channel text collate "C" primary key references stockwire_channels.channel on delete cascade,
  holder text collate "C",
  until timestamptz not null default '-infinity',
  fence bigint not null default 0);

create table stockwire_channels.channel_position (
  channel text collate "C" not null references stockwire_channels.channel on delete cascade,
  shard int not null,
  epoch text not null,
  seq bigint not null,
  primary key (channel, shard));

create table stockwire_channels.mapping (
  channel text collate "C" not null references stockwire_channels.channel on delete cascade,
  remote text collate "C" not null,
  sku text collate "C" not null,
  location text collate "C",
  by text not null,
  at timestamptz not null default now(),
  primary key (channel, remote));

create index mapping_by_sku on stockwire_channels.mapping (channel, sku);

create table stockwire_channels.listing (
  channel text collate "C" not null references stockwire_channels.channel on delete cascade,
  remote text collate "C" not null,
  sku text not null default '',
  barcode text not null default '',
  title text not null default '',
  quantity int,
  read_at timestamptz not null default now(),
  primary key (channel, remote));

create table stockwire_channels.outgoing (
  channel text collate "C" not null,
  remote text collate "C" not null,
  state text not null default 'due' check (state in ('rest', 'due', 'accepted', 'unknown', 'dead')),
  changed_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  sent_quantity int,
  sent_at timestamptz,
  polled_after timestamptz,
  wanted_quantity int,
  key text,
  attempt int not null default 0,
  available int,
  changes bigint not null default 0,
  sent_changes bigint not null default 0,
  last_reason text,
  primary key (channel, remote),
  foreign key (channel, remote) references stockwire_channels.mapping on delete cascade) with (fillfactor = 70);

create index outgoing_due on stockwire_channels.outgoing (channel, due_at)
 where state in ('due', 'accepted', 'unknown');
create index outgoing_dead on stockwire_channels.outgoing (channel) where state = 'dead';

create table stockwire_channels.channel_poll (
  channel text collate "C" primary key references stockwire_channels.channel on delete cascade,
  since timestamptz not null default now(),
  polled_at timestamptz);
"""
"""A channel costs a position per shard and a row in ``outgoing`` per mapped listing: the newest target, never a queue.

``channel.revision``: rises with every change of it, so that whoever holds it notices. ``outgoing.sent_quantity``: what
stood there when it was last sent or read, which is kept as knowledge at rest; ``wanted_quantity``, ``key``: of the
attempt that is under way or whose outcome is not known; ``available``: what it was computed from.
``changed_at``: of the newest commit that made it due; ``changes``: how often it was made so; ``sent_changes``: how many
of them were known when it was sent. ``polled_after``: nothing but a zero is sent before an order poll that began later.
``channel_poll``: until when its orders are known.
"""

DRIFT = """
create table stockwire_channels.drift (
  id bigint generated always as identity primary key,
  channel text collate "C" not null references stockwire_channels.channel on delete cascade,
  subject text collate "C" not null,
  sku text collate "C" not null,
  kind text not null,
  ours int,
  theirs int,
  cause text not null,
  repair text,
  repair_sku text not null default '',
  stamp text not null,
  state text not null default 'suspect'
    check (state in ('suspect', 'open', 'accepted', 'repaired', 'dismissed', 'gone')),
  reads int not null default 1,
  first_seen timestamptz not null default clock_timestamp(),
  last_seen timestamptz not null default clock_timestamp(),
  decided_by text,
  why text,
  decided_at timestamptz,
  outcome text);

create unique index drift_standing on stockwire_channels.drift (channel, subject)
  where state in ('suspect', 'open', 'accepted', 'dismissed');
create index drift_by_channel on stockwire_channels.drift (channel, id);

create table stockwire_channels.reconciliation (
  id bigint generated always as identity primary key,
  channel text collate "C" not null references stockwire_channels.channel on delete cascade,
  asked_by text not null,
  repairs boolean not null,
  asked_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  compared int not null default 0,
  differing int not null default 0,
  repaired int not null default 0,
  stopped text);

create index reconciliation_by_channel on stockwire_channels.reconciliation (channel, id);
"""
"""``drift.kind``: its class. ``drift.subject``: such as ``listing:<remote>``, ``order:<id>``.
``reconciliation.stopped``: why it did not end well; of one that repairs: why it repaired nothing."""

ORDERS = """
create table stockwire_channels.channel_notice (
  channel text collate "C" not null references stockwire_channels.channel on delete cascade,
  id text collate "C" not null,
  received_at timestamptz not null default clock_timestamp(),
  headers jsonb not null,
  body bytea not null,
  said jsonb not null,
  applied_at timestamptz,
  attempt int not null default 0,
  due_at timestamptz not null default now(),
  last_error text,
  primary key (channel, id));

create index channel_notice_waiting on stockwire_channels.channel_notice (channel, received_at)
  where applied_at is null;
create index channel_notice_applied on stockwire_channels.channel_notice (applied_at) where applied_at is not null;

create table stockwire_channels.channel_order (
  channel text collate "C" not null references stockwire_channels.channel on delete cascade,
  id text collate "C" not null,
  number text not null,
  state text not null check (state in ('unpaid', 'paid', 'cancelled')),
  placed_at timestamptz not null,
  updated_at timestamptz not null,
  told jsonb not null,
  told_at timestamptz not null default clock_timestamp(),
  told_version bigint not null default 1,
  is_ours boolean not null,
  mapped jsonb not null default '{}',
  unmapped text[] not null default '{}',
  booked jsonb not null default '{}',
  waived jsonb not null default '{}',
  booking jsonb,
  revision int not null default 0,
  no_hold boolean not null default false,
  hold_renewed_at timestamptz,
  due_at timestamptz,
  attempt int not null default 0,
  last_error text,
  first_told_at timestamptz not null default clock_timestamp(),
  booked_at timestamptz,
  entry bigint generated always as identity,
  primary key (channel, id));

create index channel_order_due on stockwire_channels.channel_order (channel, due_at) where due_at is not null;
create index channel_order_unmapped on stockwire_channels.channel_order (channel) where unmapped <> '{}';
create index channel_order_held on stockwire_channels.channel_order (channel, hold_renewed_at)
  where hold_renewed_at is not null;
create index channel_order_entry on stockwire_channels.channel_order (channel, entry);
create index channel_order_placed on stockwire_channels.channel_order (channel, placed_at);

create table stockwire_channels.oversold (
  channel text collate "C" not null,
  order_id text collate "C" not null,
  sku text collate "C" not null,
  number int not null default 1,
  units int not null check (units > 0),
  at timestamptz not null default clock_timestamp(),
  resolved_at timestamptz,
  resolved_by text,
  why text,
  primary key (channel, order_id, sku, number),
  foreign key (channel, order_id) references stockwire_channels.channel_order on delete cascade);

create index oversold_open on stockwire_channels.oversold (channel, at) where resolved_at is null;

alter table stockwire_channels.channel_poll
  add column began_at timestamptz,
  add column ended_at timestamptz;
"""
"""``channel_notice``: what came in and was verified; ``said``: what is in it; without headers and body once applied.
``channel_order``: ``told`` is the newest that the channel has said of it, ``booked`` what the ledger has done for it,
``booking`` a step that may be under way. ``due_at``: when the two are compared again; null: they are equal.
``is_ours``: placed since the channel is there. ``channel_poll.since``: by the channel's clock, up to where all orders
are known; ``began_at`` and ``ended_at``: of the last whole poll; ``polled_at``: ``began_at`` of the last one of which
all orders are booked.
"""

SENT_TODAY = """
alter table stockwire_channels.outgoing
  add column sent_on date,
  add column sent_today int not null default 0;
"""
"""``outgoing.sent_today``: how often it was sent on the day ``sent_on``, a day of the channel's."""

WAYS = """
alter table stockwire_channels.outgoing
  add column fell_at timestamptz,
  add column sent_fell_at timestamptz;

create table stockwire_channels.way_out (
  channel text collate "C" not null references stockwire_channels.channel on delete cascade,
  minute timestamptz not null,
  longest_s float8 not null,
  primary key (channel, minute));

alter table stockwire_channels.channel_order add column settled_at timestamptz;
update stockwire_channels.channel_order set settled_at = coalesce(booked_at, first_told_at) where due_at is null;
alter table stockwire_channels.channel_order drop column first_told_at, drop column booked_at;
create index channel_order_settled on stockwire_channels.channel_order (channel, settled_at) where is_ours;
"""
"""``outgoing.fell_at``: commit of the oldest fall of what is available that no number was computed from yet;
``sent_fell_at``: that the number knows which is under way. ``way_out``: from such a commit until a number that knows it
stands there, the longest in each minute of the last hour. ``channel_order.settled_at``: when all that could be was
booked of it for the first time.
"""

ORDERED = """
alter table stockwire_channels.outgoing
  add column known_at timestamptz,
  add column ordered_at timestamptz;
"""
"""``outgoing.known_at``: from when ``sent_quantity`` is; ``ordered_at``: when an order was told last that moves what
stands there. The newer of the two says whether something else may stand there by now.
"""

STEPS = (ENDPOINTS, CHANNELS, DRIFT, ORDERS, SENT_TODAY, WAYS, ORDERED)


async def expand(database: Database) -> int:
    """Returns how many steps were still to be done. Raises DatabaseAway."""
    async with database.transaction() as connection:
        await connection.execute("select pg_advisory_xact_lock($1)", _ONE_AT_A_TIME)
        await connection.execute("create schema if not exists stockwire_channels")
        await connection.execute(
            "create table if not exists stockwire_channels.step"
            " (number int primary key, done_at timestamptz not null default now())"
        )
        done = await connection.fetchval("select coalesce(max(number), 0) from stockwire_channels.step")
        for number, step in enumerate(STEPS[done:], done + 1):
            await connection.execute(step)
            await connection.execute("insert into stockwire_channels.step (number) values ($1)", number)
    return max(0, len(STEPS) - int(done))
