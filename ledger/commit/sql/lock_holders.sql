-- The locks under which holds are counted ($2: numbers, ascending; $1: their class), until the transaction ends. Whoever has
-- counted has written, and committed, before the next one counts: the next statement sees it.
select pg_advisory_xact_lock($1::int, n) from unnest($2::int[]) as t(n)
