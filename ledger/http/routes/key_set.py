"""``/.well-known/jwks.json``: the public half of what this ledger signs tokens with (RFC 7517)."""

from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.http.query import Query
from server.tokens.signing_keys import SigningKey, key_set_of

MAX_AGE_S = 300


class KeySetRoutes:
    """An empty set when the ledger has no signing key: hubs ask without knowing whether it has."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._document = orjson.dumps(key_set_of(keys))

    def routes(self) -> list[Route]:
        return [Route("/.well-known/jwks.json", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        Query(request)
        headers = {"Cache-Control": f"public, max-age={MAX_AGE_S}"}
        return Response(self._document, headers=headers, media_type="application/json")
