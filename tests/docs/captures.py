"""What commands show, for the pages: `make captures` runs them in a terminal of 80 by 24 and writes what is seen, or
those that ARGS names.

A page that has a block

    ```text capture NAME

gets it filled with what CAPTURES says of NAME: the command of a real `stockwire up`, or of one that runs already
(STOCKWIRE_DATA). One more is one more line there, and a block on a page.
"""

import asyncio
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from cli.data_folder import DataFolder
from ledger.migrations.revisions import newest
from stockwire import AsyncClient
from tests.cli.running import PROGRAM, RunningUp
from tests.docs.pages import pages
from tests.harness.pseudo_terminal import PseudoTerminal
from tests.harness.waiting import PATIENCE_S
from tests.ledger.migrations.databases import expand_to

COLUMNS, ROWS = 80, 24
SALE_ROWS = 30
PLAN_ROWS = 120
ENDS_WITHIN_S = 90.0
"""A flash sale may wait a minute for a hub, and then for screens."""
SKU = "85123A"
BLOCK = re.compile(r"^(```text capture (\S+)\n)(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Capture:
    """``words``: the command, as it is typed. ``shows``: of one that goes on for ever, when the screen is worth taking;
    None: once it has ended, with what it printed. ``status``: with which it ends. ``schemas``: in an empty database
    that was brought to these, one after the other.
    """

    words: tuple[str, ...]
    shows: Callable[[list[str]], bool] | None = None
    status: int = 0
    rows: int = ROWS
    schemas: tuple[str, ...] = ()


def _changing(lines: list[str]) -> bool:
    return len(lines) > 3 and "fresh  lag" in lines[0] and sum("▼" in line or "▲" in line for line in lines) >= 2


def _measured(lines: list[str]) -> bool:
    return bool(lines) and "– changes/s" not in lines[0] and "up" in lines[0]


CAPTURES = {
    "watch": Capture(("watch", "shop"), _changing, 130, rows=16),
    "top": Capture(("top",), _measured, 130),
    "doctor": Capture(("doctor",), rows=40),
    "migrate-plan": Capture(("migrate", "--plan"), rows=PLAN_ROWS, schemas=("0002",)),
    "migrate-contract-plan": Capture(("migrate", "--contract", "--plan"), schemas=("0001", newest())),
    "stock-sell": Capture(("stock", "sell", SKU, "shop", "2", "--reference", "order-4711")),
    "stock-refused": Capture(("stock", "sell", SKU, "shop", "999999"), status=3),
    "stock-count": Capture(("stock", "count", SKU, "shop", "200", "--any-version", "--reason", "yearly count")),
    "stock-hold": Capture(
        ("stock", "hold", f"{SKU}@shop=2", "71053@shop", "--ttl", "15m", "--reference", "order-4712")
    ),
    "stock-holds": Capture(("stock", "holds", "--reference", "order-4712")),
    "stock-history": Capture(("stock", "history", SKU, "shop", "--limit", "5")),
    "locations": Capture(("locations", "list")),
    "flash-sale": Capture(("demo", "flash-sale"), rows=SALE_ROWS),
    "flash-sale-hold": Capture(("demo", "flash-sale", "--hold"), rows=SALE_ROWS),
    "flash-sale-hub": Capture(("demo", "flash-sale", "--fault", "hub"), rows=SALE_ROWS),
    "flash-sale-broker": Capture(("demo", "flash-sale", "--fault", "broker"), rows=SALE_ROWS),
}


def take(capture: Capture, environment: dict[str, str]) -> list[str]:
    """The command as typed, and the screen below it."""
    with PseudoTerminal([str(PROGRAM), *capture.words], environment, columns=COLUMNS, rows=capture.rows) as terminal:
        if capture.shows is not None:
            lines = terminal.wait_for(capture.shows, f"what is captured of {capture.words}")
            terminal.interrupt()
        status = terminal.wait(ENDS_WITHIN_S)
        if capture.shows is None:
            lines = terminal.screen.lines()
        assert status == capture.status, f"{capture.words} ended with {status}:\n" + "\n".join(lines)
    return [f"$ stockwire {' '.join(_quoted(word) for word in capture.words)}", *lines]


def fill(page: Path, taken: dict[str, list[str]]) -> None:
    """What was not taken stays."""

    def filled_with(block: re.Match[str]) -> str:
        return f"{block[1]}{chr(10).join(taken[block[2]])}\n```" if block[2] in taken else block[0]

    text = page.read_text(encoding="utf-8")
    filled = BLOCK.sub(filled_with, text)
    if filled != text:
        page.write_text(filled, encoding="utf-8")


def captured() -> dict[str, tuple[Path, list[str]]]:
    """What stands on the pages, by name."""
    return {
        name: (page, body.splitlines())
        for page in pages()
        for _, name, body in BLOCK.findall(page.read_text(encoding="utf-8"))
    }


def main() -> None:
    names = sys.argv[1:] or list(CAPTURES)
    running = os.environ.get("STOCKWIRE_DATA")
    if running:
        write({**os.environ, "STOCKWIRE_DATA": running}, names)
        return
    with tempfile.TemporaryDirectory(prefix="stockwire-captures-") as folder:
        up = RunningUp(Path(folder), "--replay", "20", "--no-console").start()
        try:
            asyncio.run(_prepare(up))
            write(up.environment(), names)
        finally:
            up.stop()


def write(environment: dict[str, str], names: Sequence[str]) -> None:
    taken = {}
    for name in names:
        sys.stderr.write(f"{name}\n")
        capture = CAPTURES[name]
        url = asyncio.run(_database(environment, capture.schemas)) if capture.schemas else None
        taken[name] = take(capture, environment if url is None else {**environment, "STOCKWIRE_DATABASE_URL": url})
    for page in pages():
        fill(page, taken)


async def _database(environment: dict[str, str], schemas: Sequence[str]) -> str:
    """The URL of one more database on the system's server."""
    own = urlsplit(DataFolder(Path(environment["STOCKWIRE_DATA"])).environment()["STOCKWIRE_DATABASE_URL"])
    name = f"captured_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(own.geturl())
    try:
        await connection.execute(f"create database {name}")
    finally:
        await connection.close()
    url = own._replace(path=f"/{name}").geturl()
    for schema in schemas:
        await expand_to(url, schema)
    return url


async def _prepare(up: RunningUp) -> None:
    """Until the system is warm: a live sale has reached somebody."""
    async with AsyncClient(up.run["ledger"], up.run["key"]) as client, client.subscribe("shop") as subscription:
        await subscription.ready()
        for _ in range(5):
            await subscription.next_event(timeout_s=PATIENCE_S)


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


if __name__ == "__main__":
    main()
