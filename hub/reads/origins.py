"""Which pages may read an answer (CORS): any page what anybody may read, pages of the allowed origins everything else.

What anybody may read is the same for everybody, so it says ``*`` and never ``Vary: Origin``: a shared cache keeps one
copy, which no ``Origin`` that somebody makes up can change or multiply. See
docs/decisions/0043-public-reads-have-one-copy.md.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message, Receive, Scope, Send

ALWAYS_PUBLIC = ("/v1/badge.js", "/v1/discovery")
AVAILABILITY = "/v1/availability"
PUBLIC_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Age, ETag, Retry-After, Stockwire-Fresh",
}


class Origins(CORSMiddleware):
    """``Authorization`` makes a request for stock no public one: pages send it after a preflight, which allowed origins
    pass. What never looks at it stays the same for everybody."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_public(scope):
            await super().__call__(scope, receive, send)
            return

        async def send_public(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(PUBLIC_HEADERS)
                if message["status"] >= 400:  # some caches keep errors for seconds unless told
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_public)


def _is_public(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path: str = scope["path"]
    if path in ALWAYS_PUBLIC:
        return True
    of_stock = path == AVAILABILITY or path.startswith(f"{AVAILABILITY}/")
    return of_stock and "authorization" not in Headers(scope=scope)
