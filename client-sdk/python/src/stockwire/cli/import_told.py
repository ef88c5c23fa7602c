"""What can be told to a command of `stockwire import`: every option that more than one of them has, said once."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from stockwire.cli.options import Json, Key, Url

_TOLD_BY_THE_COMMAND = ("kind", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """As it was typed. None and empty: not told, or the command has no such option."""

    kind: str
    file: Annotated[Path, typer.Argument(help="CSV, plain or gzip, or .xlsx.")]
    receipts: Annotated[
        str | None,
        typer.Option("--receipts", help="unique: a number is one sale for ever; daily: they begin again each day."),
    ] = None
    columns: Annotated[str | None, typer.Option("--map", help="Which column is what: sku=SKU,quantity=Qty,...")] = None
    profile: Annotated[
        str | None, typer.Option("--profile", help="Name of a known form of file, or of one that was saved, or a file.")
    ] = None
    save_profile: Annotated[
        str | None, typer.Option("--save-profile", help="Keep how this file was read, under a name or in a file.")
    ] = None
    separator: Annotated[
        str | None, typer.Option("--separator", help="One character, or comma, semicolon, tab, pipe. Default: found.")
    ] = None
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="utf-8, utf-16, windows-1252 ... Default: found.")
    ] = None
    dates: Annotated[
        str | None, typer.Option("--dates", help="Order of day, month, year: dmy, mdy, ymd. Default: found.")
    ] = None
    decimal: Annotated[str | None, typer.Option("--decimal", help="Sign before decimals: . or , Default: found.")] = (
        None
    )
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Of times without an offset: Europe/Berlin, +01:00. Default: UTC.")
    ] = None
    worksheet: Annotated[str | None, typer.Option("--worksheet", help="Of an .xlsx that has several.")] = None
    only_location: Annotated[
        str | None, typer.Option("--only-location", help="Of a file with several locations, by its word.")
    ] = None
    keep_codes: Annotated[
        bool, typer.Option("--keep-codes", help="Take skus as they stand: no mending, no question about leading zeros.")
    ] = False
    currency: Annotated[
        str | None, typer.Option("--currency", help="Of prices whose line names none (ISO 4217), such as GBP.")
    ] = None
    rejects_file: Annotated[
        Path | None,
        typer.Option("--rejects-file", help="Where to write rejected lines. Default: FILE.rejects.csv here."),
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the first lines become and count the rest; book nothing.")
    ] = False
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any line was not applied.")] = False
    json: Json = False
    url: Url = None
    key: Key = None


def takes(kind: str, without: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that is called with a `Told` and what is its own: its options are both. ``without``: those it lacks."""

    def declared(command: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(command).parameters.values()

        @wraps(command)
        def run(**given: Any) -> None:
            command(**{one.name: given.pop(one.name) for one in own}, told=Told(kind=kind, **given))

        file = _parameter("file", Told.__annotations__["file"], inspect.Parameter.empty)
        told = [
            _parameter(one.name, one.type, one.default)
            for one in fields(Told)
            if one.name not in (*_TOLD_BY_THE_COMMAND, *without)
        ]
        parameters = [file, *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own), *told]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # as inspect documents it
        return run

    return declared


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
