"""Options that every verb of the client has, how a verb runs, and how one that fails ends."""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import orjson
import typer

from stockwire.cli import EXIT_INTERRUPTED
from stockwire.cli.completion import complete_location, complete_sku
from stockwire.cli.failure import fields_of, line_of, status_of
from stockwire.errors import StockwireError

T = TypeVar("T")

Url = Annotated[str | None, typer.Option("--url", help="URL of the ledger.", envvar="STOCKWIRE_URL")]
_KEY_HELP = "API key. Others see it here in ps and in the shell's history: better set the variable."
Key = Annotated[str | None, typer.Option("--key", help=_KEY_HELP, envvar="STOCKWIRE_API_KEY", show_envvar=True)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs; an error too, on stderr.")]
LocationArgument = Annotated[str, typer.Argument(help="Name of the location.", autocompletion=complete_location)]
SkuArgument = Annotated[str, typer.Argument(help="The sku.", autocompletion=complete_sku)]


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Run a verb to its end; Ctrl-C ends it quietly, everything closed. Raises StockwireError."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None


@contextmanager
def failures(json: bool) -> Generator[None]:
    """A StockwireError in here ends the command: one line on stderr (``json``: one object), and its status."""
    try:
        yield
    except StockwireError as error:
        typer.echo(orjson.dumps(fields_of(error)).decode() if json else f"stockwire: {line_of(error)}", err=True)
        raise typer.Exit(status_of(error)) from error


def echo_json(fields: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(fields).decode())
