-- What items say for themselves of how much of them may be held ($1: skus); those that say nothing are left out.
select sku, hold_customer_units, hold_ttl_s, hold_share_percent
  from item
 where sku = any($1::text[])
   and (hold_customer_units is not null or hold_ttl_s is not null or hold_share_percent is not null)
