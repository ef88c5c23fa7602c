"""Who a connection comes from, as ledger and hub see it on real sockets."""

import asyncio
import socket

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from hub.door import Door, Visitor
from hub.limits import Limits
from ledger import callers as ledger_callers
from ledger import serving as ledger_serving
from wire.addresses import Network, networks_of

SAID = [("X-Forwarded-For", "1.1.1.1, 198.51.100.1"), ("x-forwarded-for", "198.51.100.2")]
TRUSTED, NOBODY = networks_of(["127.0.0.0/8"]), networks_of(["10.0.0.0/8"])


@pytest.mark.parametrize(("proxies", "address"), [(TRUSTED, "198.51.100.2"), (NOBODY, "127.0.0.1"), ((), "127.0.0.1")])
async def test_a_request_comes_from_whom_a_named_proxy_says(proxies: tuple[Network, ...], address: str) -> None:
    ledger = ledger_callers.Callers(proxies)
    seen: list[str] = []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        seen.append(ledger.address(scope))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ledger_serving.create_server(app)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", headers=SAID)
        server.stop()
        await serving
    assert seen == [address]


@pytest.mark.parametrize(("proxies", "refused"), [(TRUSTED, False), (NOBODY, True)])
async def test_a_hub_counts_addresses_by_whom_a_named_proxy_says(proxies: tuple[Network, ...], refused: bool) -> None:
    door = Door(Limits(connections_per_address_max=1), 0.0, proxies)
    for number, said in enumerate((["1.1.1.1, 198.51.100.1"], ["198.51.100.2"])):
        assert door.located(Visitor(), "127.0.0.1", said) is (number == 0 or not refused)


def test_a_unix_socket_has_no_address() -> None:
    assert ledger_callers.Callers(TRUSTED).address({"client": None, "headers": []}) == ""
