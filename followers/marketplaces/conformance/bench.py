"""What a test of an adapter brings along: its channel, or a server like it, steered from the other side."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from typing import ClassVar

from followers.marketplaces.adapter import Adapter, Notice, Quota, Remote
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from server.settings.addresses import networks_of

TIMEOUT_S = 2.0
"""Of a request: what hangs shall not hold up tests."""
DOWNS = ("refuses", "hangs", "half_open", "html", "errors_in_200")
"""Manners of being down: refuses connections; takes them and says nothing; reads, and never answers; answers with a
page; answers 200 with an error inside."""
WITHOUT = ("notices", "unpaid", "edited", "refunded", "throttled", "signs_in", "barcode", *DOWNS)
"""What a bench may lack."""


@asynccontextmanager
async def remote_of(
    quotas: Sequence[Quota], *, timeout_s: float = TIMEOUT_S, ca_file: Path | None = None
) -> AsyncIterator[Remote]:
    """One that reaches this machine, unencrypted too, and nothing else."""
    addresses = Addresses(networks_of(["127.0.0.0/8"]))
    async with Sessions(addresses, {"user-agent": "Stockwire"}, timeout_s=timeout_s, ca_file=ca_file) as sessions:
        yield Remote(sessions, quotas)


class Bench(ABC):
    """One channel. What it says and does here is done there, past the adapter: it is the other side.

    ``lacks``: of ``WITHOUT``: what this vendor does not have, or this bench cannot make happen; its cases are left out.
    ``missing``: an id of a listing as the vendor writes it, which does not exist there.
    """

    lacks: ClassVar[frozenset[str]] = frozenset()
    missing: ClassVar[str]
    notices_url: str | None = None
    """Where the channel shall send notices: what ``check`` is given. None where it lacks them."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self._mark = token_hex(3)

    def sku(self, number: int) -> str:
        """Of a listing that no other bench has: several may share a channel."""
        return f"KIT-{self._mark}-{number}"

    @abstractmethod
    async def offer(self, sku: str, quantity: int, barcode: str = "") -> str:
        """A new listing. Returns its id, as the adapter names it (``Listing.remote``)."""

    @abstractmethod
    async def quantity(self, remote: str) -> int:
        """What it offers, in truth."""

    @abstractmethod
    async def set(self, remote: str, quantity: int) -> None:
        """A person sets it there by hand."""

    @abstractmethod
    async def sell(self, remote: str, quantity: int, *, paid: bool = True) -> str:
        """Somebody buys. Returns the order's id, as the adapter names it (``Order.id``)."""

    @abstractmethod
    async def cancel(self, order: str) -> None:
        """And puts its units back, if the vendor does."""

    async def pay(self, order: str) -> None:
        """Needed unless it lacks ``unpaid``."""
        raise NotImplementedError

    async def edit(self, order: str, remote: str, quantity: int) -> None:
        """The order's one line takes so many now. Needed unless it lacks ``edited``."""
        raise NotImplementedError

    async def refund(self, order: str, remote: str, quantity: int) -> None:
        """So many of its units are paid back and on the shelf again. Needed unless it lacks ``refunded``."""
        raise NotImplementedError

    async def notices(self) -> Sequence[Notice]:
        """Those that arrived at ``notices_url`` since the last call; waits until there is one. Needed unless it lacks
        ``notices``."""
        raise NotImplementedError

    async def forget_subscriptions(self) -> None:
        """The vendor has switched them off. Needed unless it lacks ``notices``."""
        raise NotImplementedError

    async def down(self, manner: str | None) -> None:
        """One of DOWNS, or None: up again. Needed but for manners that it lacks."""
        raise NotImplementedError

    async def throttle(self) -> None:
        """The next push meets a quota that is spent. Needed unless it lacks ``throttled``."""
        raise NotImplementedError

    async def expire_token(self) -> None:
        """What was signed in with is no longer good; signing in again helps. Needed unless it lacks ``signs_in``."""
        raise NotImplementedError

    async def refuse_access(self) -> None:
        """Nothing of its credentials is good any more."""
        raise NotImplementedError
