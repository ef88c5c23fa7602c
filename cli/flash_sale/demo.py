"""`stockwire demo flash-sale`: holds it, shows the verdict."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import typer
import uvloop
from rich.console import Console

from cli.flash_sale.fault import FaultKind, fault_in
from cli.flash_sale.sale import Asked, FlashSale
from cli.flash_sale.verdict import Verdict
from cli.flash_sale.verdict_table import COLUMNS_MAX, verdict_table
from cli.running_system import running_system
from server.settings.environment import SettingsError

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM


def hold_sale(data: Path, asked: Asked, kind: FaultKind) -> Verdict:
    """Prints nothing but its progress.

    Raises SettingsError, StockwireError, asyncpg's errors and OSError; typer.Exit when a signal has ended it.
    """
    with _progress() as told, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_run(data, asked, kind, told))
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except asyncio.CancelledError:
            raise typer.Exit(EXIT_TERMINATED) from None


def show(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        print(verdict.as_json())
        return
    columns = min(COLUMNS_MAX, Console().width) if sys.stdout.isatty() else COLUMNS_MAX
    Console(width=columns, highlight=False, force_terminal=_coloured()).print(verdict_table(verdict))


async def _run(data: Path, asked: Asked, kind: FaultKind, told: Callable[[str], None]) -> Verdict:
    """SIGTERM ends it as Ctrl-C does: what was stopped goes on, the scratch table is dropped."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    system = running_system(data)
    try:
        return await FlashSale(system, asked, fault_in(system, kind), told).run()
    except ExceptionGroup as group:  # of the sale's tasks: the first one's reason is the reason
        raise _first(group) from group


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    if isinstance(error, ExceptionGroup):
        return _first(error)
    if isinstance(error, psutil.Error):
        return SettingsError(f"the process to break ended by itself meanwhile ({error}): try again")
    return error


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A moving line where somebody watches, nothing in a pipe or a log."""
    if not sys.stderr.isatty():
        yield lambda _line: None
        return
    with Console(stderr=True).status("…") as status:
        yield lambda line: status.update(f"{line} …")


def _coloured() -> bool | None:
    """`up` shows what we print on its own terminal: it asks for colours, rich would see a file."""
    return True if os.environ.get("FORCE_COLOR") else None
