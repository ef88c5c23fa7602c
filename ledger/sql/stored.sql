-- Operations that are already stored under these ids ($1), each with its events in order.
select o.id as stored_id, o.request_hash, o.refusal,
       e.shard, e.seq, e.sku, e.location, e.version, e.kind, e.on_hand_delta, e.reserved_delta, e.on_hand, e.reserved,
       e.view_version, e.operation, e.actor, e.reason, e.reference, e.occurred_at, e.committed_at
  from operation o
  left join lateral unnest(o.shards, o.first_seqs, o.events) as span(shard, first_seq, n) on true
  left join stock_event e on e.shard = span.shard and e.seq >= span.first_seq and e.seq < span.first_seq + span.n
 where o.id = any($1::uuid[])
 order by o.id, e.shard, e.seq
