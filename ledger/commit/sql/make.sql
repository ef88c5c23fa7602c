-- The levels of a batch that do not exist yet, created at version 0, and those that came to exist meanwhile.
--   $1-$3  shard, location, sku, sorted by key
-- A level is missing from the answer if its item does not exist, or if another replica created it this very moment:
-- asking once more tells the two apart.
with
want as materialized (
  select * from unnest($1::int[], $2::text[], $3::text[]) as t(shard, location, sku)),
found as materialized (
  select l.shard, l.location, l.sku, l.on_hand, l.reserved, l.version, l.view_version
    from want w join stock_level l on l.shard = w.shard and l.sku = w.sku and l.location = w.location),
made as (
  insert into stock_level (shard, location, sku)
  select w.shard, w.location, w.sku
    from want w join item using (sku) join location p using (location)
   where p.shard = w.shard
     and not exists (select from found f where f.shard = w.shard and f.location = w.location and f.sku = w.sku)
   order by w.shard, w.location, w.sku
  on conflict do nothing
  returning shard, location, sku, on_hand, reserved, version, view_version)
select * from found union all select * from made
