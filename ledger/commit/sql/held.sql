-- What holders have in open holds that are not overdue: by owner and by customer in holds and units, and by customer and sku
-- in units. A hold that is overdue counts with what of it was paid for.
--   $1      when it is
--   $2      owners; $3  how many holds of each are looked at, at most: each has a unit at least
--   $4      customers; $5  likewise
--   $6, $7  customers and skus
select 'owner' as kind, t.name, null as sku, count(o.id)::int as holds, coalesce(sum(o.units), 0)::bigint as units
  from unnest($2::text[]) as t(name)
  left join lateral (
    select h.id,
           (select sum(l.committed + case when h.expires_at > $1::timestamptz then l.pending else 0 end)
              from hold_line l where l.hold = h.id) as units
      from hold h
     where h.owner = t.name and h.state in ('pending', 'committed') and h.target is null
       and (h.state = 'committed' or h.expires_at > $1::timestamptz
            or exists (select from hold_line l where l.hold = h.id and l.committed > 0))
     limit $3::int) o on true
 group by t.name
union all
select 'customer', t.name, null, count(o.id)::int, coalesce(sum(o.units), 0)::bigint
  from unnest($4::text[]) as t(name)
  left join lateral (
    select h.id,
           (select sum(l.committed + case when h.expires_at > $1::timestamptz then l.pending else 0 end)
              from hold_line l where l.hold = h.id) as units
      from hold h
     where h.customer = t.name and h.state in ('pending', 'committed')
       and (h.state = 'committed' or h.expires_at > $1::timestamptz
            or exists (select from hold_line l where l.hold = h.id and l.committed > 0))
     limit $5::int) o on true
 group by t.name
union all
select 'customer', t.name, t.sku, 0,
       (select coalesce(sum(l.committed + case when h.expires_at > $1::timestamptz then l.pending else 0 end), 0)
          from hold h join hold_line l on l.hold = h.id
         where h.customer = t.name and h.state in ('pending', 'committed') and l.sku = t.sku)::bigint
  from unnest($6::text[], $7::text[]) as t(name, sku)
