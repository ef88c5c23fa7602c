-- The level locks of a batch, in key order, so that two writers never wait for each other in a circle.
--   $1-$3  shard, location, sku
select l.shard, l.location, l.sku, l.on_hand, l.reserved, l.version
  from unnest($1::int[], $2::text[], $3::text[]) as t(shard, location, sku)
  join stock_level l on l.shard = t.shard and l.sku = t.sku and l.location = t.location
 order by l.shard, l.location, l.sku
   for no key update of l
