"""The client for programs on asyncio: sends requests, follows hubs, waits. What it decides by stands one folder up."""

from typing import TYPE_CHECKING

from stockwire.exports import exports

if TYPE_CHECKING:
    from stockwire.asyncio.client import AsyncClient
    from stockwire.asyncio.subscription import AsyncSubscription

__all__ = ["AsyncClient", "AsyncSubscription"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = exports(__name__, {"client": "AsyncClient", "subscription": "AsyncSubscription"})
