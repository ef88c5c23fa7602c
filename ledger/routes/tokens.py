"""``/v1/tokens``: short-lived tokens for browsers, made with an API key."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger import bodies
from ledger.access import Access, require
from ledger.answers import Json
from ledger.keys import check_scopes
from ledger.level import timestamp
from ledger.query import Query
from wire.tokens import Principal, mint


class TokenRoutes:
    def __init__(self, access: Access, token_secret: str, clock: Callable[[], float] = time.time) -> None:
        self._access = access
        self._token_secret = token_secret
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
        token, ends = mint_token(principal, body.scopes, body.ttl_s, int(self._clock()), self._token_secret)
        content = {
            "token": token,
            "expires_at": timestamp(datetime.fromtimestamp(ends, UTC)),
            "scopes": sorted(set(body.scopes)),
        }
        return Json(content, 201)


def mint_token(holder: Principal, scopes: list[str], ttl_s: int, now: int, secret: str) -> tuple[str, int]:
    """The token and its end (Unix time, seconds): never after the end of the key that makes it."""
    ends = now + ttl_s if holder.expires_at is None else min(now + ttl_s, holder.expires_at)
    return mint(Principal(holder.owner, holder.key, frozenset(scopes), ends), now, secret), ends
