"""Who asks a ledger, by address: what limits per address count by."""

from collections.abc import Sequence

from starlette.types import Scope

from wire.addresses import Network, client_address


class Callers:
    """``proxies``: whose word on other addresses is taken (STOCKWIRE_TRUSTED_PROXIES)."""

    def __init__(self, proxies: Sequence[Network]) -> None:
        self._proxies = proxies

    def address(self, scope: Scope) -> str:
        """Of the client of a request (an ASGI scope); empty where there is none, as on a Unix socket."""
        peer: tuple[str, int] | None = scope.get("client")
        if peer is None:
            return ""
        said = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return client_address(peer[0], said, self._proxies)
