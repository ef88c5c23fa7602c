-- The locks of a batch's holds ($1), before those of its levels, in the order of their ids.
select id from hold where id = any($1::uuid[]) order by id for no key update
