"""``stockwire import``: real sales from a file."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from stockwire.cli.options import Json, Key, Url, complete
from stockwire.cli.output import say_json
from stockwire.errors import StockwireError

if TYPE_CHECKING:
    from stockwire.importing.booking import Progress
    from stockwire.importing.invoice import Reject
    from stockwire.importing.plan import Plan

EXIT_NOT_ALL = 1
EXIT_FAILURE = 2
REFUSALS_SHOWN_MAX = 10
REACH_S = 5.0


def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV of sales, plain or gzip, in the columns of the Online Retail data.")
    ],
    location: Annotated[str, typer.Option("--location", help="Where the stock is. Made if it does not exist.")],
    opening_file: Annotated[
        Path | None,
        typer.Option("--opening-file", help="CSV sku,on_hand of stock to begin with. Default: what the file needs."),
    ] = None,
    rejects_file: Annotated[
        Path | None,
        typer.Option("--rejects-file", help="Where to write rejected lines. Default: FILE.rejects.csv here."),
    ] = None,
    currency: Annotated[str, typer.Option("--currency", help="Of the file's prices (ISO 4217).")] = "GBP",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any line was not applied.")] = False,
    json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Book a file of sales: every invoice once, as one atomic operation, however often this is run.

    Exits with 0 when every line is accounted for, 1 with --strict if any was not applied, 2 on failure.
    """
    from stockwire.importing.booking import Progress
    from stockwire.importing.sheet import UnreadableFile

    rejects_file = rejects_file or Path(f"{_stem(file)}.rejects.csv")
    progress = Progress(lambda _: None)
    try:
        plan = _read(file, location, opening_file)
        _write_rejects(rejects_file, plan.rejects)
        complete(_book(plan, progress, url, key, currency))
    except (UnreadableFile, StockwireError) as error:
        done = f" ({progress.applied} lines applied; run it again to go on)" if progress.applied else ""
        _fail(f"{error}{done}")
    _report(plan, progress, rejects_file, json)
    if strict and progress.applied < plan.lines_read:
        raise typer.Exit(EXIT_NOT_ALL)


def _read(file: Path, location: str, opening_file: Path | None) -> "Plan":
    """Raises UnreadableFile."""
    from stockwire.importing.opening import read_opening
    from stockwire.importing.plan import make_plan
    from stockwire.importing.sheet import read_sheet
    from stockwire.request import is_name

    if not is_name(location):
        _fail(f"{location!r} is no location: 1 to 64 visible characters without / and *")
    return make_plan(read_sheet(file), location, read_opening(opening_file) if opening_file else None)


async def _book(plan: "Plan", progress: "Progress", url: str | None, key: str | None, currency: str) -> None:
    from rich import progress as bars
    from rich.console import Console

    from stockwire.asyncio.client import AsyncClient
    from stockwire.importing.booking import RETRIES_MAX, RETRY_FOR_S, book

    async with AsyncClient(url, key, retry_for_s=REACH_S) as client:
        await client.hubs()  # a wrong URL is said at once, not after the patience that a crash deserves
    total = sum(booking.file_lines for booking in plan.bookings)
    console = Console(stderr=True)
    with bars.Progress(
        bars.TextColumn("importing"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("lines"),
        bars.TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("importing", total=total)
        progress.report = lambda now: bar.update(task, completed=now.applied + now.refused)
        async with AsyncClient(url, key, max_retries=RETRIES_MAX, retry_for_s=RETRY_FOR_S) as client:
            await book(client, plan, progress, currency or None)


def _write_rejects(path: Path, rejects: "Sequence[Reject]") -> None:
    """Whole or not at all; without rejects only the header, so that no older file is mistaken for this run's."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("w", newline="", encoding="utf-8") as content:
            writer = csv.writer(content, lineterminator="\n")
            writer.writerow(["line", "reason", "original"])
            writer.writerows((reject.line, reject.reason, reject.original) for reject in rejects)
        os.replace(partial, path)
    except OSError as error:
        _fail(f"{path} cannot be written ({error.strerror}): name another with --rejects-file")


def _report(plan: "Plan", progress: "Progress", rejects_file: Path, json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    for refusal in progress.refusals[:REFUSALS_SHOWN_MAX]:
        _say(f"invoice {refusal.invoice} refused, {refusal.file_lines} lines: {refusal.reason}")
    if len(progress.refusals) > REFUSALS_SHOWN_MAX:
        _say(f"and {len(progress.refusals) - REFUSALS_SHOWN_MAX} more invoices refused")
    counts = {
        "read": plan.lines_read,
        "applied": progress.applied,
        "refused": progress.refused,
        "rejected": len(plan.rejects),
    }
    if json:
        say_json({**counts, "rejects_file": str(rejects_file)})
        return
    table = Table("", "lines")
    table.columns[1].justify = "right"
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    console = Console()
    console.print(f"Imported into {plan.location}:", markup=False, highlight=False)
    console.print(table)
    if plan.rejects:
        _say(f"rejected lines with their reasons: {rejects_file}")


def _stem(file: Path) -> str:
    name = file.name.removesuffix(".gz").removesuffix(".csv")
    return name or "import"


def _say(text: str) -> None:
    typer.echo(f"stockwire: {text}", err=True)


def _fail(reason: str) -> NoReturn:
    _say(reason)
    raise typer.Exit(EXIT_FAILURE)
