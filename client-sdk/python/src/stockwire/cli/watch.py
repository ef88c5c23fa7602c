"""``stockwire watch``: levels as they change, as a live table or as JSON lines."""

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
from stockwire.cli.live import draw
from stockwire.cli.options import Json, Key, Url, complete, echo_json, failures


def watch(
    location: Annotated[str, typer.Argument(help="Name of the location; * for all.", autocompletion=complete_location)],
    skus: Annotated[
        list[str] | None,
        typer.Argument(help="Only these skus. Default: the whole location.", autocompletion=complete_sku),
    ] = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Show stock as it changes. With --json (or into a pipe) one line for each event."""
    with failures(json):
        complete(_watch(location, skus or None, url, key, json))


async def _watch(location: str, skus: list[str] | None, url: str | None, key: str | None, json: bool) -> None:
    console = Console()
    async with AsyncClient(url, key) as client, client.subscribe(location, skus) as subscription:
        if json or not console.is_terminal or console.is_dumb_terminal:
            await _print_lines(subscription)
        else:
            board = Board(location, subscription.view, clock=time.monotonic)
            await draw(console, board.render, _follow(subscription, board))


async def _print_lines(subscription: AsyncSubscription) -> None:
    async for event in subscription:
        echo_json(stream_fields(event))


async def _follow(subscription: AsyncSubscription, board: Board) -> None:
    async for event in subscription:
        board.note(event)
        await asyncio.sleep(0)  # a full mailbox must not keep the table from being drawn
