"""``/v1/tokens``: short-lived tokens for browsers, made with an API key."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, require
from ledger.access.keys import check_scopes
from ledger.commit.event import timestamp
from ledger.errors import NotConfigured
from ledger.http import bodies
from server.http.json import Json
from server.http.query import Query
from server.tokens.token_settings import SIGNING_KEY_FILE
from wire.tokens import Issuer, Principal, Signer, mint


class TokenRoutes:
    """``signer``: None if this ledger has nothing to sign with, since the tokens are an identity provider's."""

    def __init__(
        self, access: Access, issuer: Issuer, signer: Signer | None, clock: Callable[[], float] = time.time
    ) -> None:
        self._access = access
        self._issuer = issuer
        self._signer = signer
        self._clock = clock

    def routes(self) -> list[Route]:
        return [Route("/v1/tokens", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        principal = await self._access.admit_key(request)
        Query(request)
        body = bodies.decode(bodies.token_decoder, await request.body())
        check_scopes(body.scopes)
        for scope in body.scopes:
            require(principal, scope)
        if self._signer is None:
            raise NotConfigured(SIGNING_KEY_FILE, "this ledger makes no tokens")
        now = int(self._clock())
        ends = end_of(principal, body.ttl_s, now)
        made = Principal(principal.owner, principal.key, frozenset(body.scopes), ends)
        content = {
            "token": mint(made, now, self._signer, self._issuer),
            "expires_at": timestamp(datetime.fromtimestamp(ends, UTC)),
            "scopes": sorted(set(body.scopes)),
        }
        return Json(content, 201)


def end_of(holder: Principal, ttl_s: int, now: int) -> int:
    """Unix time, seconds: never after the end of the key that makes the token."""
    return now + ttl_s if holder.expires_at is None else min(now + ttl_s, holder.expires_at)
