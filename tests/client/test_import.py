"""``stockwire import`` on a real ledger: every line accounted for, every invoice booked once, no stock from nowhere."""

import csv
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ledger.database.audit import audit
from ledger.database.engine import create_engine
from stockwire import AsyncClient
from stockwire.importing import read_sheet
from stockwire.importing.plan import make_plan
from stockwire.importing.shelf import needed
from tests.client.import_command import SAMPLE, begin, beginning, command, finish, on_hand, sales, stored
from tests.conftest import StartLedger
from tests.harness.proxy import proxy_to
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("processes")

BEGINNING_LINES = 8_000
HALF_WAY_S = 60.0


async def test_the_sample_is_booked_and_a_second_time_changes_nothing(
    start_ledger: StartLedger, admin_key: str, database_url: str, tmp_path: Path
) -> None:
    """Of its beginning; tests/faults imports the whole, while everything dies."""
    ledger = await start_ledger()
    file = beginning(SAMPLE, BEGINNING_LINES, tmp_path / "beginning.csv")
    arguments = ("import", "sales", str(file), "--location", "shop", "--opening", "needed", "--json")
    first = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert first.status == 0, first.err
    assert first.counts == (8_000, 7_972, 0, 28)
    with (tmp_path / first.summary["rejects_file"]).open() as rejects:
        rows = list(csv.DictReader(rejects))
    assert len(rows) == 28
    assert {row["reason"].split(":")[0] for row in rows} == {"no goods"}
    plan = make_plan(read_sheet(file), "shop")
    expected = needed(booking.lines for booking in plan.bookings)
    assert first.summary["opening"] == sum(expected.values())
    for line in (line for booking in plan.bookings for line in booking.lines):
        expected[line.sku] += line.quantity
    assert await on_hand(ledger.url, admin_key, "shop") == expected
    before = await stored(database_url)
    assert before[1:] == (442 + 2, 1_891)
    second = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert (second.status, second.counts) == (0, first.counts)
    assert (second.summary["before"], second.summary["opening"]) == (7_972, 0)
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
    arguments = ("import", "sales", str(file), "--location", "shop", "--currency", "GBP")
    done = await command(tmp_path, *arguments, "--opening", "needed", "--json", url=ledger.url, key=admin_key)
    assert (done.status, done.counts) == (0, (8, 4, 0, 4)), done.err
    assert "1 line: no goods" in done.err
    assert "invoices held back: 1, because of a rejected line" in done.err
    assert "line 3: held back: line 8 of its invoice 2 was rejected (sku 'C/D' is not 1 to 64" in done.err
    assert await on_hand(ledger.url, admin_key, "shop") == {"A": 3}
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
    strict = await command(tmp_path, *arguments, "--strict", url=ledger.url, key=admin_key)
    assert strict.status == 1
    assert "8" in strict.out
    assert "Traceback" not in strict.err


async def test_refusals_are_those_of_one_after_the_other_and_are_said(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    rows = [(str(number), "A", 1) for number in range(100)] + [("C100", "A", -5)]
    rows += [(str(number), "A", 1) for number in range(101, 111)]
    file = sales(tmp_path / "short.csv", *rows)
    opening = tmp_path / "opening.csv"
    opening.write_text("sku,on_hand\nA,60\nB,5\n")
    arguments = ("import", "sales", str(file), "--location", "shop", "--opening", str(opening), "--json")
    done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert (done.status, done.counts) == (0, (111, 66, 45, 0)), done.err
    assert "45 lines: refused, not enough stock" in done.err
    assert "invoice 60 (line 62): 1 of A at shop requested, 0 available" in done.err
    assert done.err.count("0 available") == 3
    assert await on_hand(ledger.url, admin_key, "shop") == {"A": 0, "B": 5}
    again = await command(tmp_path, *arguments, "--strict", url=ledger.url, key=admin_key)
    assert (again.status, again.counts) == (1, done.counts)
    assert await on_hand(ledger.url, admin_key, "shop") == {"A": 0, "B": 5}


async def test_an_item_that_somebody_has_named_keeps_its_name(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    async with AsyncClient(ledger.url, admin_key) as client:
        await client.items.put("A", "A better name")
        await client.locations.put("shop", "The shop")
        file = sales(tmp_path / "sales.csv", ("1", "A", 1), ("1", "B", 1))
        done = await command(
            *(tmp_path, "import", "sales", str(file), "--location", "shop", "--opening", "needed"),
            url=ledger.url,
            key=admin_key,
        )
        assert done.status == 0, done.err
        assert (await client.items.get("A")).name == "A better name"
        assert (await client.items.get("B")).name == "NAME OF B"
        assert (await client.locations.get("shop")).name == "The shop"


async def test_an_import_killed_half_way_goes_on_where_it_was(
    start_ledger: StartLedger, admin_key: str, database_url: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    file = beginning(SAMPLE, BEGINNING_LINES, tmp_path / "beginning.csv")
    arguments = ("import", "sales", str(file), "--location", "shop", "--opening", "needed", "--json")
    plan = make_plan(read_sheet(file), "shop")
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
    assert (await stored(database_url))[1] == len(plan.bookings) + 2
    engine = create_engine(database_url, pool_size=1)
    async with engine.connect() as connection:
        assert await audit(connection) == []
    await engine.dispose()
