"""The client for programs without asyncio: the same vocabulary, blocking. What it decides by stands one folder up."""

from typing import TYPE_CHECKING

from stockwire.exports import exports

if TYPE_CHECKING:
    from stockwire.sync.client import Client
    from stockwire.sync.subscription import Subscription

__all__ = ["Client", "Subscription"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = exports(__name__, {"client": "Client", "subscription": "Subscription"})
