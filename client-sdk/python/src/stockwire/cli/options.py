"""Options that every verb of the client has, and how a verb runs."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer

from stockwire.cli import EXIT_INTERRUPTED

T = TypeVar("T")

Url = Annotated[str | None, typer.Option("--url", help="URL of the ledger.", envvar="STOCKWIRE_URL")]
Key = Annotated[str | None, typer.Option("--key", help="API key.", envvar="STOCKWIRE_API_KEY", show_envvar=True)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
LocationArgument = Annotated[str, typer.Argument(help="Name of the location.")]
SkuArgument = Annotated[str, typer.Argument(help="The sku.")]


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Run a verb to its end; Ctrl-C ends it quietly, everything closed."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
