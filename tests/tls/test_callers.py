"""Who a connection comes from, as ledger and hub see it on real sockets."""

import asyncio
import socket

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from hub import callers as hub_callers
from hub import serving as hub_serving
from ledger import callers as ledger_callers
from ledger import serving as ledger_serving
from wire.addresses import Network, networks_of

SAID = [("X-Forwarded-For", "1.1.1.1, 198.51.100.1"), ("x-forwarded-for", "198.51.100.2")]
TRUSTED, NOBODY = networks_of(["127.0.0.0/8"]), networks_of(["10.0.0.0/8"])


@pytest.mark.parametrize(("proxies", "address"), [(TRUSTED, "198.51.100.2"), (NOBODY, "127.0.0.1"), ((), "127.0.0.1")])
async def test_a_request_comes_from_whom_a_named_proxy_says(proxies: tuple[Network, ...], address: str) -> None:
    ledger, hub = ledger_callers.Callers(proxies), hub_callers.Callers(proxies)
    seen: list[str] = []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        seen.extend([ledger.address(scope), hub.of_request(scope)])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    for create in (ledger_serving.create_server, hub_serving.create_server):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = create(app)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            async with httpx.AsyncClient(trust_env=False) as http:
                await http.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", headers=SAID)
            server.stop()
            await serving
    assert seen == [address] * 4


@pytest.mark.parametrize(("proxies", "address"), [(TRUSTED, "198.51.100.2"), (NOBODY, "127.0.0.1")])
async def test_a_websocket_comes_from_whom_a_named_proxy_says(proxies: tuple[Network, ...], address: str) -> None:
    callers = hub_callers.Callers(proxies)
    seen: list[str] = []

    def admit(connection: ServerConnection, request: Request) -> Response | None:
        seen.append(callers.of_upgrade(connection, request))
        return None

    async def end(_: ServerConnection) -> None:
        return

    async with serve(end, "127.0.0.1", 0, process_request=admit) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", additional_headers=SAID, proxy=None):
            pass
    assert seen == [address]


def test_a_unix_socket_has_no_address() -> None:
    assert ledger_callers.Callers(TRUSTED).address({"client": None, "headers": []}) == ""
    assert hub_callers.Callers(TRUSTED).of_request({"client": None, "headers": []}) == ""
