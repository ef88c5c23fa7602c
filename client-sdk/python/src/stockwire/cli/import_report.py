"""How an import accounts for every line: the file of rejects, the reasons with their counts, and the sums."""

import csv
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from stockwire.cli import output
from stockwire.cli.import_run import EXIT_NOT_ALL, Reason, fail, say
from stockwire.cli.import_told import Told
from stockwire.importing.invoice import Reject
from stockwire.importing.profile import place_of, saved_profile


def rejects_path(told: Told, opening: Path | None = None) -> Path:
    """Where rejects go. Nothing is written over a file that is read, whatever name, link or case of letters it has."""
    path = told.rejects_file or Path(f"{_stem(told.file)}.rejects.csv")
    profile = saved_profile(told.profile) if told.profile else None
    _check_output(path, "--rejects-file", told.file, opening, profile)
    if told.save_profile:  # over the profile that is read it may go: that is how one is changed
        _check_output(place_of(told.save_profile), "--save-profile", told.file, opening, path)
    return path


def _check_output(path: Path, option: str, *taken: Path | None) -> None:
    if any(_same(path, one) for one in taken if one is not None):
        fail(f"{path} is the file that is read, or written otherwise: name another with {option}")


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Whole or not at all; without rejects only the header, so that no older file is mistaken for this run's."""
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            with path.open("w", newline="", encoding="utf-8", errors="replace") as content:  # /dev/null, a pipe
                _write(content, rejects)
            return
        number, partial = tempfile.mkstemp(prefix=".rejects-", dir=path.parent)
        try:
            with os.fdopen(number, "w", newline="", encoding="utf-8", errors="replace") as content:
                _write(content, rejects)
            os.chmod(partial, 0o666 & ~_umask())
            os.replace(partial, path)
        except BaseException:
            os.unlink(partial)
            raise
    except OSError as error:
        fail(f"{path} cannot be written ({error.strerror}): name another with --rejects-file")


def report(
    told: Told, heading: str, counts: Mapping[str, int], more: Mapping[str, Any], reasons: Sequence[Reason], path: Path
) -> None:
    """``counts`` in lines: read = applied + refused + rejected. ``more``: what else was done. Ends the command."""
    for line in reason_lines(reasons):
        say(line)
    if told.json:
        output.say_json({**counts, **more, "reasons": _fields(reasons), "rejects_file": str(path)})
    else:
        _report_table(heading, counts, more)
        if counts["rejected"]:
            say(f"rejected lines with their reasons: {path}")
    _end(told, counts)


def _report_table(heading: str, counts: Mapping[str, int], more: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "lines")
    table.columns[1].justify = "right"
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    console = Console()
    console.print(heading, markup=False, highlight=False)
    console.print(table)
    for name, value in more.items():
        if value:
            console.print(f"{name}: {value:,}", markup=False, highlight=False)


def preview(told: Told, lines: Iterable[tuple[int, str]], counts: Mapping[str, int], reasons: Sequence[Reason]) -> None:
    """What ``--dry-run`` shows: the first lines as what they become, and the sums. Nothing was sent or written.

    ``counts``: the lines that were read, those to book, and others. Ends the command as the import would.
    """
    for line in reason_lines(reasons):
        say(line)
    if told.json:
        shown = [{"line": line, "becomes": text} for line, text in lines]
        output.say_json({**counts, "first": shown, "reasons": _fields(reasons)})
    else:
        for number, becomes in lines:
            output.say(f"line {number}: {becomes}")
        sums = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        output.say(f"Dry run, nothing was booked: {sums}")
    _end(told, counts)


def reason_lines(reasons: Iterable[Reason]) -> Iterable[str]:
    for reason in reasons:
        yield f"{reason.lines:,} {'line' if reason.lines == 1 else 'lines'}: {reason.word}"
        yield from (f"  {example}" for example in reason.examples)


def _end(told: Told, counts: Mapping[str, int]) -> None:
    """The exit status: 1 where nothing was applied, or with --strict if anything was not; so of what would be."""
    read, applied, *_ = counts.values()
    if read and (applied == 0 or (told.strict and applied < read)):
        raise typer.Exit(EXIT_NOT_ALL)


def _fields(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    return [{"reason": reason.word, "lines": reason.lines, "first": list(reason.examples)} for reason in reasons]


def _write(content: Any, rejects: Sequence[Reject]) -> None:
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(["line", "word", "column", "reason", "original"])
    writer.writerows((one.line, one.word, one.column, one.reason, one.original) for one in rejects)


def _same(path: Path, other: Path) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return os.path.abspath(path) == os.path.abspath(other)


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def _stem(file: Path) -> str:
    name = file.name.removesuffix(".gz").removesuffix(".csv").removesuffix(".xlsx")
    return name or "import"
