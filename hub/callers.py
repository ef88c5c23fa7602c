"""Who comes to a hub, by address: what limits per address count by."""

from collections.abc import Sequence

from starlette.types import Scope
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from wire.addresses import Network, client_address

HEADER = "X-Forwarded-For"


class Callers:
    """``proxies``: whose word on other addresses is taken (STOCKWIRE_TRUSTED_PROXIES)."""

    def __init__(self, proxies: Sequence[Network]) -> None:
        self._proxies = proxies

    def of_upgrade(self, connection: ServerConnection, request: Request) -> str:
        """The address of who opens a WebSocket; empty if the connection has gone meanwhile."""
        peer = connection.remote_address
        return client_address(peer[0], request.headers.get_all(HEADER), self._proxies) if peer else ""

    def of_request(self, scope: Scope) -> str:
        """The address of who asks the read port (an ASGI scope); empty where there is none."""
        peer: tuple[str, int] | None = scope.get("client")
        if peer is None:
            return ""
        said = [value.decode("latin-1") for name, value in scope["headers"] if name == HEADER.lower().encode()]
        return client_address(peer[0], said, self._proxies)
