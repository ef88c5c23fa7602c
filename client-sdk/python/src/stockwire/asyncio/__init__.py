"""The client for programs on asyncio: sends requests, follows hubs, waits. What it decides by stands one folder up."""

from stockwire.asyncio.client import AsyncClient
from stockwire.asyncio.subscription import AsyncSubscription

__all__ = ["AsyncClient", "AsyncSubscription"]
