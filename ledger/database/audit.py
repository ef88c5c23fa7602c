"""The invariants of docs/design.md section 9 that the database can be asked about, each a query for violations.

balance      I1  a level is the sum of its events, and every event follows from the one before it
negative     I1  nothing below zero, nothing below what is reserved: nothing was oversold
versions     I2  the versions of a level are exactly 1..v
seqs         I2  the seqs of a shard are exactly 1..head
effects      I3  one key, one effect: every event belongs to an operation that claims it
torn         I3  an operation stands whole: as many events as its lines touch levels, with the sums of its lines
holds        I8  what is reserved of a level is the sum of its open holds, a hold's state is that of its lines, and its
                 lines end when it does
transit      I8  the units of a transfer stand where those are that go to its target, and no others do
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SAMPLES_MAX = 5
"""Violations of one check that are described; all are counted."""


@dataclass(frozen=True, slots=True)
class Check:
    """``sql`` answers one text for each violation."""

    invariant: str
    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Violation:
    invariant: str
    name: str
    count: int
    samples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.invariant} {self.name}: {self.count} violations, such as {'; '.join(self.samples)}"


CHECKS = (
    Check(
        "I1",
        "balance",
        """
        select format('%s at %s: on_hand %s reserved %s, its events sum up to %s and %s',
                      l.sku, l.location, l.on_hand, l.reserved, coalesce(e.on_hand, 0), coalesce(e.reserved, 0))
          from stock_level l
          left join (select shard, location, sku, sum(on_hand_delta) as on_hand, sum(reserved_delta) as reserved
                       from stock_event group by shard, location, sku) e using (shard, location, sku)
         where (l.on_hand, l.reserved) is distinct from (coalesce(e.on_hand, 0), coalesce(e.reserved, 0))
        union all
        select format('%s at %s version %s: %s after %s%s', sku, location, version, on_hand, before, delta)
          from (select sku, location, version, on_hand, reserved, to_char(on_hand_delta, 'SG9999999999') as delta,
                       on_hand - on_hand_delta as was, reserved - reserved_delta as was_reserved,
                       coalesce(lag(on_hand) over chain, 0) as before,
                       coalesce(lag(reserved) over chain, 0) as before_reserved
                  from stock_event window chain as (partition by shard, location, sku order by version)) c
         where was <> before or was_reserved <> before_reserved""",
    ),
    Check(
        "I1",
        "negative",
        """
        select format('%s at %s: on_hand %s, reserved %s', sku, location, on_hand, reserved) from stock_level
         where on_hand < 0 or reserved < 0 or reserved > on_hand
        union all
        select format('%s at %s version %s: on_hand %s, reserved %s', sku, location, version, on_hand, reserved)
          from stock_event where on_hand < 0 or reserved < 0 or reserved > on_hand""",
    ),
    Check(
        "I2",
        "versions",
        """
        select format('%s at %s: version %s, %s events from %s to %s', coalesce(l.sku, e.sku),
                      coalesce(l.location, e.location), l.version, coalesce(e.n, 0), e.low, e.high)
          from stock_level l
          full join (select shard, location, sku, count(*) as n, min(version) as low, max(version) as high
                       from stock_event group by shard, location, sku) e using (shard, location, sku)
         where l.version is distinct from coalesce(e.n, 0)
            or (e.n is not null and (e.low <> 1 or e.high <> l.version))""",
    ),
    Check(
        "I2",
        "seqs",
        """
        select format('shard %s: head %s, %s events from %s to %s', s.id, s.head, coalesce(e.n, 0), e.low, e.high)
          from shard s
          full join (select shard, count(*) as n, min(seq) as low, max(seq) as high from stock_event group by shard) e
            on e.shard = s.id
         where s.head is distinct from coalesce(e.n, 0)
            or (e.n is not null and (e.low <> 1 or e.high <> s.head))""",
    ),
    Check(
        "I3",
        "effects",
        """
        select format('shard %s seq %s: its operation %s does not claim it', e.shard, e.seq, e.operation)
          from stock_event e
          left join operation o on o.id = e.operation
         where o.id is null
            or not exists (select from unnest(o.shards, o.first_seqs, o.events) as s(shard, first, n)
                            where s.shard = e.shard and e.seq >= s.first and e.seq < s.first + s.n)
        union all
        select format('operation %s is stored under an id that is not its key''s', id) from operation
         where substring(sha256(convert_to(owner, 'UTF8') || '\\x00'::bytea || convert_to(key, 'UTF8')) for 16)
               <> uuid_send(id)
        union all
        select format('operation %s was refused and has events', id) from operation
         where refusal is not null and cardinality(shards) > 0""",
    ),
    Check(
        "I3",
        "torn",
        """
        with line as (
          select o.id, l->>'location' as location, l->>'sku' as sku,
                 sum(case when l->>'kind' in ('hold', 'release', 'commit') then 0
                          when l->>'kind' = 'fulfil' then -(l->>'quantity')::bigint
                          else (l->>'quantity')::bigint end) filter (where l->>'kind' <> 'count') as delta,
                 sum(case l->>'kind' when 'hold' then (l->>'quantity')::bigint
                                     when 'release' then -(l->>'quantity')::bigint
                                     when 'commit' then coalesce((l->>'again')::bigint, 0)
                                     when 'fulfil' then coalesce((l->>'again')::bigint, 0) - (l->>'quantity')::bigint
                                     when 'transit' then (l->>'quantity')::bigint
                                     when 'lost' then (l->>'quantity')::bigint
                                     else 0 end) as reserved
            from operation o, jsonb_array_elements(o.lines) l
           where o.refusal is null
           group by o.id, l->>'location', l->>'sku'),
        claimed as (
          select o.id, sum(s.n) as n from operation o, unnest(o.events) as s(n) group by o.id)
        select format('operation %s: %s of %s at %s asked for %s, found %s',
                      coalesce(l.id, e.operation), coalesce(e.n, 0)::text || ' events', coalesce(l.sku, e.sku),
                      coalesce(l.location, e.location), l.delta || ' and ' || l.reserved,
                      e.delta || ' and ' || e.reserved)
          from line l
          full join (select operation, location, sku, count(*) as n, sum(on_hand_delta) as delta,
                            sum(reserved_delta) as reserved
                       from stock_event group by operation, location, sku) e
            on e.operation = l.id and e.location = l.location and e.sku = l.sku
         where coalesce(e.n, 0) <> 1 or l.id is null or (l.delta is not null and l.delta <> e.delta)
            or l.reserved <> e.reserved
        union all
        select format('operation %s claims %s events, %s exist', o.id, coalesce(c.n, 0), coalesce(e.n, 0))
          from operation o
          left join claimed c on c.id = o.id
          left join (select operation, count(*) as n from stock_event group by operation) e on e.operation = o.id
         where coalesce(c.n, 0) <> coalesce(e.n, 0)""",
    ),
)

HOLDS = Check(
    "I8",
    "holds",
    """
    select format('%s at %s: reserved %s, its open holds sum up to %s', coalesce(l.sku, h.sku),
                  coalesce(l.location, h.location), l.reserved, coalesce(h.open, 0))
      from stock_level l
      full join (select shard, location, sku, sum(pending + committed) as open
                   from hold_line group by shard, location, sku) h using (shard, location, sku)
     where coalesce(l.reserved, -1) <> coalesce(h.open, 0)
    union all
    select format('hold %s is %s, its lines say %s', coalesce(h.id, l.hold), coalesce(h.state, 'missing'),
                  coalesce(l.state, 'nothing'))
      from hold h
      full join (select hold, case when sum(pending) > 0 then 'pending' when sum(committed) > 0 then 'committed'
                                   when sum(fulfilled) > 0 then 'fulfilled' when sum(expired) > 0 then 'expired'
                                   else 'cancelled' end as state
                   from hold_line group by hold) l on l.hold = h.id
     where h.state is distinct from l.state
    union all
    select format('hold %s ends at %s, its line of %s at %s at %s', h.id, h.expires_at, l.sku, l.location,
                  coalesce(l.expires_at::text, 'no time'))
      from hold_line l join hold h on h.id = l.hold
     where l.expires_at is distinct from case when l.pending > 0 then h.expires_at end""",
)
"""A line says when it ends as long as units of it are pending: a refused sale looks for those that are over."""

TRANSIT = Check(
    "I8",
    "transit",
    """
    select format('%s at %s: on_hand %s, reserved %s, all of it should be on its way to %s',
                  l.sku, l.location, l.on_hand, l.reserved, p.transit_of)
      from stock_level l
      join location p using (location)
     where p.transit_of is not null and l.on_hand <> l.reserved
    union all
    select format('hold %s from %s to %s has a line of %s at %s', h.id, h.source, h.target, l.sku, l.location)
      from hold h
      join hold_line l on l.hold = h.id
      join location p using (location)
     where h.target is distinct from p.transit_of or (h.source is null) <> (h.target is null)""",
)

WITHOUT_HOLDS = Check(
    "I8",
    "holds",
    """
    select format('%s at %s: reserved %s, and there are no holds', sku, location, reserved) from stock_level
     where reserved <> 0""",
)
"""The same of a database of before there were any: its ledgers reserve nothing."""

HAS_HOLDS = "select to_regclass('hold_line') is not null"

OVERSOLD = "select count(*) from stock_event where on_hand < reserved or on_hand < 0"


async def audit(connection: AsyncConnection) -> list[Violation]:
    """Every invariant that does not hold, in one consistent snapshot. Reads the whole log: not for a launch hour."""
    await connection.execute(text("set transaction isolation level repeatable read, read only"))
    await connection.execute(text("set local statement_timeout = 0"))
    has_holds = (await connection.execute(text(HAS_HOLDS))).scalar_one()
    violations = []
    for check in (*CHECKS, *((HOLDS, TRANSIT) if has_holds else (WITHOUT_HOLDS,))):
        rows = (await connection.exec_driver_sql(check.sql)).scalars().all()
        if rows:
            violations.append(Violation(check.invariant, check.name, len(rows), tuple(rows[:SAMPLES_MAX])))
    return violations


async def oversold(connection: AsyncConnection) -> int:
    """How many events left a level below what was promised: 0 unless something is badly wrong."""
    count: int = (await connection.execute(text(OVERSOLD))).scalar_one()
    return count
