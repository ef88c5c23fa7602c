"""What an import finds that was there before: stock, other imports, other days. No stock comes from nowhere."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stockwire import AsyncClient, Item, receipt, sale
from tests.client.import_command import Finished, begin, command, finish, on_hand, sales, stored
from tests.conftest import StartLedger

pytestmark = pytest.mark.usefixtures("processes")


async def test_what_was_on_hand_is_sold_from_and_no_file_brings_stock_of_its_own(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    """The file that grows every night, and its copies."""
    ledger = await start_ledger()
    rows = [(str(number), "A", 1) for number in range(15)]
    async with AsyncClient(ledger.url, admin_key) as client:
        await client.items.put("A", "A")
        await client.locations.put("shop", "Shop")
        await client.stock.receive("A", "shop", 100)
    file = sales(tmp_path / "sales.csv", *rows[:10])

    async def night(*more: str) -> tuple[int, int, int]:
        done = await command(
            tmp_path, "import", "sales", str(file), "--location", "shop", "--json", *more, url=ledger.url, key=admin_key
        )
        assert done.status == 0, done.err
        return (done.counts[1], done.summary["before"], (await on_hand(ledger.url, admin_key, "shop"))["A"])

    assert await night() == (10, 0, 90)
    sales(file, *rows)
    assert await night() == (15, 10, 85)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert await night() == (15, 15, 85)
    assert await night("--opening", "needed") == (15, 15, 85)


async def test_where_nothing_has_moved_opening_stock_must_be_said(
    start_ledger: StartLedger, admin_key: str, database_url: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    file = sales(tmp_path / "sales.csv", ("1", "A", 5))
    arguments = ("import", "sales", str(file), "--location", "shop", "--json")
    asked = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert asked.status == 2
    assert "--opening needed" in asked.err
    assert (await stored(database_url))[:2] == (0, 0)
    none = await command(tmp_path, *arguments, "--opening", "none", url=ledger.url, key=admin_key)
    assert (none.status, none.counts) == (1, (1, 0, 1, 0))


async def test_an_invoice_that_is_refused_leaves_no_opening_stock_behind(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    """One that changed since it was booked, and one that is short of something else."""
    ledger = await start_ledger()
    file = sales(tmp_path / "sales.csv", ("1", "A", 5))
    arguments = ("import", "sales", str(file), "--location", "shop", "--opening", "needed", "--json")
    assert (await command(tmp_path, *arguments, url=ledger.url, key=admin_key)).status == 0
    sales(file, ("1", "A", 5), ("1", "B", 7), ("2", "A", 1), ("2", "C", 3))
    done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert (done.status, done.counts) == (1, (4, 0, 4, 0)), done.err
    assert "2 lines: refused, booked before with other lines" in done.err
    assert done.summary["opening"] == 0
    assert await on_hand(ledger.url, admin_key, "shop") == {"A": 0}


async def test_two_first_imports_at_once_open_each_sku_once(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    files = [sales(tmp_path / f"{name}.csv", (name, "A", 5), (name, name, 1)) for name in ("x", "y")]
    both = [
        await begin(
            *(tmp_path, "import", "sales", str(file), "--location", "shop", "--opening", "needed", "--json"),
            url=ledger.url,
            key=admin_key,
        )
        for file in files
    ]
    ends = [await finish(process) for process in both]
    assert {end.status for end in ends} <= {0, 1}, [end.err for end in ends]
    async with AsyncClient(ledger.url, admin_key) as client:
        events = [event async for event in client.stock.history("A", "shop")]
    assert [event.kind for event in events].count("receipt") == 1


async def test_receipts_that_begin_again_are_two_sales_and_are_asked_about(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    header = "Number,SKU,Quantity,Date\n"
    both = tmp_path / "both.csv"
    both.write_text(f"{header}1,A,1,2026-11-02\n1,A,1,2026-11-03\n")
    file = tmp_path / "night.csv"

    async def run(path: Path, *more: str) -> Finished:
        arguments = ("import", "sales", str(path), "--location", "shop", "--opening", "needed", "--json", *more)
        return await command(tmp_path, *arguments, url=ledger.url, key=admin_key)

    asked = await run(both)
    assert (asked.status, "--receipts daily" in asked.err) == (2, True)
    file.write_text(f"{header}1,A,1,2026-11-02\n")
    assert (await run(file)).counts == (1, 1, 0, 0)
    file.write_text(f"{header}1,A,1,2026-11-03\n")
    other_day = await run(file)
    assert (other_day.status, other_day.counts) == (1, (1, 0, 1, 0))
    assert "--receipts daily" in other_day.err
    done = await run(both, "--receipts", "daily")
    assert (done.counts, done.summary["before"]) == ((2, 1, 1, 0), 1), done.err  # nobody had a second one to sell
    assert "1 of A at shop requested, 0 available" in done.err


async def test_an_invoice_that_changed_since_is_refused_not_booked_twice(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    for units in (5, 6):
        file = sales(tmp_path / "sales.csv", ("1", "A", units))
        arguments = ("import", "sales", str(file), "--location", "shop", "--opening", "needed", "--json")
        done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert (done.status, done.counts) == (1, (1, 0, 1, 0))
    assert "booked before with other lines" in done.err


async def test_an_invoice_with_a_line_that_cannot_be_read_is_booked_whole_and_once_when_the_file_is_mended(
    start_ledger: StartLedger, admin_key: str, database_url: str, tmp_path: Path
) -> None:
    """Booked without the line, it could never be completed under its number."""
    ledger = await start_ledger()
    file = sales(tmp_path / "sales.csv", ("1", "A", 2), ("1", "B", 7), ("2", "A", 3), ("1", "C", 1))
    mended = file.read_bytes()
    arguments = ("import", "sales", str(file), "--location", "shop", "--opening", "needed", "--json")

    async def run() -> tuple[int, tuple[int, int, int, int], int, int, dict[str, int]]:
        done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
        stock = await on_hand(ledger.url, admin_key, "shop")
        return done.status, done.counts, done.summary["held"], done.summary["before"], stock

    file.write_bytes(mended.replace(b",7,", b",seven,"))
    assert await run() == (0, (4, 1, 0, 3), 1, 0, {"A": 2})
    file.write_bytes(mended)
    assert await run() == (0, (4, 4, 0, 0), 0, 1, {"A": 0, "B": 0, "C": 0})
    before = await stored(database_url)
    assert (await run())[3:] == (4, {"A": 0, "B": 0, "C": 0})
    assert await stored(database_url) == before


async def test_what_the_version_before_has_booked_is_found_however_its_lines_stood(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    """It sent the lines in the order of the file, opening stock under the digest of the file."""
    ledger = await start_ledger()
    at = datetime(2010, 12, 13, 8, 0, tzinfo=UTC)
    async with AsyncClient(ledger.url, admin_key) as client:
        await client.items.put_many([Item("A", "A"), Item("B", "B")])
        await client.locations.put("shop", "shop")
        opened = [receipt("B", "shop", 1, occurred_at=at), receipt("A", "shop", 2, occurred_at=at)]
        await client.operation(opened, key=f"import:shop:opening:{'0' * 32}:0")
        lines = [sale(sku, "shop", units, reference="1", occurred_at=at) for sku, units in (("B", 1), ("A", 2))]
        await client.operation(lines, key="import:shop:1")
    file = sales(tmp_path / "sales.csv", ("1", "B", 1), ("1", "A", 2))
    file.write_text(file.read_text().replace("08:01", "08:00"))
    arguments = ("import", "sales", str(file), "--location", "shop", "--json")
    done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
    assert (done.status, done.counts, done.summary["before"]) == (0, (2, 2, 0, 0), 2), done.err
    assert await on_hand(ledger.url, admin_key, "shop") == {"A": 0, "B": 0}
