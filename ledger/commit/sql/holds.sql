-- The holds of a batch that the writer does not remember ($1), each with its lines in order; and what time it is.
select clock_timestamp() as now, h.id, h.owner, h.customer, h.reference, h.version, h.created_at, h.expires_at,
       l.shard, l.location, l.sku, l.pending, l.committed, l.fulfilled, l.cancelled, l.expired
  from (values (1)) as once
  left join hold h on h.id = any($1::uuid[])
  left join hold_line l on l.hold = h.id
 order by h.id, l.place
