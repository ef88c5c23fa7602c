"""`stockwire import sales` of a file, from its start to its end, against executemany of the rows of events it made."""

import asyncio
import json
import os
import random
import secrets
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.event_rows import Written, write_again
from tests.bench.ratio import Row
from tests.bench.server import cpu_s, cpu_with_children_s
from tests.bench.shop import Shop
from tests.harness.processes import clean_environment

PROGRAM = Path(sys.executable).with_name("stockwire")
ROWS = 50_000
LINES = 20
"""Of an invoice, about as many as in the sample shop's file."""
SKUS = 2_000
PER_COMMIT = 500
TARGET = 0.4


async def import_sales(shop: Shop, rounds: int) -> list[Row]:
    rows = _rows()
    for _ in range(rounds):
        folder = await shop.once("import", lambda: _folder(shop))
        file = folder / f"{secrets.token_hex(4)}.csv"
        file.write_text(sales_file(file.stem, ROWS))
        ours = await _ours(shop, file, file.stem)
        bare = await write_again(shop, file.stem, ROWS, PER_COMMIT)
        for row, (figure, reference) in zip(rows, zip(ours, bare, strict=True), strict=True):
            row.ours.append(figure)
            row.bare.append(reference)
    return rows


def _rows() -> list[Row]:
    ours = f"`stockwire import sales` of a CSV file, invoices of {LINES} lines, from its start to its end"
    bare = f"executemany of the events it made into a table like theirs, {PER_COMMIT} a commit"
    name = f"import of {ROWS:,} rows"
    return [
        Row(name, "rows/s", "higher", ours, bare, target=TARGET),
        Row(
            f"{name}, CPU",
            "rows per CPU s",
            "higher",
            f"{ours}: command, ledger and PostgreSQL",
            f"{bare}: loader and PostgreSQL",
            target=TARGET,
        ),
    ]


async def _folder(shop: Shop) -> Path:
    """With the command's bytecode in it after its first start, as an installation has it."""
    folder = Path(shop.ends.enter_context(TemporaryDirectory()))
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "import", "sales", "--help"), env=_environment(shop, folder), stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    return folder


def _environment(shop: Shop, folder: Path) -> dict[str, str]:
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder / "bytecode"}
    return clean_environment({"STOCKWIRE_URL": shop.system.ledger_url, "STOCKWIRE_API_KEY": shop.key, **bytecode})


def sales_file(name: str, rows: int) -> str:
    """Every line of an invoice is another sku, so that each becomes an event. ``name`` begins the skus."""
    chance = random.Random(1)
    lines = ["invoice,sku,description,quantity,price,date"]
    for number in range(rows // LINES):
        moment = f"2026-03-{1 + number * 28 * LINES // rows:02}T{number % 12 + 8:02}:{number % 60:02}:00"
        for sku in chance.sample(range(SKUS), LINES):
            goods = f"{name}-{sku:05},Item number {sku},{chance.randint(1, 9)},{sku % 90 + 1}.50"
            lines.append(f"{number + 1},{goods},{moment}")
    return "\n".join(lines) + "\n"


async def _ours(shop: Shop, file: Path, location: str) -> Written:
    options = ("--location", location, "--opening", "needed", "--currency", "GBP", "--json")
    servers, children = _servers_cpu_s(shop), os.times()
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "import", "sales", file, *options),
        env=_environment(shop, file.parent),
        cwd=file.parent,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    took_s, after = time.perf_counter() - started, os.times()
    assert process.returncode == 0, printed.decode()
    counted = json.loads(printed)
    assert counted["applied"] == counted["read"] == ROWS, counted
    command_s = after.children_user + after.children_system - children.children_user - children.children_system
    return Written(ROWS / took_s, ROWS / (_servers_cpu_s(shop) - servers + command_s))


def _servers_cpu_s(shop: Shop) -> float:
    return cpu_s(shop.ledger_pid) + cpu_with_children_s(shop.postgres_pid)
