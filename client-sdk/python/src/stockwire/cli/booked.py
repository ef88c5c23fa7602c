"""How a verb that books something runs: however it ends, whoever ran it can find out what was booked."""

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from stockwire.cli import EXIT_INTERRUPTED
from stockwire.cli.options import client_of, failures
from stockwire.cli.output import after, say, say_json, warn

if TYPE_CHECKING:
    from stockwire.sync.client import Client

T = TypeVar("T")

Reference = Annotated[str | None, typer.Option("--reference", help="Order, receipt or delivery number.")]
IdempotencyKey = Annotated[
    str | None, typer.Option("--idempotency-key", help="One effect, however often this is run with this key.")
]
AS_BEFORE = " (as answered before)"


def book(
    ask: "Callable[[Client, str], T]",
    idempotency_key: str | None,
    url: str | None,
    key: str | None,
    json: bool,
    *,
    fields: Callable[[T], Mapping[str, Any]],
    text: Callable[[T], str],
) -> None:
    """``ask`` gets the Idempotency-Key, which is made before anything is booked; the others say what came of it."""
    once = idempotency_key or str(uuid.uuid4())
    with failures(json), client_of(url, key) as client:
        try:
            result = ask(client, once)
        except KeyboardInterrupt:
            warn(f"interrupted, perhaps after booking: the same again with --idempotency-key {once} finds out")
            raise typer.Exit(EXIT_INTERRUPTED) from None
        with after("it is booked", once):
            say_json(fields(result)) if json else say(text(result))
