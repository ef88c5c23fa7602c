"""Who sends a request, and what they may do."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request

from ledger.access.hub_callers import HubCallers
from ledger.access.keys import ApiKey, find_key, split_key
from ledger.database.reading import reading
from server.errors import KeysUnavailable
from server.lookups import Lookups
from server.problems import Forbidden, Unauthorized, Unavailable
from server.rates.rate_limits import RateLimits
from server.tokens.credentials import KEY_REFUSED, MAKER_REFUSED, credential_of, is_key, token_holder
from server.tokens.verifier import Verifier
from wire.scopes import allows
from wire.tokens import Principal

HUB = "hub"
"""Also covers the feed, the shards and every read of levels: what a hub needs."""

KEYS_MAX = 10_000
KEEP_S = 2.0
"""How long another ledger's revocation may go unnoticed here."""
AGAIN_S = 2.0
"""Between two looks at the key of a request that waits for events: with KEEP_S, a revocation ends it within 5 s."""


class Access:
    """Reads ``Authorization: Bearer <API key or token>``.

    A token that an API key made is good for as long as that key; one of an identity provider until it ends.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        verifier: Verifier,
        rate_limits: RateLimits,
        hub_callers: HubCallers,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._verifier = verifier
        self._rate_limits = rate_limits
        self._hub_callers = hub_callers
        self._clock = clock
        self._proven: OrderedDict[bytes, tuple[ApiKey, Principal]] = OrderedDict()
        self._keys: Lookups[str, ApiKey | None] = Lookups(self._find, entries_max=KEYS_MAX, keep_s=lambda _: KEEP_S)

    async def admit(self, request: Request) -> Principal:
        """Raises Unauthorized, RateLimited or Unavailable."""
        credential = credential_of(request.headers.getlist("Authorization"))
        principal = await (self._key_holder(credential) if is_key(credential) else self._token_holder(credential))
        if HUB in principal.scopes:
            self._hub_callers.remember(request.scope)
        self._rate_limits.admit(request.scope, principal.owner)
        return principal

    async def admit_key(self, request: Request) -> Principal:
        """As ``admit``, for API keys alone: a token that could make tokens could prolong itself."""
        if not is_key(credential_of(request.headers.getlist("Authorization"))):
            raise Unauthorized("this needs an API key, not a token")
        return await self.admit(request)

    async def holder_of(self, key: str) -> Principal | None:
        """Who holds an API key, or None if it is no good. Raises Unavailable."""
        parts = split_key(key)
        if parts is None:
            return None
        found = await self._keys.get(parts[0])
        return None if found is None or not found.is_good(parts[1], self._now()) else _principal(found)

    def known_holder(self, authorization: bytes) -> Principal | None:
        """Who holds the API key, if it was looked up a moment ago and is good; None: ``admit`` finds out what it is.

        What was proven is remembered by its hash, for as long as the key that was looked up stays the one that is.
        """
        fingerprint = hashlib.sha256(authorization).digest()
        proven = self._proven.get(fingerprint)
        if proven is None or self._keys.peek(proven[0].id) is not proven[0]:
            proven = self._proof(authorization)
            if proven is None:
                return None
            self._proven[fingerprint] = proven
            if len(self._proven) > KEYS_MAX:
                self._proven.popitem(last=False)
        key, principal = proven
        return principal if key.expires_at is None or key.is_active(self._now()) else None

    def _proof(self, authorization: bytes) -> tuple[ApiKey, Principal] | None:
        scheme, _, credential = authorization.decode("latin-1").partition(" ")
        parts = split_key(credential.strip()) if scheme.lower() == "bearer" else None
        found = None if parts is None else self._keys.peek(parts[0])
        if parts is None or found is None or not found.is_good(parts[1], self._now()):
            return None
        return found, _principal(found)

    async def holder_of_id(self, key_id: str) -> Principal | None:
        """As ``holder_of``, by the key's id alone: proves nothing about who asks. Raises Unavailable."""
        found = await self._keys.get(key_id) if key_id.isalnum() else None
        return None if found is None or not found.is_active(self._now()) else _principal(found)

    def forget(self, key_id: str) -> None:
        """After a revocation: the next request with this key reads the database."""
        self._keys.forget(key_id)

    async def _key_holder(self, key: str) -> Principal:
        principal = await self.holder_of(key)
        if principal is None:
            raise Unauthorized(KEY_REFUSED)
        return principal

    async def _token_holder(self, token: str) -> Principal:
        try:
            principal = await token_holder(self._verifier, token)
        except KeysUnavailable as error:
            raise Unavailable(str(error)) from None
        if principal.key is not None and await self.holder_of_id(principal.key) is None:
            raise Unauthorized(MAKER_REFUSED)
        return principal

    async def _find(self, key_id: str) -> ApiKey | None:
        async with reading(self._engine) as connection:
            return await find_key(connection, key_id)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _principal(key: ApiKey) -> Principal:
    ends = None if key.expires_at is None else int(key.expires_at.timestamp())
    return Principal(key.owner, key.id, frozenset(key.scopes), ends)


def require(principal: Principal, scope: str, *others: str) -> None:
    """Any one of the scopes will do. Raises Forbidden, naming the first."""
    if not any(allows(principal.scopes, needed) for needed in (scope, *others)):
        raise Forbidden(scope)


def read_scope(location: str) -> str:
    return f"stock:read:{location}"


def write_scope(location: str) -> str:
    return f"stock:write:{location}"


def readable_locations(principal: Principal) -> list[str] | None:
    """None: all of them."""
    if allows(principal.scopes, read_scope("*")) or HUB in principal.scopes:
        return None
    return [scope.removeprefix("stock:read:") for scope in principal.scopes if scope.startswith("stock:read:")]
