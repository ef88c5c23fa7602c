-- Holds whose time is over and that still reserve units of these levels ($1, $2: location, sku), the oldest first.
--   $3  how many at most
--   $4  holds that are left out
-- By the time of the statement, which an index can be searched with: clock_timestamp() looks at each hold of the level.
select distinct on (l.expires_at, l.hold) l.hold
  from unnest($1::text[], $2::text[]) as t(location, sku)
  join hold_line l on l.location = t.location and l.sku = t.sku
 where l.pending + l.committed > 0 and l.pending > 0 and l.expires_at <= statement_timestamp()
   and l.hold <> all($4::uuid[])
 order by l.expires_at, l.hold
 limit $3
