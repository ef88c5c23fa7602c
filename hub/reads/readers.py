"""Whose a read over HTTP is, by key, token or address, and whether that owner or address has sent too many."""

from starlette.requests import Request

from hub.entry.access import Access
from hub.entry.door import Caller, Door
from hub.errors import Crowded
from server.rates.rate_limits import RateLimits
from server.tokens.credentials import credential_of
from wire.tokens import Principal


class Readers:
    """One for all paths of a read port, so that a client's requests on different paths count together.

    ``owners`` are counted over all hubs, ``addresses`` at this hub alone and apart from owners: a client with many
    addresses takes nothing from any owner.
    """

    def __init__(self, access: Access, door: Door, owners: RateLimits, addresses: RateLimits) -> None:
        self.owners = owners
        self.addresses = addresses
        self._access = access
        self._door = door

    async def principal(self, request: Request) -> Principal:
        """Raises Unauthorized, or RateLimited when its owner has asked too often."""
        principal = await self._access.principal(credential_of(request.headers.getlist("Authorization")))
        self.owners.admit(request.scope, principal.owner)
        return principal

    def anybody(self, request: Request) -> None:
        """Who shows no key. Raises RateLimited when this address has asked too often."""
        address = self._door.address_of(*_origin(request))
        self.addresses.admit(request.scope, address, "an address without a key")

    def visits_from(self, request: Request) -> str | None:
        """The address of who shows no key and comes from a page that may visit; None: it needs one."""
        if "Authorization" in request.headers:
            return None
        if not self._door.visitors.is_page(request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")):
            return None
        return self._door.address_of(*_origin(request))

    def locate(self, caller: Caller, request: Request) -> None:
        """Raises Crowded when its address has no place left."""
        if not self._door.located(caller, *_origin(request)):
            raise Crowded("address", self._door.per_address_max)


def _origin(request: Request) -> tuple[str, list[str]]:
    return request.client.host if request.client else "", request.headers.getlist("X-Forwarded-For")
