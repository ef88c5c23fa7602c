"""The client for programs without asyncio: the same vocabulary, blocking. What it decides by stands one folder up."""

from stockwire.sync.client import Client
from stockwire.sync.subscription import Subscription

__all__ = ["Client", "Subscription"]
