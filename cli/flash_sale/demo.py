"""`stockwire demo flash-sale`: runs it, prints the verdict."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import uvloop
from rich.console import Console

from cli.flash_sale.fault import FaultKind, fault_in
from cli.flash_sale.sale import Asked, FlashSale
from cli.running_system import running_system
from cli.flash_sale.verdict import Verdict
from cli.flash_sale.verdict_table import COLUMNS_MAX, verdict_table
from wire.environment import SettingsError

EXIT_INTERRUPTED = 128 + signal.SIGINT


def flash_sale(data: Path, asked: Asked, kind: FaultKind, *, as_json: bool) -> int:
    """Exit status: 0 the sale was right, 1 it was not, 130 interrupted.

    Raises SettingsError, StockwireError, asyncpg's errors and OSError.
    """
    with _progress() as told, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            verdict = runner.run(_run(data, asked, kind, told))
        except (KeyboardInterrupt, asyncio.CancelledError):
            return EXIT_INTERRUPTED
    print(verdict.as_json()) if as_json else _show(verdict)
    return 0 if verdict.good else 1


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


def _show(verdict: Verdict) -> None:
    columns = min(COLUMNS_MAX, Console().width) if sys.stdout.isatty() else COLUMNS_MAX
    Console(width=columns, highlight=False, force_terminal=_coloured()).print(verdict_table(verdict))


def _coloured() -> bool | None:
    """`up` shows what we print on its own terminal: it asks for colours, rich would see a file."""
    return True if os.environ.get("FORCE_COLOR") else None
