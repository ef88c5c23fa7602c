-- The levels of a batch that the writer does not remember, on one shard: most exist, so nothing else is looked at.
--   {shard}  written in as a number: its partition is named, so that no other one is opened
--   $1-$2    location, sku
select l.shard, l.location, l.sku, l.on_hand, l.reserved, l.version, l.view_version
  from unnest($1::text[], $2::text[]) as t(location, sku)
  join stock_level_{shard} l on l.sku = t.sku and l.location = t.location and l.shard = {shard}
