"""What `stockwire migrate` says about a migration: before, while and after."""

import shutil
import signal
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.migrations.planning import Planned, Size
    from ledger.migrations.revisions import Revision

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def say(line: str) -> None:
    """A reader that has gone (`| head`) stops no migration in the middle."""
    with suppress(BrokenPipeError):
        print(line, flush=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end a migration with one line; PostgreSQL gives up the statement that is under way.

    SIGTERM goes the way of Ctrl-C, which asyncio takes as the end of its task. Raised wherever the process happens to
    be, it may meet code that passes it over, and the migration would go on.
    """
    ended = signal.SIGINT

    def leave(_: int, __: FrameType | None) -> None:
        nonlocal ended
        ended = signal.SIGTERM
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except KeyboardInterrupt:
        print("stockwire: interrupted: what was done so far stands; run this again to go on", file=sys.stderr)
        raise SystemExit(128 + ended) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def print_plan(planned: "list[Planned]", *, contracting: bool) -> None:
    """On a terminal in its width; elsewhere a line is a line, also for a program."""
    text = shown(planned, contracting=contracting)
    print(wrapped(text, shutil.get_terminal_size().columns) if sys.stdout.isatty() else text)


def wrapped(text: str, width: int) -> str:
    """Each line broken between words, and its rest below it."""
    return "\n".join(part for line in text.splitlines() for part in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    # Not the last column: a terminal that has written there goes on in the next line by itself.
    return textwrap.wrap(line, width - 1, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def shown(planned: "list[Planned]", *, contracting: bool) -> str:
    """A plan as text: per step its locks, what they hold up, and how large the tables are."""
    if not planned:
        return "Nothing is left to contract." if contracting else "Nothing is left to migrate."
    lines = []
    for one in planned:
        if one.number == 1:
            lines.append(f"{one.revision.number} {one.revision.title}")
            if contracting:
                lines.append(f"  cannot be undone: {one.revision.lost}")
        lines.append(f"  {one.number}. {one.step.does}")
        lines += (
            f"     {lock} on {table}{_held_up(lock.holds_sales)}{_size(one.sizes.get(table))}"
            for table, lock in one.step.locks.items()
        )
        lines += (f"       {line}" for line in one.step.sql.splitlines())
    return "\n".join(lines)


def contracted(done: "list[Revision]") -> str:
    if not done:
        return "Nothing is left to contract."
    newest = done[-1]
    return f"The database is contracted: it bears {newest.since} and later. Cannot be undone: {newest.lost}"


def _held_up(holds_sales: bool) -> str:
    return ": sales wait for it, less than a second before it is given up and tried again" if holds_sales else ""


def _size(size: "Size | None") -> str:
    return "" if size is None else f" ({size.rows} rows, {_bytes(size.size_bytes)})"


def _bytes(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.0f} {_UNITS[-1]}"
