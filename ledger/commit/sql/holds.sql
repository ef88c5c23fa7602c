-- The holds of a batch that the writer does not remember ($1), each with its lines in order; and what time it is.
--   {hold_columns}  ledger.commit.statements.HOLD_COLUMNS
select clock_timestamp() as now, {hold_columns}
  from (values (1)) as once
  left join hold h on h.id = any($1::uuid[])
  left join hold_line l on l.hold = h.id
 order by h.id, l.place
