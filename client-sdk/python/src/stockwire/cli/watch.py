"""``stockwire watch``: levels as they change, as a live table or as JSON lines."""

import sys
import time
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.live import Live

from stockwire.asyncio.client import AsyncClient
from stockwire.asyncio.subscription import AsyncSubscription
from stockwire.cli.board import Board
from stockwire.cli.options import Json, Key, Url, complete
from stockwire.cli.stock import level_fields
from stockwire.stream import Freshness, LevelChanged, Reconnecting, Snapshot, StreamEvent

FRAMES_PER_S = 8


def watch(
    location: Annotated[str, typer.Argument(help="Name of the location; * for all.")],
    skus: Annotated[list[str] | None, typer.Argument(help="Only these skus. Default: the whole location.")] = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Show stock as it changes. With --json (or into a pipe) one line for each event."""
    complete(_watch(location, skus or None, url, key, json))


async def _watch(location: str, skus: list[str] | None, url: str | None, key: str | None, json: bool) -> None:
    async with AsyncClient(url, key) as client, client.subscribe(location, skus) as subscription:
        if json or not sys.stdout.isatty():
            await _print_lines(subscription)
        else:
            await _draw(subscription, location)


async def _print_lines(subscription: AsyncSubscription) -> None:
    async for event in subscription:
        typer.echo(orjson.dumps(event_fields(event)).decode())


async def _draw(subscription: AsyncSubscription, location: str) -> None:
    console = Console()
    board = Board(location, subscription.view, rows_max=lambda: console.height - 6, clock=time.monotonic)
    with Live(get_renderable=board.render, console=console, refresh_per_second=FRAMES_PER_S, screen=False):
        async for event in subscription:
            board.note(event)


def event_fields(event: StreamEvent) -> dict[str, object]:
    """An event as a JSON object with ``type``: snapshot, level, freshness or reconnecting."""
    match event:
        case LevelChanged(level):
            return {"type": "level", **level_fields(level)}
        case Snapshot(levels, recovered):
            return {"type": "snapshot", "recovered": recovered, "levels": [level_fields(level) for level in levels]}
        case Freshness(fresh, lag_ms):
            return {"type": "freshness", "fresh": fresh, "lag_ms": lag_ms}
        case Reconnecting(attempt, after_s, reason):
            return {"type": "reconnecting", "attempt": attempt, "after_s": round(after_s, 3), "reason": reason}
