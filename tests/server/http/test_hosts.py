"""A request for a host that is not ours is turned away everywhere: a page could point its own name here."""

import httpx

from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.raw_socket import raw_socket
from tests.hub.reader import HUB
from tests.ledger.api import LEDGER

MISDIRECTED = {"$ref": "openapi.yaml#/components/schemas/MisdirectedProblem"}
ALLOWED = "stock.example,hub.example:8443,127.0.0.1"
HOSTS = {
    "stock.example": True,
    "Stock.Example:8080": True,
    "hub.example:8443": True,
    "127.0.0.1": True,
    "hub.example": False,
    "evil.example": False,
    "stock.example.evil.example": False,
    "localhost": False,
    "": False,
}


async def test_other_hosts_are_turned_away(start_system: StartSystem) -> None:
    system = await start_system(ledgers=0, hubs=0)
    ledger = await system.start_ledger(STOCKWIRE_ALLOWED_HOSTS=ALLOWED)
    hub = await system.start_hub(STOCKWIRE_ALLOWED_HOSTS=ALLOWED)
    token = {"Authorization": f"Bearer {make_token('stock:read:*')}"}
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        for host, allowed in HOSTS.items():
            for url, document in ((f"{ledger.url}/v1/items", LEDGER), (f"{hub.url}/v1/levels", HUB)):
                answer = await http.get(url, headers={"Host": host, **token})
                assert answer.status_code == (200 if allowed else 421), (host, url, answer.text)
                if not allowed:
                    document.check_schema(answer.json(), MISDIRECTED)
                    assert answer.json()["host"] == host
            async with raw_socket(hub.stream) as socket:
                assert await socket.upgrade(hub.stream, {"Host": host}) == (101 if allowed else 421), host
        for path in ("/healthz", "/readyz"):
            assert (await http.get(ledger.url + path, headers={"Host": "10.0.0.7"})).is_success
        preflight = {"Host": "evil.example", "Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
        assert (await http.options(f"{ledger.url}/v1/items", headers=preflight)).status_code == 421


async def test_unless_set_every_host_is_ours(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        answer = await http.get(f"{system.ledger_url}/v1/discovery", headers={"Host": "anything.example:1"})
    assert answer.is_success
    async with raw_socket(system.hubs[0].stream) as socket:
        assert await socket.upgrade(system.hubs[0].stream, {"Host": "anything.example:1"}) == 101
