"""Who reads over HTTP: by a key or token, or anybody by the address; and not oftener than one may."""

from starlette.requests import Request

from hub.access import Access
from hub.door import Door, Visitor
from hub.problems import RETRY_AFTER_S, Problem
from hub.query import bearer_of
from server.rates.rate_limits import ALLOWANCE, RateLimits
from wire.tokens import Principal


class Readers:
    """One for all paths of a read port: whoever asks on two of them is counted once.

    ``owners`` over all hubs, ``addresses`` at this one: whoever has many addresses pushes no owner out.
    """

    def __init__(self, access: Access, door: Door, owners: RateLimits, addresses: RateLimits) -> None:
        self.owners = owners
        self.addresses = addresses
        self._access = access
        self._door = door

    async def principal(self, request: Request) -> Principal:
        """Raises Unauthorized, or Problem when its owner has asked too often."""
        principal = await self._access.principal(bearer_of(request))
        _count(request, self.owners, principal.owner, principal.owner)
        return principal

    def anybody(self, request: Request) -> None:
        """Who shows no key. Raises Problem when this address has asked too often."""
        _count(request, self.addresses, self._door.address_of(*_origin(request)), "an address without a key")

    def locate(self, visitor: Visitor, request: Request) -> None:
        """Raises Problem when its address has no place left."""
        if not self._door.located(visitor, *_origin(request)):
            detail = "this address has as many connections to this hub as it may"
            raise Problem("crowded", detail, connections_max=self._door.per_address_max, retry_after_s=RETRY_AFTER_S)


def _count(request: Request, limits: RateLimits, name: str, who: str) -> None:
    allowance = limits.allowance(name)
    if allowance is None:
        return
    request.scope[ALLOWANCE] = allowance
    if wait_s := limits.take(allowance):
        quota, window_s = limits.policy.quota, limits.policy.window_s
        detail = f"{who} may send {quota} requests in {window_s} s"
        raise Problem("rate-limited", detail, retry_after_s=wait_s, quota=quota, window_s=window_s)


def _origin(request: Request) -> tuple[str, list[str]]:
    return request.client.host if request.client else "", request.headers.getlist("X-Forwarded-For")
