"""Options that every verb of the client has, how a verb runs, and how one that fails ends.

What a verb needs is imported when it runs: `stockwire --help` and the shell's completion need neither HTTP nor asyncio.
"""

from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from stockwire.cli import EXIT_INTERRUPTED, http
from stockwire.cli.completion import complete_location, complete_sku
from stockwire.cli.failure import fields_of, line_of, status_of
from stockwire.cli.output import warn, warn_json
from stockwire.errors import StockwireError

if TYPE_CHECKING:
    from stockwire.sync.client import Client

T = TypeVar("T")

Url = Annotated[str | None, typer.Option("--url", help="URL of the ledger.", envvar="STOCKWIRE_URL")]
_KEY_HELP = "API key. Others see it here in ps and in the shell's history: better set the variable."
Key = Annotated[str | None, typer.Option("--key", help=_KEY_HELP, envvar="STOCKWIRE_API_KEY", show_envvar=True)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs; an error too, on stderr.")]
LocationArgument = Annotated[str, typer.Argument(help="Name of the location.", autocompletion=complete_location)]
SkuArgument = Annotated[str, typer.Argument(help="The sku.", autocompletion=complete_sku)]


def client_of(url: str | None, key: str | None) -> "Client":
    """For verbs that ask once: an event loop would cost as much as all the rest. Raises ConfigurationError."""
    http.load()
    from stockwire.sync.client import Client

    return Client(url, key)


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Run a verb on asyncio to its end; Ctrl-C ends it quietly, everything closed. Raises StockwireError."""
    import asyncio

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
        fail(error, json)


def fail(error: StockwireError, json: bool) -> None:
    """Raises typer.Exit."""
    if json:
        warn_json(fields_of(error))
    else:
        warn(line_of(error))
    raise typer.Exit(status_of(error)) from error
