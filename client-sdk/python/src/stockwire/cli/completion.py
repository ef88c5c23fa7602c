"""Names of locations and skus for the shell's completion, from the ledger. Away or slow: nothing, and no word of it."""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import typer

from stockwire.cli import http

if TYPE_CHECKING:
    from stockwire.sync.client import Client

DEADLINE_S = 1.0
"""Somebody's cursor waits for it."""
NAMES_MAX = 200
"""More than a screen shows; whoever gets these types on."""


def complete_location(context: typer.Context, incomplete: str) -> list[str]:
    return _within_deadline(context, lambda client: _locations(client, incomplete))


def complete_sku(context: typer.Context, incomplete: str) -> list[str]:
    return _within_deadline(context, lambda client: _skus(client, incomplete))


def _locations(client: "Client", prefix: str) -> list[str]:
    listed = (found.location for found in client.locations.list(after=prefix or None))
    return _beginning_with(prefix, lambda: client.locations.get(prefix).location, listed)


def _skus(client: "Client", prefix: str) -> list[str]:
    listed = (found.sku for found in client.items.list(after=prefix or None))
    return _beginning_with(prefix, lambda: client.items.get(prefix).sku, listed)


def _beginning_with(prefix: str, whole: Callable[[], str], listed: Iterable[str]) -> list[str]:
    """Listings are in order and begin behind the prefix: what it is itself is asked for, the rest follows at once."""
    from stockwire.errors import NotFound
    from stockwire.request import is_name

    names: list[str] = []
    try:
        if is_name(prefix):
            names.append(whole())
    except NotFound:
        pass
    for name in listed:
        if not name.startswith(prefix) or len(names) >= NAMES_MAX:
            break
        names.append(name)
    return names


def _within_deadline(context: typer.Context, ask: Callable[["Client"], list[str]]) -> list[str]:
    """On a thread that ends with the process: a blocked one cannot be called off."""
    found: list[str] = []

    def work() -> None:
        http.load()
        from stockwire.errors import StockwireError
        from stockwire.sync.client import Client

        url, key = context.params.get("url"), context.params.get("key")
        try:
            with Client(url, key, max_retries=0, timeout_s=DEADLINE_S) as client:
                found.extend(ask(client))
        except (StockwireError, OSError):
            return

    asking = threading.Thread(target=work, name="stockwire completion", daemon=True)
    asking.start()
    asking.join(DEADLINE_S)
    return found
