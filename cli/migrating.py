"""What `stockwire migrate` says about a migration: before, while and after."""

import signal
import sys
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
    """Ctrl-C and SIGTERM end a migration with one line; PostgreSQL gives up the statement that is under way."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        print("stockwire: interrupted: what was done so far stands; run this again to go on", file=sys.stderr)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


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
    return ": sales wait for it, half a second at most before it is given up and tried again" if holds_sales else ""


def _size(size: "Size | None") -> str:
    return "" if size is None else f" ({size.rows} rows, {_bytes(size.size_bytes)})"


def _bytes(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.0f} {_UNITS[-1]}"
