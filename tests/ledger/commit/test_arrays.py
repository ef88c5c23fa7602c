"""Columns handed over as text: PostgreSQL reads from them what was put in, whatever stands in a value."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from ledger.commit.arrays import array_of, column, scalar_of
from ledger.commit.event import timestamp
from tests.ledger.commit_path import commit_path

AWKWARD = (
    *(
        "",
        " ",
        " a ",
        "NULL",
        "null",
        "{}",
        "{",
        "}",
        ",",
        '"',
        '""',
        "\\",
        "\\\\",
        '\\"',
        '"\\',
        "a\\",
        'a"',
        "\\N",
        "\\x41",
    ),
    *("'", "''", "a,b", '","', "}{", "\t", "\n", "\x1f", "\u00e4", "\u2028", "\U0001f600", "$1", "%", ";--"),
)
NOON = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)
COLUMNS: tuple[tuple[str, list[Any]], ...] = (
    *(("text", [value]) for value in AWKWARD),
    ("text", list(AWKWARD)),
    ("text", ["a", None, "", '"', None]),
    ("text", ["plain", "also plain"]),
    ("int", [0, -1, 2**31 - 1, -(2**31)]),
    ("bigint", [2**63 - 1, -(2**63)]),
    ("timestamptz", [NOON, None, NOON.replace(year=1900), NOON.replace(year=2999), NOON.replace(microsecond=0)]),
    ("timestamptz", [NOON.astimezone(timezone(-timedelta(hours=9, minutes=30)))]),
    ("bytea", [b"", b"\\", b'"\x00\xff']),
    ("jsonb", ['{"a": "\\"}"}', None, "[]"]),
)


async def test_postgresql_reads_what_was_put_in(database_url: str) -> None:
    async with commit_path(database_url) as path, path.connected() as connection:
        for kind, values in COLUMNS:
            handed = [timestamp(value) for value in values] if kind == "timestamptz" else values
            read = await connection.fetchval(f"select {array_of(1, kind)}", column(handed, kind))
            assert read == values, (kind, values)
            one = await connection.fetchval(f"select {scalar_of(1, kind)}", handed[0])
            assert one == values[0], (kind, values[0])


async def test_ids_are_read_with_and_without_hyphens(database_url: str) -> None:
    ids = [uuid4() for _ in range(3)]
    async with commit_path(database_url) as path, path.connected() as connection:
        for texts in ([str(id_) for id_ in ids], [id_.hex for id_ in ids]):
            read = await connection.fetchval(f"select {array_of(1, 'uuid')}", column(texts, "uuid"))
            assert [UUID(str(id_)) for id_ in read] == ids


@pytest.mark.parametrize(("kind", "nothing"), [("text", [None, None]), ("timestamptz", [None, None]), ("uuid", [])])
async def test_a_column_of_nothing_is_filled_up_beside_the_others(
    database_url: str, kind: str, nothing: list[None]
) -> None:
    query = f"select n, t from unnest({array_of(1, 'int')}, {array_of(2, kind)}) as u(n, t)"
    async with commit_path(database_url) as path, path.connected() as connection:
        rows = await connection.fetch(query, column([7, 8], "int"), column(nothing, kind))
    assert [tuple(row) for row in rows] == [(7, None), (8, None)]


def test_one_empty_text_is_no_column_of_nothing() -> None:
    assert column([""], "text") == '{""}'
