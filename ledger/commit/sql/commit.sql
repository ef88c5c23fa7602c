-- The optimistic group commit, one statement: the whole batch or nothing. One text, of which ledger/commit/forms.py makes a
-- statement for each need:
--   one     one operation that commits one event, its values as they are
--   shard   any number of operations on one shard, one array for each column of their rows
--   across  the same on any number of shards
--   holds   beside shard or across: of operations that are about holds
-- A line that ends with names of forms stands in those alone. Numbers and columns of the parameters are written in from the
-- lists in ledger/commit/forms.py and ledger/commit/event.py:
--   {levels}      levels of the batch, sorted by (shard, location, sku), with the new version and the old one that was
--                 decided on (the same for a level that was only read, for a refusal), and what was taken to stand there
--   {events}      events in order, those of one shard in the order of their seqs; in one shard with their number n, from 1
--   {operations}  operations; in one shard with the number of their first event, and how many they have
--   {shard}       the one shard, as a number; its partitions are named, so that no other one is opened
--   {shards}      the shards that occur, so that the planner leaves out the partitions of the others
--   {holds}       holds that were looked at, by id, with the new version and the old one that was decided on (0: there was
--                 none). Whether all is as it was is looked at from left to right, and that locks rows: holds that are there
--                 before levels, as under the locks, and holds that are made behind them
--   {hold_lines}  the lines of those that change, as far as they do
--   {moment}      when it is; with holds once for all of them, since the times of a hold are counted from it
--   {steps}       the public steps by which the view versions were counted
-- Any level that moved or is not as it was taken to be, other public steps, any operation already known: an error (division
-- by zero, unique violation), nothing written. Versions alone would do if all that a writer remembers came from the database;
-- what it hears from the broker may be wrong in any way.
-- Answers one row for each shard that got events: shard, head after, committed_at.
with
want as {materialized} (
  {levels}),
written as (
  update {stock_level} s set on_hand = w.on_hand, reserved = w.reserved, version = w.version,
                             view_version = w.view_version
    from want w
   where w.version > w.old_version
     and s.shard = any({shards}::int[])                                              -- across
     and s.shard = w.shard and s.sku = w.sku and s.location = w.location and s.version = w.old_version
     and s.on_hand = w.old_on_hand and s.reserved = w.old_reserved and s.view_version = w.old_view_version
  returning 1),
seen as materialized (                                                               -- shard, across
  select count(*) as n from want w                                                   -- shard, across
    join {stock_level} s on s.shard = w.shard and s.sku = w.sku and s.location = w.location and s.version = w.old_version -- shard, across
     and s.on_hand = w.old_on_hand and s.reserved = w.old_reserved and s.view_version = w.old_view_version -- shard, across
     and s.shard = any({shards}::int[])                                              -- across
   where w.version = w.old_version),                                                         -- shard, across
moment as materialized (select clock_timestamp() as at),                             -- holds
hold_want as materialized (                                                          -- holds
  {holds}),                                                                          -- holds
hold_made as (                                                                       -- holds
  insert into hold (id, owner, customer, reference, source, target, state, version, created_at, expires_at) -- holds
  select w.id, w.owner, w.customer, w.reference, w.source, w.target, w.state, w.version,   -- holds
         {moment}, {moment} + make_interval(secs => w.ttl_s)                         -- holds
    from hold_want w where w.old_version = 0                                         -- holds
  returning 1),                                                                      -- holds
hold_moved as (                                                                      -- holds
  update hold h set state = w.state, version = w.version,                            -- holds
                    expires_at = case when w.ttl_s > 0 then {moment} + make_interval(secs => w.ttl_s) else h.expires_at end -- holds
    from hold_want w                                                                 -- holds
   where h.id = w.id and h.version = w.old_version and w.version > w.old_version and w.old_version > 0 -- holds
  returning 1),                                                                      -- holds
hold_seen as (                                                                       -- holds
  select h.id from hold_want w join hold h on h.id = w.id and h.version = w.version where w.version = w.old_version), -- holds
line_want as materialized (                                                          -- holds
  select l.*, case when l.pending > 0 then coalesce(l.ends_at, {moment} + make_interval(secs => l.ttl_s)) end as expires_at -- holds
    from ({hold_lines}) l),                                                          -- holds
line_made as (                                                                       -- holds
  insert into hold_line (hold, place, shard, location, sku, {states}, expires_at)    -- holds
  select l.hold, l.place, l.shard, l.location, l.sku, {states}, l.expires_at from line_want l where l.made = 1), -- holds
line_moved as (                                                                      -- holds
  update hold_line h set {states_taken}, expires_at = w.expires_at                   -- holds
    from line_want w                                                                 -- holds
   where h.hold = w.hold and h.place = w.place and w.made = 0                        -- holds
  returning 1),                                                                      -- holds
whole as materialized (  -- 1, or a division by zero: then nothing of the batch stands
  select 1 / (
              (select count(*) from hold_moved) + (select count(*) from hold_seen) -- holds
                = (select count(*) from hold_want where old_version > 0) and -- holds
              (select count(*) from written)
              + (select n from seen)                                                 -- shard, across
              = (select count(*) from want)                                          -- shard, across
              = 1                                                                    -- one
              and (select count(*) from hold_made) = (select count(*) from hold_want where old_version = 0) -- holds
              and (select count(*) from line_moved) = (select count(*) from line_want where made = 0) -- holds
              and (select public_steps from ledger_meta) = {steps}::int[])::int as ok),
event as {materialized} (
  {events}),                                                                         -- one, shard
  select {event_values}, row_number() over (partition by e.shard order by e.n) as n       -- across
    from ({events}) e),                                                              -- across
grown as {materialized} (
  select {shard} as shard, n from event),                                              -- one
  select {shard} as shard, count(*) as n from event having count(*) > 0),            -- shard
  select shard, count(*) as n from event group by shard),                            -- across
locked as materialized (                                                             -- across
  select id from shard where id in (select shard from grown) and (select ok from whole) = 1 -- across
   order by id for no key update),                                                   -- across
head as (  -- locked after the levels, and in ascending order: seqs are dense and in commit order, heads never deadlock
  update shard s set head = s.head + grown.n
    from grown                                                                       -- one, shard
   where s.id = {shard} and (select ok from whole) = 1                               -- one, shard
    from grown, locked                                                               -- across
   where s.id = grown.shard and s.id = locked.id                                     -- across
  returning s.id, s.head, s.head - grown.n as base, clock_timestamp() as committed_at),
logged as (
  insert into {stock_event} (seq, committed_at, {event_columns})
  select head.base + e.n, head.committed_at, {event_columns}
    from event e join head on head.id = e.shard),
span as (                                                                            -- across
  select operation, array_agg(shard) as shards, array_agg(first) as first_seqs, array_agg(n) as events -- across
    from (select e.operation, e.shard, head.base + min(e.n) as first, count(*)::int as n -- across
            from event e join head on head.id = e.shard group by e.operation, e.shard, head.base) as s -- across
   group by operation),                                                              -- across
remembered as (
  insert into operation ({operation_columns}, shards, first_seqs, events, committed_at)
  select {operation_values},
         case when o.events > 0 then array[{shard}] else '{}' end,                   -- one, shard
         case when o.events > 0 then array[head.base + o.first] else '{}' end,       -- one, shard
         case when o.events > 0 then array[o.events] else '{}' end,                  -- one, shard
         coalesce(span.shards, '{}'), coalesce(span.first_seqs, '{}'), coalesce(span.events, '{}'), -- across
         {moment}
    from ({operations}) o
    join head on true                                                                -- one
    left join head on true                                                           -- shard
    left join span on span.operation = o.id                                          -- across
   where (select ok from whole) = 1                                                  -- shard, across
  )
select grown.shard, head.head, head.committed_at,
       {moment} as at,                                                               -- holds
       1 / (head.id is not null)::int as numbered  -- levels never stand without their events
  from grown left join head on head.id = grown.shard
