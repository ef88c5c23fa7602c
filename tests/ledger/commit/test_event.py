"""One list of an event's fields: decided, stored, read back and sent, they are the same."""

import orjson
from sqlalchemy import text

from ledger.commit.decide import decide
from ledger.commit.event import FIELDS, NAMES, PARAMETERS, Source
from ledger.commit.level import NAMES as LEVEL_NAMES
from ledger.commit.level import empty_level, level_of_event
from ledger.commit.line import key_of
from ledger.commit.stock import Stock
from ledger.database.engine import create_engine
from tests.ledger.commit_path import commit_path, line, operation
from wire.messages import Event, LevelState

COLUMNS = """
    select attname, format_type(atttypid, atttypmod) from pg_attribute
     where attrelid = 'stock_event'::regclass and attnum > 0 and not attisdropped
"""
SHORT = {"integer": "int", "timestamp with time zone": "timestamptz"}


def test_hubs_are_sent_every_field_in_the_order_of_the_wire() -> None:
    assert Event.__struct_fields__ == NAMES


def test_what_is_decided_has_every_field_in_order() -> None:
    sold = line("A", "berlin", -1)
    (event,) = decide([operation(sold)], {key_of(sold): Stock(3, 0, 1)}).events
    assert tuple(event) == NAMES
    assert set(PARAMETERS) < set(event)


def test_a_level_made_of_an_event_or_of_nothing_has_the_fields_of_the_wire() -> None:
    event = dict.fromkeys(NAMES, 0)
    assert tuple(level_of_event(event)) == tuple(empty_level("A", "berlin", 1)) == LEVEL_NAMES
    assert LevelState.__struct_fields__ == LEVEL_NAMES


async def test_the_table_has_the_columns_that_the_list_names(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)
    async with engine.connect() as connection:
        columns = {name: SHORT.get(kind, kind) for name, kind in (await connection.execute(text(COLUMNS))).all()}
    await engine.dispose()
    assert columns == {field.name: field.sql for field in FIELDS if field.source is not Source.DERIVED}


async def test_a_replay_reads_back_what_was_answered(database_url: str) -> None:
    """Byte for byte, on the ledger that committed it and on another one."""
    async with commit_path(database_url) as here, commit_path(database_url) as there:
        await here.add_catalog(["A"], ["berlin", "paris"])
        lines = [line("A", "paris", 4, reference="ä"), line("A", "berlin", 2, reason="r"), line("A", "berlin", 3)]
        first = await here.writers.submit(asked := operation(*lines))
        again = [await path.writers.submit(asked) for path in (here, there)]
    assert [outcome.replayed for outcome in again] == [True, True]
    assert {orjson.dumps(outcome.events) for outcome in again} == {orjson.dumps(first.events)}
