"""``stockwire import``: wrong usage, dry runs, where rejects go; items and stock."""

import asyncio
import os
from decimal import Decimal
from pathlib import Path

import pytest

from stockwire import AsyncClient, Item
from tests.client.import_command import command, on_hand, sales
from tests.conftest import StartLedger
from tests.harness.servers import free_port

pytestmark = pytest.mark.usefixtures("processes")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sales", "missing.csv", "--location", "shop"), "missing.csv cannot be read"),
        (("sales", "header.csv", "--location", "shop"), "names no column"),
        (("sales", "good.csv", "--location", "a/b"), "no location"),
        (("sales", "good.csv", "--location", "shop", "--opening", "header.csv"), "header.csv"),
        (("sales", "good.csv", "--location", "shop", "--currency", "pounds"), "three capital letters"),
        (("sales", "good.csv", "--location", "shop", "--rejects-file", "good.csv"), "the file that is read"),
        (("sales", "good.csv", "--location", "shop", "--rejects-file", "linked.csv"), "the file that is read"),
        (("sales", "good.csv", "--location", "shop", "--rejects-file", "hard.csv"), "the file that is read"),
        (("sales", "good.csv", "--location", "shop", "--opening", "o.csv", "--rejects-file", "o.csv"), "that is read"),
        (("sales", "good.csv", "--location", "shop", "--save-profile", "./good.csv"), "the file that is read"),
        (("sales", "good.csv", "--location", "shop", "--save-profile", "./hard.csv", "--dry-run"), "that is read"),
        (
            ("sales", "good.csv", "--location", "shop", "--opening", "o.csv", "--save-profile", "./o.csv"),
            "that is read",
        ),
        (
            ("sales", "good.csv", "--location", "shop", "--profile", "p.toml", "--rejects-file", "p.toml"),
            "that is read",
        ),
        (("items", "priced.csv", "--rejects-file", "x.toml", "--save-profile", "x.toml"), "written otherwise"),
        (("sales", "good.csv", "--location", "shop", "--url", "nonsense"), "no URL of a ledger"),
        (("sales", "good.csv", "--location", "shop"), "stockwire up"),
        (("sales", "good.csv"), "--location"),
        (("good.csv", "--location", "shop"), "stockwire import sales good.csv --location shop"),
        (("--location", "shop", "good.csv"), "stockwire import sales --location shop good.csv"),
        (("items", "priced.csv"), "--currency"),
        (("stock", "stock.csv"), "--location"),
    ],
)
async def test_what_cannot_work_is_one_clear_line_and_status_2(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "header.csv").write_text("a,b\n1,2\n")
    (tmp_path / "o.csv").write_text("sku,on_hand\nA,1\n")
    (tmp_path / "p.toml").write_text('name = "p"\nkind = "sales"\n')
    (tmp_path / "priced.csv").write_text("sku,name,price\nA,Apple,1.5\n")
    (tmp_path / "stock.csv").write_text("sku,on_hand\nA,1\n")
    good = sales(tmp_path / "good.csv", ("1", "A", 1))
    before = good.read_bytes()
    (tmp_path / "linked.csv").symlink_to(good)
    (tmp_path / "hard.csv").hardlink_to(good)
    done = await command(tmp_path, "import", *arguments)
    assert done.status == 2
    assert said in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert done.out == ""
    assert good.read_bytes() == before


async def test_a_ledger_that_is_not_there_or_refuses_is_said_at_once(start_ledger: StartLedger, tmp_path: Path) -> None:
    file = sales(tmp_path / "sales.csv", ("1", "A", 1))
    arguments = ("import", "sales", str(file), "--location", "shop")
    away = await command(tmp_path, *arguments, url=f"http://127.0.0.1:{free_port()}", key="sw_k")
    assert (away.status, "cannot be reached" in away.err) == (2, True)
    ledger = await start_ledger()
    refused = await command(tmp_path, *arguments, url=ledger.url, key="sw_nonsense")
    assert refused.status == 2
    assert "API key" in refused.err.splitlines()[-1]


async def test_rejects_go_where_they_are_sent_also_to_a_device(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    """A rename over it would put a plain file in its place."""
    ledger = await start_ledger()
    file = sales(tmp_path / "sales.csv", ("1", "A", 1), ("2", "POST", 1))
    fifo = tmp_path / "rejects"
    os.mkfifo(fifo)
    reading = asyncio.create_task(asyncio.to_thread(fifo.read_text))
    done = await command(
        *(tmp_path, "import", "sales", str(file), "--location", "shop", "--opening", "needed", "--rejects-file"),
        str(fifo),
        url=ledger.url,
        key=admin_key,
    )
    assert done.status == 0, done.err
    assert "POST" in await reading
    assert fifo.is_fifo()


async def test_a_dry_run_shows_what_lines_become_and_books_nothing(tmp_path: Path) -> None:
    file = sales(tmp_path / "sales.csv", ("1", "A", 2), ("2", "POST", 1))
    done = await command(tmp_path, "import", "sales", str(file), "--location", "shop", "--dry-run")
    assert done.status == 0, done.err
    assert "line 2: sale -2 A" in done.out
    assert "line 3: rejected: no goods" in done.out
    assert "2 read, 1 to book, 1 rejected, 1 invoices" in done.out
    assert os.listdir(tmp_path) == ["sales.csv"]
    strict = await command(tmp_path, "import", "sales", str(file), "--location", "shop", "--dry-run", "--strict")
    assert (strict.status, strict.out) == (1, done.out)


async def test_a_dry_run_of_what_books_nothing_ends_as_the_import_would(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("sku,name\nA,\n")
    (tmp_path / "stock.csv").write_text("sku,on_hand\nA,many\n")
    sales(tmp_path / "sales.csv", ("1", "POST", 1))
    for arguments in (("items", "items.csv"), ("stock", "stock.csv", "--location", "shop"), ("sales", "sales.csv")):
        place = ("--location", "shop") if arguments[0] == "sales" else ()
        assert (await command(tmp_path, "import", *arguments, *place, "--dry-run")).status == 1


async def test_items_are_put_over_what_is_known_and_a_second_time_nothing_is_sent(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    async with AsyncClient(ledger.url, admin_key) as client:
        await client.items.put("A", "Old", price=Decimal("1.00"), currency="EUR", attributes={"colour": "red"})
        file = tmp_path / "items.csv"
        file.write_text("sku,name,price\nA,Apple,\nB,Banana,2.50\nC,,1\nD,Date,1.123456\n")
        arguments = ("import", "items", str(file), "--currency", "GBP", "--json")
        done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
        assert (done.status, done.counts) == (0, (4, 2, 0, 2)), done.err
        assert [done.summary[name] for name in ("created", "updated", "unchanged")] == [1, 1, 0]
        assert await client.items.get("A") == Item("A", "Apple", Decimal("1.00"), "EUR", {"colour": "red"})
        assert await client.items.get("B") == Item("B", "Banana", Decimal("2.50"), "GBP")
        again = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
        assert [again.summary[name] for name in ("created", "updated", "unchanged")] == [0, 0, 2]


async def test_stock_is_counted_where_it_differs_and_left_alone_where_it_does_not(
    start_ledger: StartLedger, admin_key: str, tmp_path: Path
) -> None:
    ledger = await start_ledger()
    async with AsyncClient(ledger.url, admin_key) as client:
        await client.items.put_many([Item("A", "A"), Item("00123", "Zeros")])
        await client.locations.put("shop", "shop")
        await client.stock.receive("A", "shop", 7)
        file = tmp_path / "stock.csv"
        file.write_text("sku,on_hand\nA,7\nB,3\n123,4\nC,many\n")
        arguments = ("import", "stock", str(file), "--location", "shop", "--json")
        done = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
        assert (done.status, done.counts) == (0, (4, 2, 0, 2)), done.err
        assert [done.summary[name] for name in ("counted", "unchanged", "items")] == [1, 1, 1]
        assert "leading zero lost" in done.err
        assert await on_hand(ledger.url, admin_key, "shop") == {"A": 7, "B": 3}
        file.write_text("sku,on_hand\nA,5\nB,3\n")
        again = await command(tmp_path, *arguments, url=ledger.url, key=admin_key)
        assert [again.summary[name] for name in ("counted", "unchanged")] == [1, 1]
        assert await on_hand(ledger.url, admin_key, "shop") == {"A": 5, "B": 3}
        (event,) = [event async for event in client.stock.history("A", "shop", after_version=1)]
        assert (event.kind, event.on_hand_delta) == ("count", -2)
