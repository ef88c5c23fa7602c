"""``stockwire import`` against a real ledger: every line accounted for, every invoice booked once."""

import csv
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from ledger.audit import audit
from ledger.database import create_engine
from stockwire import AsyncClient
from stockwire.importing import read_sheet
from stockwire.importing.plan import make_plan
from tests.client.import_command import SAMPLE, begin, beginning, command, finish, sales
from tests.conftest import StartLedger
from tests.processes import free_port
from tests.proxy import proxy_to
from tests.waiting import wait_until

BEGINNING_LINES = 8_000
HALF_WAY_S = 60.0


async def stored(database_url: str) -> tuple[int, int, int]:
    """How many events, operations and items there are."""
    connection = await asyncpg.connect(database_url)
    try:
        row = await connection.fetchrow(
            "select (select count(*) from stock_event), (select count(*) from operation), (select count(*) from item)"
        )
        assert row
        return (row[0], row[1], row[2])
    finally:
        await connection.close()


async def on_hand(url: str, key: str, location: str) -> dict[str, int]:
    async with AsyncClient(url, key) as client:
        return {level.sku: level.on_hand async for level in client.levels(location)}


async def test_the_sample_is_booked_and_a_second_time_changes_nothing(
    start_ledger: StartLedger, admin_key: str, database_url: str, tmp_path: Path
) -> None:
    """Of its beginning; tests/faults imports the whole, while everything dies."""
    ledger = await start_ledger()
    file = beginning(SAMPLE, BEGINNING_LINES, tmp_path / "beginning.csv")
    arguments = ("import", str(file), "--location", "shop", "--json")
    first = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert first.status == 0, first.err
    assert first.counts == (8_000, 7_972, 0, 28)
    with (tmp_path / first.summary["rejects_file"]).open() as rejects:
        rows = list(csv.DictReader(rejects))
    assert len(rows) == 28
    assert {row["reason"].split(":")[0] for row in rows} == {"no goods"}
    plan = make_plan(read_sheet(file), "shop", None)
    expected: dict[str, int] = {}
    for lines in [*(lines for _, lines in plan.opening), *(booking.lines for booking in plan.bookings)]:
        for line in lines:
            expected[line.sku] = expected.get(line.sku, 0) + line.quantity
    assert await on_hand(ledger.url, admin_key, "shop") == expected
    before = await stored(database_url)
    assert before[1:] == (442 + 2, 1_891)
    second = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert (second.status, second.counts) == (0, first.counts)
    assert await stored(database_url) == before


async def test_every_kind_of_line_is_accounted_for(start_ledger: StartLedger, admin_key: str, tmp_path: Path) -> None:
    ledger = await start_ledger()
    file = sales(
        tmp_path / "mixed.csv",
        ("1", "A", 2),
        ("2", "B", 1),
        ("1", "A", 3),
        ("C3", "A", -4),
        ("4", "A", -1),
        ("5", "POST", 1),
        ("2", "C/D", 1),
        ("6", "A", 0),
    )
    done = await command(tmp_path, "import", str(file), "--location", "shop", "--json", url=ledger.url, key=admin_key)
    assert (done.status, done.counts) == (0, (8, 5, 0, 3)), done.err
    assert await on_hand(ledger.url, admin_key, "shop") == {"A": 3, "B": 0}
    async with AsyncClient(ledger.url, admin_key) as client:
        events = [event async for event in client.stock.history("A", "shop")]
        assert [(event.kind, event.on_hand_delta) for event in events] == [
            ("receipt", 5),
            ("sale", -5),
            ("return", 4),
            ("write_off", -1),
        ]
        assert [event.reference for event in events] == [None, "1", "C3", "4"]
        assert (await client.items.get("A")).name == "NAME OF A"
        assert (await client.items.get("A")).price == Decimal("1.5")
    strict = await command(
        tmp_path, "import", str(file), "--location", "shop", "--strict", url=ledger.url, key=admin_key
    )
    assert strict.status == 1
    assert "8" in strict.out
    assert "Traceback" not in strict.err


async def test_refusals_are_those_of_file_order_and_are_said(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    rows = [(str(number), "A", 1) for number in range(100)] + [("C100", "A", -5)]
    rows += [(str(number), "A", 1) for number in range(101, 111)]
    file = sales(tmp_path / "short.csv", *rows)
    opening = tmp_path / "opening.csv"
    opening.write_text("sku,on_hand\nA,60\nB,5\n")
    arguments = ("import", str(file), "--location", "shop", "--opening-file", str(opening), "--json")
    done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert (done.status, done.counts) == (0, (111, 66, 45, 0)), done.err
    assert "invoice 60 refused" in done.err
    assert "0 available" in done.err
    assert await on_hand(ledger.url, admin_key, "shop") == {"A": 0, "B": 5}
    again = await command(tmp_path, *arguments, "--strict", url=ledger.url, key=admin_key)
    assert (again.status, again.counts) == (1, done.counts)


async def test_another_file_into_the_same_location_brings_what_it_needs(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    first = sales(tmp_path / "first.csv", ("1", "A", 5))
    second = sales(tmp_path / "second.csv", ("2", "A", 7), ("2", "B", 1))
    for file in (first, second, first, second):
        done = await command(
            tmp_path, "import", str(file), "--location", "shop", "--json", url=ledger.url, key=admin_key
        )
        assert (done.status, done.counts[2:]) == (0, (0, 0)), done.err
    assert await on_hand(ledger.url, admin_key, "shop") == {"A": 0, "B": 0}


async def test_an_invoice_that_changed_since_is_refused_not_booked_twice(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    for units in (5, 6):
        file = sales(tmp_path / "sales.csv", ("1", "A", units))
        done = await command(
            tmp_path, "import", str(file), "--location", "shop", "--json", url=ledger.url, key=admin_key
        )
    assert (done.status, done.counts) == (0, (1, 0, 1, 0))
    assert "was used before" in done.err


async def test_an_item_that_somebody_has_named_keeps_its_name(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    async with AsyncClient(ledger.url, admin_key) as client:
        await client.items.put("A", "A better name")
        await client.locations.put("shop", "The shop")
        file = sales(tmp_path / "sales.csv", ("1", "A", 1), ("1", "B", 1))
        done = await command(tmp_path, "import", str(file), "--location", "shop", url=ledger.url, key=admin_key)
        assert done.status == 0, done.err
        assert (await client.items.get("A")).name == "A better name"
        assert (await client.items.get("B")).name == "NAME OF B"
        assert (await client.locations.get("shop")).name == "The shop"


async def test_an_import_killed_half_way_goes_on_where_it_was(
    start_ledger: StartLedger, admin_key: str, database_url: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    file = beginning(SAMPLE, BEGINNING_LINES, tmp_path / "beginning.csv")
    arguments = ("import", str(file), "--location", "shop", "--json")
    plan = make_plan(read_sheet(file), "shop", None)
    parts = urlsplit(ledger.url)
    async with proxy_to(parts.hostname or "", parts.port or 0) as proxy:
        process = await begin(tmp_path, *arguments, url=f"http://127.0.0.1:{proxy.port}", key=admin_key)

        async def half_way() -> bool:
            proxy.stall()  # else it could end between the count and the kill
            if (await stored(database_url))[1] > len(plan.bookings) // 2:
                return True
            proxy.heal()
            return False

        await wait_until(half_way, HALF_WAY_S)
        process.kill()
        await finish(process)
    assert (await stored(database_url))[1] < len(plan.bookings)
    done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    rejected = len(plan.rejects)
    assert (done.status, done.counts) == (0, (BEGINNING_LINES, BEGINNING_LINES - rejected, 0, rejected)), done.err
    assert (await stored(database_url))[1] == len(plan.bookings) + len(plan.opening)
    engine = create_engine(database_url, pool_size=1)
    async with engine.connect() as connection:
        assert await audit(connection) == []
    await engine.dispose()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.csv", "--location", "shop"), "missing.csv cannot be read"),
        (("header.csv", "--location", "shop"), "names no column"),
        (("good.csv", "--location", "a/b"), "no location"),
        (("good.csv", "--location", "shop", "--opening-file", "header.csv"), "sku=COLUMN,on_hand=COLUMN"),
        (("good.csv", "--location", "shop", "--rejects-file", "no/such/folder.csv"), "--rejects-file"),
        (("good.csv", "--location", "shop", "--url", "nonsense"), "http://"),
        (("good.csv", "--location", "shop"), "stockwire up"),
        (("good.csv",), "--location"),
    ],
)
async def test_what_cannot_work_is_one_clear_line_and_status_2(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "header.csv").write_text("a,b\n1,2\n")
    sales(tmp_path / "good.csv", ("1", "A", 1))
    done = await command(tmp_path, "import", *arguments)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


async def test_a_ledger_that_is_not_there_or_refuses_is_said_at_once(start_ledger: StartLedger, tmp_path: Path) -> None:
    file = sales(tmp_path / "sales.csv", ("1", "A", 1))
    away = await command(
        tmp_path, "import", str(file), "--location", "shop", url=f"http://127.0.0.1:{free_port()}", key="sw_k"
    )
    assert (away.status, "cannot be reached" in away.err) == (2, True)
    ledger = await start_ledger()
    refused = await command(tmp_path, "import", str(file), "--location", "shop", url=ledger.url, key="sw_nonsense")
    assert refused.status == 2
    assert len(refused.err.splitlines()) == 1
