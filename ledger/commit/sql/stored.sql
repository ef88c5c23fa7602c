-- Operations that are already stored under these ids ($1), each with its events in order.
--   {event_columns}  ledger.event.EVENT_COLUMNS
select o.id as stored_id, o.request_hash, o.refusal, o.hold, o.committed_at as stored_at, {event_columns}
  from operation o
  left join lateral unnest(o.shards, o.first_seqs, o.events) as span(shard, first_seq, n) on true
  left join stock_event e on e.shard = span.shard and e.seq >= span.first_seq and e.seq < span.first_seq + span.n
 where o.id = any($1::uuid[])
 order by o.id, e.shard, e.seq
