"""The commit statement by need: one text, ``sql/commit.sql``, the forms that are made of it, and what they are handed.

The less a batch needs, the less PostgreSQL has to set up for it. What is checked, and in which order rows are locked,
is the same text in each form. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import accumulate
from operator import attrgetter
from typing import Any

import orjson
from msgspec.structs import astuple

from ledger.commit.arrays import array_of, column, scalar_of
from ledger.commit.decide import Decision
from ledger.commit.event import PARAMETERS, parameters_of, timestamp
from ledger.commit.hold import STATES, Hold, HoldLine
from ledger.commit.line import Line
from ledger.commit.stock import LevelKey
from ledger.errors import Refusal, refusal_as_stored

LEVEL = {
    "shard": "int",
    "location": "text",
    "sku": "text",
    "on_hand": "int",
    "reserved": "int",
    "version": "bigint",
    "view_version": "bigint",
    "old_on_hand": "int",
    "old_reserved": "int",
    "old_version": "bigint",
    "old_view_version": "bigint",
}
"""A level of the commit statement, with the types of its columns: its key, what it will be, and what it was taken to be
when the batch was decided, both as ``Stock`` lists it."""

OPERATION = {
    "id": "uuid",
    "owner": "text",
    "key": "text",
    "request_hash": "bytea",
    "lines": "jsonb",
    "refusal": "jsonb",
}
"""An operation of the commit statement."""

ANSWER = {"hold": "json"}
"""Of an operation in a batch with holds: the hold that it was about, as ``stored_hold`` has it. Kept letter by letter:
whoever repeats a request gets what was answered then."""

HOLD = {
    "id": "uuid",
    "owner": "text",
    "customer": "text",
    "reference": "text",
    "source": "text",
    "target": "text",
    "state": "text",
    "version": "bigint",
    "old_version": "bigint",
    "ttl_s": "int",
}
"""A hold of the commit statement: what it will be, and the version on which that was decided (0: there was none).
``ttl_s``: 0 where its time stays as it is."""

HOLD_LINE = {
    "hold": "uuid",
    "place": "int",
    "shard": "int",
    "location": "text",
    "sku": "text",
    **dict.fromkeys(STATES, "int"),
    "made": "int",
    "ends_at": "timestamptz",
    "ttl_s": "int",
}
"""A line of a hold that changes: its place among the hold's lines, its level, and its units by state. ``made``: 1 if
there was no such line before. Pending units are let go of at ``ends_at``, or without that ``ttl_s`` from the commit."""

SPAN = {"first": "int", "events": "int"}
"""Which events are an operation's: the number of the first, from 1, and how many."""

NUMBER = {"n": "bigint"}
"""The number of an event in its batch, from 1."""

WITH_HOLDS = "holds"
"""Marks the lines of the text that stand only where holds are looked at."""

_MARK = re.compile(r" +-- ((?:one|shard|across|holds)(?:, (?:one|shard|across|holds))*)$")
"""Ends a line of the text that stands in these forms alone."""


class Form(Enum):
    """What a commit statement is made for, the leanest first."""

    ONE = "one"
    SHARD = "shard"
    ACROSS = "across"


def form_of(decision: Decision) -> tuple[Form, int]:
    """The leanest form that takes the batch, and its shard (of several, any)."""
    shard, *others = _shards_of(decision)
    if others:
        return Form.ACROSS, shard
    if len(decision.after) == len(decision.events) == len(decision.stored) == 1 and not decision.holds_after:
        return Form.ONE, shard
    return Form.SHARD, shard


def commit_statement(text: str, form: Form, shard: int, *, holds: bool = False) -> str:
    """Made of ``text``, that of ``sql/commit.sql``. Its parameters are in the order of ``parameters``. ``holds``:
    whether the batch looks at any.
    """
    partition = "" if form is Form.ACROSS else f"_{shard}"
    operation = OPERATION | (ANSWER if holds else {})
    values = {
        "shard": str(shard),
        "stock_level": f"stock_level{partition}",
        "stock_event": f"stock_event{partition}",
        "materialized": "not materialized" if form is Form.ONE else "materialized",
        "event_columns": ", ".join(PARAMETERS),
        "event_values": ", ".join(f"e.{name}" for name in PARAMETERS),
        "operation_columns": ", ".join(operation),
        "operation_values": ", ".join(f"o.{name}" for name in operation),
        "states": ", ".join(STATES),
        "states_taken": ", ".join(f"{state} = w.{state}" for state in STATES),
        "moment": "(select at from moment)" if holds else "clock_timestamp()",
    }
    first = 1
    for name, columns in _handed_over(form, holds).items():
        alone = form is Form.ACROSS or columns in (HOLD, HOLD_LINE)
        values[name] = _rows(form, None if alone else shard, columns, first)
        first += len(columns)
    names = ("shards", "steps") if form is Form.ACROSS else ("steps",)
    values |= {name: f"${number}" for number, name in enumerate(names, first)}
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], _text_of(text, form, holds))


def parameters(decision: Decision, form: Form) -> list[Any]:
    """What the statement of ``form`` is handed."""
    events = [parameters_of(event) for event in decision.events]
    operations = [
        (o.id, o.owner, o.key, o.request_hash, _lines_json(lines), _refusal_json(refusal))
        for o, refusal, _, lines, _ in decision.stored
    ]
    steps = list(decision.steps.steps)
    if form is Form.ONE:
        _, *level = (values[0] for values in _level_values(decision))
        return [*level, *events[0][1:], *operations[0], steps]
    levels = [column(values, kind) for values, kind in zip(_level_values(decision), LEVEL.values(), strict=True)]
    columns = (levels, _columns(events, PARAMETERS), [*_columns(operations, OPERATION), *_answers(decision)])
    numbers = column(list(range(1, len(events) + 1)), NUMBER["n"])
    held = _held(decision)
    if form is Form.SHARD:
        spans = _columns(_spans(decision), SPAN)
        return [*columns[0][1:], *columns[1][1:], numbers, *columns[2], *spans, *held, steps]
    return [*columns[0], *columns[1], numbers, *columns[2], *held, sorted(_shards_of(decision)), steps]


def _shards_of(decision: Decision) -> set[int]:
    return set(map(attrgetter("shard"), decision.after))


def _level_values(decision: Decision) -> list[Sequence[Any]]:
    """Column by column, as ``LEVEL`` lists them: put together by zip, which costs a third of doing it row by row."""
    keys = sorted(decision.after)
    stocks = (map(astuple, map(levels.__getitem__, keys)) for levels in (decision.after, decision.before))
    return [*zip(*keys, strict=True), *(values for rows in stocks for values in zip(*rows, strict=True))]


def _answers(decision: Decision) -> list[Any]:
    if not decision.holds_after:
        return []
    answers = (written.hold for written in decision.stored)
    return [[None if answer is None else orjson.dumps(answer).decode() for answer in answers]]


def _held(decision: Decision) -> list[Any]:
    """The holds that were looked at, by id, in which order they are locked, and the lines of those that change."""
    if not decision.holds_after:
        return []
    holds: list[tuple[Any, ...]] = []
    lines: list[tuple[Any, ...]] = []
    for known in sorted(decision.holds_after):
        hold, before = decision.holds_after[known], decision.holds_before[known]
        if hold is None:
            continue
        old_version = 0 if before is None else before.version
        labels = hold.owner, hold.customer, hold.reference, hold.source, hold.target
        holds.append((known, *labels, hold.state, hold.version, old_version, hold.ttl_s or 0))
        if hold.version > old_version:
            lines += _lines_of_hold(hold, {} if before is None else before.lines)
    return [*_columns(holds, HOLD), *_columns(lines, HOLD_LINE)]


def _lines_of_hold(hold: Hold, before: Mapping[LevelKey, HoldLine]) -> Iterator[tuple[Any, ...]]:
    """Those that differ from ``before``, and what is pending if its time moves."""
    moves = hold.ttl_s is not None
    ends = (None, hold.ttl_s) if moves else (timestamp(hold.expires_at), 0)
    for place, (key, line) in enumerate(hold.lines.items()):
        old = before.get(key)
        if line != old or (moves and line.pending):
            yield (hold.id, place, *key, *astuple(line), int(old is None), *ends)


def _text_of(text: str, form: Form, holds: bool) -> str:
    named = {form.value, WITH_HOLDS} if holds else {form.value}
    lines = []
    for line in text.splitlines():
        mark = _MARK.search(line)
        if not line.startswith("--") and (mark is None or named & set(mark[1].split(", "))):
            lines.append(line[: mark.start()] if mark else line)
    return "\n".join(lines)


def _handed_over(form: Form, holds: bool) -> dict[str, dict[str, str]]:
    """Of each relation of the text the columns that come as parameters, with their types."""
    operation = OPERATION | (ANSWER if holds else {})
    held = {"holds": HOLD, "hold_lines": HOLD_LINE} if holds else {}
    if form is Form.ACROSS:
        return {"levels": LEVEL, "events": PARAMETERS | NUMBER, "operations": operation, **held}
    level, event = ({name: kind for name, kind in given.items() if name != "shard"} for given in (LEVEL, PARAMETERS))
    if form is Form.SHARD:
        return {"levels": level, "events": event | NUMBER, "operations": operation | SPAN, **held}
    return {"levels": level, "events": event, "operations": operation}


def _rows(form: Form, shard: int | None, columns: Mapping[str, str], first: int) -> str:
    """The relation of ``columns``, whose parameters begin at ``first``. ``shard``: what all of its rows have alike.

    Arrays are opened where their values are selected: an `unnest` of several in `from` would first write each of them
    to a store of its own.
    """
    numbered = dict(enumerate(columns.items(), first))
    if form is Form.ONE:
        values = ", ".join(f"{scalar_of(number, kind)} as {name}" for number, (name, kind) in numbered.items())
        return f"select {shard} as shard, {values}, 1 as first, 1 as events, 1::bigint as n"
    of_shard = "" if shard is None else f"{shard} as shard, "
    arrays = ", ".join(f"unnest({array_of(number, kind)}) as {name}" for number, (name, kind) in numbered.items())
    return f"select {of_shard}{arrays}"


def _columns(rows: Sequence[tuple[Any, ...]], columns: Mapping[str, str]) -> list[Any]:
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return [column(of_rows, kind) for of_rows, kind in zip(values, columns.values(), strict=True)]


def _spans(decision: Decision) -> list[tuple[int, int]]:
    """By operation, as SPAN says."""
    counts = [written.events for written in decision.stored]
    return list(zip(accumulate(counts, initial=1), counts, strict=False))


def _lines_json(lines: Sequence[Line]) -> str:
    return orjson.dumps([_asked(line) for line in lines]).decode()


def _asked(line: Line) -> dict[str, Any]:
    """The fields that were given."""
    asked: dict[str, Any] = {
        "sku": line.sku,
        "location": line.location,
        "kind": line.kind,
        "quantity": line.quantity,
    }
    if line.expected_version is not None:
        asked["expected_version"] = line.expected_version
    if line.reason is not None:
        asked["reason"] = line.reason
    if line.reference is not None:
        asked["reference"] = line.reference
    if line.occurred_at is not None:
        asked["occurred_at"] = line.occurred_at
    if line.again:
        asked["again"] = line.again
    return asked


def _refusal_json(refusal: Refusal | None) -> str | None:
    return None if refusal is None else orjson.dumps(refusal_as_stored(refusal)).decode()
