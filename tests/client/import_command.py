"""``stockwire import`` as people run it: the installed command, its own process."""

import asyncio
import gzip
import itertools
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from stockwire import AsyncClient
from tests.harness.processes import ROOT, clean_environment

SAMPLE = ROOT / "cli" / "sample" / "online-retail-2010-12-01_10.csv.gz"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
DEADLINE_S = 100.0


@dataclass(frozen=True)
class Finished:
    status: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """The last line of --json."""
        summary: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return summary

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Lines read, applied, refused, rejected."""
        summary = self.summary
        return (summary["read"], summary["applied"], summary["refused"], summary["rejected"])


async def begin(folder: Path, *arguments: str, url: str = "", key: str = "") -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("stockwire")),
        *arguments,
        cwd=folder,
        env=clean_environment({"STOCKWIRE_URL": url or None, "STOCKWIRE_API_KEY": key or None, "COLUMNS": 80}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def finish(process: asyncio.subprocess.Process) -> Finished:
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


async def command(folder: Path, *arguments: str, url: str = "", key: str = "") -> Finished:
    return await finish(await begin(folder, *arguments, url=url, key=key))


def beginning(sheet: Path, lines: int, path: Path) -> Path:
    """A file of the first ``lines`` after the header."""
    with gzip.open(sheet, "rt", newline="") as whole:
        path.write_text("".join(itertools.islice(whole, lines + 1)))
    return path


def sales(path: Path, *rows: tuple[str, str, int]) -> Path:
    """A file of (invoice, sku, quantity), a minute apart."""
    begin = datetime(2010, 12, 13, 8, 0, tzinfo=UTC)
    lines = [
        f"{invoice},{sku},NAME OF {sku},{units},{begin + timedelta(minutes=at):%d/%m/%Y %H:%M},1.5,,\n"
        for at, (invoice, sku, units) in enumerate(rows)
    ]
    path.write_text("".join([HEADER, *lines]))
    return path


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
