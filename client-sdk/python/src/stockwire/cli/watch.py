"""``stockwire watch``: levels as they change, as a live table or as JSON lines; what the public sees; thresholds."""

import asyncio
import time
from typing import Annotated

import typer
from rich.console import Console

from stockwire.asyncio.client import AsyncClient
from stockwire.asyncio.subscription import AsyncSubscription
from stockwire.cli.board import Board
from stockwire.cli.completion import complete_location, complete_sku
from stockwire.cli.fields import stream_fields
from stockwire.cli.lines import stream_lines
from stockwire.cli.live import draw
from stockwire.cli.options import Json, Key, Url, complete, echo_json, failures
from stockwire.held import T
from stockwire.stream import C, Snapshot
from stockwire.threshold import AtLeast, AtMost


def watch(
    location: Annotated[str, typer.Argument(help="Name of the location; * for all.", autocompletion=complete_location)],
    skus: Annotated[
        list[str] | None,
        typer.Argument(help="Only these skus. Default: the whole location.", autocompletion=complete_sku),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="What the public sees, instead of numbers.")] = False,
    at_most: Annotated[
        int | None, typer.Option("--at-most", help="Only when so many units or fewer are available, and when not.")
    ] = None,
    at_least: Annotated[
        int | None, typer.Option("--at-least", help="Only when so many units or more are available, and when not.")
    ] = None,
    until: Annotated[
        int | None, typer.Option("--until", help="Units at which --at-most or --at-least ends. Default: the next one.")
    ] = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Show stock as it changes. With --json (or into a pipe) one line for each event."""
    with failures(json):
        when = _when(at_most, at_least, until)
        complete(_watch(location, skus or None, public, when, url, key, json))


def _when(at_most: int | None, at_least: int | None, until: int | None) -> AtMost | AtLeast | None:
    """Raises Invalid."""
    if at_most is not None and at_least is not None:
        raise typer.BadParameter("give either --at-most or --at-least")
    if at_most is not None:
        return AtMost(at_most, until)
    if at_least is not None:
        return AtLeast(at_least, until)
    if until is not None:
        raise typer.BadParameter("--until needs --at-most or --at-least")
    return None


async def _watch(
    location: str,
    skus: list[str] | None,
    public: bool,
    when: AtMost | AtLeast | None,
    url: str | None,
    key: str | None,
    json: bool,
) -> None:
    console = Console()
    as_json = json or not console.is_terminal or console.is_dumb_terminal
    async with AsyncClient(url, key) as client:
        if when is not None:
            await _print_lines(client.subscribe_threshold(location, skus, when=when, public=public), json=as_json)
        elif public:
            await _print_lines(client.subscribe_public(location, skus), json=as_json)
        elif as_json:
            await _print_lines(client.subscribe(location, skus), json=True)
        else:
            async with client.subscribe(location, skus) as subscription:
                board = Board(location, subscription.view, clock=time.monotonic)
                await draw(console, board.render, _follow(subscription, board))


async def _print_lines(subscription: AsyncSubscription[T, C], *, json: bool) -> None:
    begun = False
    async with subscription:
        async for event in subscription:
            if json:
                echo_json(stream_fields(event))
            elif not (begun and isinstance(event, Snapshot)):  # what a later one brings is told as changes
                for line in stream_lines(event):
                    typer.echo(line)
            begun = begun or isinstance(event, Snapshot)


async def _follow(subscription: AsyncSubscription, board: Board) -> None:
    async for event in subscription:
        board.note(event)
        await asyncio.sleep(0)  # a full mailbox must not keep the table from being drawn
