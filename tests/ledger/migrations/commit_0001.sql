-- The optimistic group commit, one statement: the whole batch or nothing, on one shard or several.
--   $1-$7    levels of the batch, sorted by (shard, location, sku): shard, location, sku, on_hand, reserved, new version,
--            version decided on (new = old for a level that was only read, for a refusal)
--   $8-$21   events in order, those of one shard in the order of their seqs: shard, location, sku, version, kind,
--            on_hand_delta, reserved_delta, on_hand, reserved, operation, actor, reason, reference, occurred_at
--   $22-$27  operations: id, owner, key, request_hash, lines, refusal
--   $28      the shards that occur, so that the planner leaves out the partitions of the others
-- Any level that moved, any operation already known: an error (division by zero, unique violation), nothing written.
-- Answers one row for each shard that got events: shard, head after, committed_at.
with
want as materialized (
  select * from unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::int[], $6::bigint[], $7::bigint[])
    as t(shard, location, sku, on_hand, reserved, version, old)),
written as (
  update stock_level s set on_hand = w.on_hand, reserved = w.reserved, version = w.version
    from want w
   where w.version > w.old
     and s.shard = any($28::int[])
     and s.shard = w.shard and s.sku = w.sku and s.location = w.location and s.version = w.old
  returning 1),
seen as materialized (
  select count(*) as n from want w
    join stock_level s on s.shard = any($28::int[])
     and s.shard = w.shard and s.sku = w.sku and s.location = w.location and s.version = w.old
   where w.version = w.old),
whole as materialized (  -- 1, or a division by zero: then nothing of the batch stands
  select 1 / (((select count(*) from written) + (select n from seen)) = (select count(*) from want))::int as ok),
event as materialized (
  select e.*, row_number() over (partition by shard order by n) as k
    from unnest($8::int[], $9::text[], $10::text[], $11::bigint[], $12::text[], $13::int[], $14::int[], $15::int[],
                $16::int[], $17::uuid[], $18::text[], $19::text[], $20::text[], $21::timestamptz[])
    with ordinality as e(shard, location, sku, version, kind, on_hand_delta, reserved_delta, on_hand, reserved,
                         operation, actor, reason, reference, occurred_at, n)),
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
  insert into stock_event (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand, reserved,
                           operation, actor, reason, reference, occurred_at, committed_at)
  select e.shard, head.base + e.k, e.version, e.sku, e.location, e.kind, e.on_hand_delta, e.reserved_delta, e.on_hand,
         e.reserved, e.operation, e.actor, e.reason, e.reference, e.occurred_at, head.committed_at
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
    from unnest($22::uuid[], $23::text[], $24::text[], $25::bytea[], $26::jsonb[], $27::jsonb[])
      as o(id, owner, key, request_hash, lines, refusal)
    left join span on span.operation = o.id
   where (select ok from whole) = 1)
select grown.shard, head.head, head.committed_at,
       1 / (head.id is not null)::int as numbered  -- levels never stand without their events
  from grown left join head on head.id = grown.shard
