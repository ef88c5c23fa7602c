-- The optimistic group commit, one statement: the whole batch or nothing, on one shard or several.
-- Numbers and columns of its parameters are written in when it is read, from the lists in ledger/commit/statements.py and
-- ledger/commit/event.py; each column of rows is one array.
--   {level_arrays}      levels of the batch, sorted by (shard, location, sku), with the new version and the old one that
--                       was decided on (the same for a level that was only read, for a refusal)
--   {event_arrays}      events in order, those of one shard in the order of their seqs
--   {operation_arrays}  operations
--   {shards}            the shards that occur, so that the planner leaves out the partitions of the others
--   {steps}             the public steps by which the view versions were counted
-- Any level that moved, other public steps, any operation already known: an error (division by zero, unique violation),
-- nothing written.
-- Answers one row for each shard that got events: shard, head after, committed_at.
with
want as materialized (
  select * from unnest({level_arrays}) as t({level_columns})),
written as (
  update stock_level s set on_hand = w.on_hand, reserved = w.reserved, version = w.version,
                           view_version = w.view_version
    from want w
   where w.version > w.old
     and s.shard = any({shards}::int[])
     and s.shard = w.shard and s.sku = w.sku and s.location = w.location and s.version = w.old
  returning 1),
seen as materialized (
  select count(*) as n from want w
    join stock_level s on s.shard = any({shards}::int[])
     and s.shard = w.shard and s.sku = w.sku and s.location = w.location and s.version = w.old
   where w.version = w.old),
whole as materialized (  -- 1, or a division by zero: then nothing of the batch stands
  select 1 / (((select count(*) from written) + (select n from seen)) = (select count(*) from want)
              and (select public_steps from ledger_meta) = {steps}::int[])::int as ok),
event as materialized (
  select e.*, row_number() over (partition by shard order by n) as k
    from unnest({event_arrays}) with ordinality as e({event_columns}, n)),
grown as materialized (
  select shard, count(*) as n from event group by shard),
locked as materialized (  -- after the levels, in ascending order: seqs are dense and in commit order, heads never deadlock
  select id from shard where id in (select shard from grown) and (select ok from whole) = 1
   order by id for no key update),
head as (
  update shard s set head = s.head + grown.n
    from grown, locked
   where s.id = grown.shard and s.id = locked.id
  returning s.id, s.head, s.head - grown.n as base, clock_timestamp() as committed_at),
logged as (
  insert into stock_event (seq, committed_at, {event_columns})
  select head.base + e.k, head.committed_at, {event_columns}
    from event e join head on head.id = e.shard
   order by e.n),
span as (
  select operation, array_agg(shard) as shards, array_agg(first) as first_seqs, array_agg(n) as events
    from (select e.operation, e.shard, head.base + min(e.k) as first, count(*)::int as n
            from event e join head on head.id = e.shard group by e.operation, e.shard, head.base) as s
   group by operation),
remembered as (
  insert into operation (id, owner, key, request_hash, lines, refusal, shards, first_seqs, events, committed_at)
  select o.id, o.owner, o.key, o.request_hash, o.lines, o.refusal,
         coalesce(span.shards, '{}'), coalesce(span.first_seqs, '{}'), coalesce(span.events, '{}'), clock_timestamp()
    from unnest({operation_arrays}) as o({operation_columns})
    left join span on span.operation = o.id
   where (select ok from whole) = 1)
select grown.shard, head.head, head.committed_at,
       1 / (head.id is not null)::int as numbered  -- levels never stand without their events
  from grown left join head on head.id = grown.shard
