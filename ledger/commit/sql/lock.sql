-- The level locks of a batch on one shard, in key order, so that two writers never wait for each other in a circle.
--   {shard}  written in as a number, one statement for each, so that the plan has one partition and no Append: over several
--            partitions at once PostgreSQL 18 dropped rows that it had waited for (seen: EvalPlanQual through Append), and
--            a level that exists would read as unknown.
--   $1-$2    location, sku
select l.shard, l.location, l.sku, l.on_hand, l.reserved, l.version, l.view_version
  from unnest($1::text[], $2::text[]) as t(location, sku)
  join stock_level l on l.shard = {shard} and l.sku = t.sku and l.location = t.location
 order by l.location, l.sku
   for no key update of l
