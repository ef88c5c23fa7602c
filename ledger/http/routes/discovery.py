"""``/v1/discovery``: one URL configures a client."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.settings import Hub
from server.http.json import Json
from wire.messages import SUBPROTOCOL


class DiscoveryRoutes:
    """Needs no key: it says nothing but addresses."""

    def __init__(self, ledger_url: str, hubs: Sequence[Hub], channels_url: str | None) -> None:
        addresses = [{"stream": hub.stream_url, "read": hub.read_url} for hub in hubs]
        self._content = {"ledger": ledger_url, "hubs": addresses, "channels": channels_url, "protocol": SUBPROTOCOL}

    def routes(self) -> list[Route]:
        return [Route("/v1/discovery", self.discover, methods=["GET"])]

    async def discover(self, _request: Request) -> Response:
        return Json(self._content)
