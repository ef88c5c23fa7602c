"""What the three commands of `stockwire import` share: how a file is read, progress, and how an import ends."""

import sys
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import typer

from stockwire.asyncio.client import AsyncClient
from stockwire.cli.import_told import Told
from stockwire.cli.options import complete
from stockwire.cli.output import warn
from stockwire.errors import StockwireError
from stockwire.importing import ItemList, Sheet, StockList, UnreadableFile
from stockwire.importing.columns import parse_map
from stockwire.importing.fields import Reporter
from stockwire.importing.invoice import Reject
from stockwire.importing.options import ReadOptions
from stockwire.importing.preview import reject_words
from stockwire.importing.profile import save_profile
from stockwire.importing.progress import Progress
from stockwire.importing.sending import RETRIES_MAX, RETRY_FOR_S
from stockwire.importing.shops import find_profile
from stockwire.request import is_name

EXIT_NOT_ALL = 1
EXIT_FAILURE = 2
REACH_S = 5.0

Found = TypeVar("Found", Sheet, ItemList, StockList)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why lines were not applied: the kind, how many of them, and the first, each in a sentence."""

    word: str
    lines: int
    examples: tuple[str, ...]


def options_of(told: Told) -> ReadOptions:
    """Raises UnreadableFile."""
    return ReadOptions(
        profile=find_profile(told.profile, told.kind) if told.profile else None,
        columns=parse_map(told.columns) if told.columns else {},
        separator=told.separator,
        encoding=told.encoding,
        dates=told.dates,
        decimal=told.decimal,
        timezone=told.timezone,
        worksheet=told.worksheet,
        only_location=told.only_location,
        receipts=told.receipts,
        keep_codes=bool(told.keep_codes),
    )


def read_file(told: Told, reader: Callable[[Path, ReadOptions, Reporter], Found], progress: Progress) -> Found:
    """Says how the file was read, and keeps that if it was asked. One that cannot be read ends the command."""
    with readable():
        found = reader(told.file, options_of(told), progress.reach)
        say_readings(found.readings, found.mends)
        if told.save_profile:
            say(f"profile kept in {save_profile(found.profile, told.save_profile)}")
    return found


def say_readings(readings: Sequence[str], mends: Mapping[str, int], of: str = "") -> None:
    for reading in readings:
        say(f"{of}{reading}")
    for word, count in mends.items():
        say(f"{of}mended, {word}: {count:,}")


def check_location(location: str) -> None:
    if not is_name(location):
        fail(f"{location!r} is no location: 1 to 64 visible characters without / and *")


def check_currency(currency: str | None) -> None:
    if currency is not None and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        fail(f"--currency {currency!r} is not three capital letters, such as GBP")


@contextmanager
def progress_bar() -> Generator[Progress]:
    """On a terminal: the phase, and how much of it is done. Elsewhere nothing."""
    if not sys.stderr.isatty():
        yield Progress(lambda _: None)
        return
    from rich import progress as bars
    from rich.console import Console

    with bars.Progress(
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("reading", total=None)
        yield Progress(lambda now: bar.update(task, description=now.phase, completed=now.done, total=now.total or None))


def run(told: Told, work: Callable[[AsyncClient], Awaitable[None]], applied: Callable[[], int]) -> None:
    """Raises what ``work`` raises but StockwireError, which ends the command in one line.

    ``work`` returns nothing: asyncio.run writes out what its task returned, and a plan of 100,000 lines takes a second.
    """
    try:
        complete(_run(told, work))
    except StockwireError as error:
        done = f" ({applied():,} lines applied; run it again to go on)" if applied() else ""
        fail(f"{' '.join(str(error).split())}{done}")


async def _run(told: Told, work: Callable[[AsyncClient], Awaitable[None]]) -> None:
    async with AsyncClient(told.url, told.key, retry_for_s=REACH_S) as client:
        await client.hubs()  # a wrong URL is said at once, not after the patience that a crash deserves
    async with AsyncClient(told.url, told.key, max_retries=RETRIES_MAX, retry_for_s=RETRY_FOR_S) as client:
        await work(client)


@contextmanager
def readable() -> Generator[None]:
    """A file that cannot be read ends the command in one line."""
    try:
        yield
    except UnreadableFile as error:
        fail(" ".join(str(error).split()))


def rejected(rejects: Sequence[Reject]) -> list[Reason]:
    return [
        Reason(word, count, tuple(f"line {reject.line}: {reject.reason}" for reject in first))
        for word, count, first in reject_words(rejects)
    ]


def say(text: str) -> None:
    warn(text)


def fail(reason: str) -> NoReturn:
    say(reason)
    raise typer.Exit(EXIT_FAILURE)
