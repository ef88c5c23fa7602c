"""The work of ``stockwire watch``: follows a subscription, and draws or prints what it tells."""

import asyncio
import time
from dataclasses import dataclass

from rich.console import Console

from stockwire.asyncio.client import AsyncClient
from stockwire.asyncio.subscription import AsyncSubscription
from stockwire.cli.board import Board
from stockwire.cli.lines import stream_lines
from stockwire.cli.live import draw
from stockwire.cli.output import say, say_json, warn
from stockwire.cli.stream_fields import stream_fields
from stockwire.errors import NotFound, StockwireError
from stockwire.stream import C, Snapshot
from stockwire.threshold import AtLeast, AtMost
from stockwire.watched import T

ASKED_S = 2.0
"""A ledger that is away keeps nobody from what the hubs show."""


@dataclass(frozen=True, slots=True)
class Watched:
    """``skus`` None: the whole location. ``when``: only what crosses it."""

    location: str
    skus: list[str] | None
    public: bool
    when: AtMost | AtLeast | None


async def follow(watched: Watched, url: str | None, key: str | None, *, json: bool) -> None:
    """Until the stream ends for good. Raises StockwireError."""
    console = Console()
    as_json = json or not console.is_terminal or console.is_dumb_terminal
    location, skus, public = watched.location, watched.skus, watched.public
    async with AsyncClient(url, key) as client:
        if location != "*" and not await _exists(client, location):
            warn(f"there is no location {location}: its stock is shown as soon as it is made")
        if watched.when is not None:
            subscription = client.subscribe_threshold(location, skus, when=watched.when, public=public)
            await _print_lines(subscription, json=as_json)
        elif public:
            await _print_lines(client.subscribe_public(location, skus), json=as_json)
        elif as_json:
            await _print_lines(client.subscribe(location, skus), json=True)
        else:
            async with client.subscribe(location, skus) as levels:
                board = Board(location, levels.view, clock=time.monotonic)
                await draw(console, board.render, _note(levels, board))


async def _exists(client: AsyncClient, location: str) -> bool:
    """Asked of the ledger, since a hub shows nothing for either. Where that is not told, it is taken to be there."""
    try:
        async with asyncio.timeout(ASKED_S):
            await client.locations.get(location)
    except NotFound:
        return False
    except (StockwireError, TimeoutError):
        return True
    return True


async def _print_lines(subscription: AsyncSubscription[T, C], *, json: bool) -> None:
    begun = False
    async with subscription:
        async for event in subscription:
            if json:
                say_json(stream_fields(event))
            elif not (begun and isinstance(event, Snapshot)):  # what a later one brings is told as changes
                for line in stream_lines(event):
                    say(line)
            begun = begun or isinstance(event, Snapshot)


async def _note(subscription: AsyncSubscription, board: Board) -> None:
    async for event in subscription:
        board.note(event)
        await asyncio.sleep(0)  # a full mailbox must not keep the table from being drawn
