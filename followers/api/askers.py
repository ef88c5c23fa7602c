"""Who asks: the holder of an API key, as the ledger knows it."""

from dataclasses import dataclass

from starlette.requests import Request

from followers.log.ledger import Ledger
from server.lookups import Lookups
from server.problems import Forbidden, Unauthorized
from server.rates.rate_limits import RateLimits
from server.tokens.credentials import KEY_REFUSED, credential_of, is_key
from wire.scopes import PUBLIC, READ, allows

KEEP_S = 5.0
"""A revoked key is refused within so long."""
KEYS_MAX = 10_000
KEY_CHARACTERS_MAX = 256
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Asker:
    """``key``: the id of the API key, which owns the endpoints that it makes."""

    key: str
    scopes: frozenset[str]

    @property
    def owner(self) -> str | None:
        """Whose endpoints it may see and change; None: everybody's."""
        return None if allows(self.scopes, ADMIN) else self.key

    @property
    def hears_of_channels(self) -> bool:
        """They sell what lies anywhere: whoever hears of them may read all of it."""
        return allows(self.scopes, READ + "*")

    def sees(self, location: str) -> bool:
        return allows(self.scopes, READ + location) or allows(self.scopes, PUBLIC + location)


class Askers:
    def __init__(self, ledger: Ledger, rate_limits: RateLimits) -> None:
        self._ledger = ledger
        self._rate_limits = rate_limits
        self._known = Lookups(self._load, entries_max=KEYS_MAX, keep_s=lambda _: KEEP_S)

    async def of(self, request: Request) -> Asker:
        """Raises Unauthorized, RateLimited, Forbidden for a key that sees no stock, LedgerAway."""
        credential = credential_of(request.headers.getlist("authorization"))
        if not is_key(credential) or len(credential) > KEY_CHARACTERS_MAX or not credential.isascii():
            raise Unauthorized("endpoints belong to API keys: send one, not a token")
        asker = await self._known.get(credential)
        if asker is None:
            raise Unauthorized(KEY_REFUSED)
        self._rate_limits.admit(request.scope, asker.key)
        if not any(scope.startswith((READ, PUBLIC)) or scope == ADMIN for scope in asker.scopes):
            raise Forbidden(READ + "<location>")
        return asker

    async def _load(self, credential: str) -> Asker | None:
        found = await self._ledger.key(credential)
        return Asker(found["id"], frozenset(found["scopes"])) if found["active"] else None
