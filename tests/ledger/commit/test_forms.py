"""The forms of the commit statement: each writes the same, or nothing at all."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from ledger.commit import statements
from ledger.commit.decide import decide, keys_of
from ledger.commit.forms import Form, commit_statement, form_of, parameters
from ledger.commit.operation import Operation
from ledger.commit.stock import LevelKey, Stock
from ledger.database.connector import CheckedConnection
from tests.ledger.commit_path import CommitPath, commit_path, line, operation

SKUS = ("A", "B", "C")
LEVELS = "select shard, on_hand, reserved, version, view_version from stock_level where sku = $1"
EVENTS = """
    select shard, version, kind, on_hand_delta, reserved_delta, on_hand, reserved, actor, reason, reference,
           occurred_at, view_version, seq - (select min(seq) from stock_event where sku = e.sku) as place
      from stock_event e where sku = $1 order by seq
"""
OPERATIONS = """
    select owner, request_hash, lines->0->>'quantity' as quantity, refusal is null as done, shards, events
      from operation where lines->0->>'sku' = $1 order by key
"""


def of(*operations: Operation, on_hand: int = 5) -> tuple[Form, int]:
    return form_of(decide(operations, {key: Stock(on_hand, 0, 1, 1) for key in keys_of(operations)}))


def test_the_leanest_form_is_taken_that_takes_the_batch() -> None:
    sale, lines = operation(line("A", "berlin", -1)), [line("A", "berlin", -1), line("B", "berlin", -1)]
    shard = _shard_of([sale])
    assert of(sale) == (Form.ONE, shard)
    assert of(operation(line("A", "berlin", 1), line("A", "berlin", 2))) == (Form.ONE, shard), "they are one event"
    assert of(sale, on_hand=0) == (Form.SHARD, shard), "a refusal has no event"
    assert of(sale, operation(line("A", "berlin", -1))) == of(operation(*lines)) == (Form.SHARD, shard)
    assert of(operation(line("A", "berlin", -1), line("A", "paris", -1)))[0] is Form.ACROSS


@pytest.mark.parametrize("form", Form)
def test_nothing_of_the_text_is_left_open(form: Form) -> None:
    """Every parameter that is handed over is taken, and no other."""
    sale = operation(line("A", "berlin", -1))
    handed = parameters(decide([sale], dict.fromkeys(keys_of([sale]), Stock(5, 0, 1, 1))), form)
    statement = commit_statement(statements.COMMIT, form, 3)
    assert not {"{", "}"} & set(statement.replace("'{}'", ""))
    assert {number for number in range(1, 100) if f"${number}:" in statement} == set(range(1, len(handed) + 1))


async def test_each_form_writes_the_same(database_url: str) -> None:
    """The same batches on a sku of its own for each form."""
    async with commit_path(database_url) as path, path.connected() as connection:
        await path.add_catalog(SKUS, ["berlin"])
        written = {}
        for form, sku in zip(Form, SKUS, strict=True):
            await _book(connection, form, [_named(sku, "1", 7, reason="ä", reference="r")])
            await _book(connection, form, [_named(sku, "2", -3)])
            if form is not Form.ONE:  # takes no more
                await _book(connection, form, [_named(sku, "3", -1), _named(sku, "4", -9), _named(sku, "5", -2)])
            written[form] = [await _rows(connection, query, sku) for query in (LEVELS, EVENTS, OPERATIONS)]
        assert await path.audit() == []
    assert written[Form.SHARD] == written[Form.ACROSS]
    assert [len(rows) for rows in written[Form.SHARD]] == [1, 4, 5]
    assert written[Form.ONE][1:] == [rows[:2] for rows in written[Form.ACROSS][1:]]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize(
    ("meanwhile", "refused"),
    [
        ("update stock_level set version = version + 1", asyncpg.DivisionByZeroError),
        ("update stock_level set on_hand = on_hand + 1", asyncpg.DivisionByZeroError),
        ("update stock_level set reserved = reserved + 1", asyncpg.DivisionByZeroError),
        ("update stock_level set view_version = view_version + 1", asyncpg.DivisionByZeroError),
        ("update ledger_meta set public_steps = '{7}'", asyncpg.DivisionByZeroError),
        ("update operation set id = $1", asyncpg.UniqueViolationError),
        ("delete from shard", asyncpg.DivisionByZeroError),
    ],
    ids=["a level moved", "other units", "others reserved", "another view", "other steps", "a known key", "no head"],
)
async def test_nothing_is_written_of_what_does_not_hold_any_more(
    database_url: str, form: Form, meanwhile: str, refused: type[Exception]
) -> None:
    """Without the check, a level stands that has no event: no version and no sum of that looks wrong by itself."""
    async with commit_path(database_url) as path, path.connected() as connection:
        await path.add_catalog(["A"], ["berlin"])
        await _book(connection, form, [operation(line("A", "berlin", 7))])
        sale = operation(line("A", "berlin", -1))
        decision = decide([sale], await statements.load(connection, keys_of([sale])))
        await connection.execute(meanwhile, *[sale.id] * meanwhile.count("$"))
        before = await _counts(path)
        statement = statements.statement(form, _shard_of([sale]))
        with pytest.raises(refused):
            await connection.fetch(statement, *parameters(decision, form))
        assert await _counts(path) == before


async def _counts(path: CommitPath) -> list[int]:
    asked = ("on_hand from stock_level", "count(*) from stock_event", "count(*) from operation")
    return [await path.scalar(f"select {what}") for what in asked]


def _named(sku: str, key: str, quantity: int, **fields: object) -> Operation:
    return operation(line(sku, "berlin", quantity, **fields), key=f"{sku}-{key}")


def _shard_of(batch: Sequence[Operation]) -> int:
    return min(keys_of(batch)).shard


async def _book(connection: CheckedConnection, form: Form, batch: Sequence[Operation]) -> None:
    levels: dict[LevelKey, Stock] = await statements.load(connection, keys_of(batch))
    decision = decide(batch, levels)
    statement = statements.statement(form, _shard_of(batch))
    await connection.fetch(statement, *parameters(decision, form))


async def _rows(connection: CheckedConnection, query: str, sku: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(query, sku)]
