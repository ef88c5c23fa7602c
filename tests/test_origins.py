"""One list of origins, obeyed in three places: the stream's upgrade, the ledger's and the hub's answers (CORS)."""

import httpx
import pytest

from tests.conftest import StartSystem
from tests.harness.raw_socket import raw_socket
from tests.harness.system import System

LISTED = "https://shop.example,http://localhost:3000"
ORIGINS = {
    None: True,
    "https://shop.example": True,
    "http://localhost:3000": True,
    "https://evil.example": False,
    "null": False,
    "*": False,
    "https://SHOP.example": False,
    "HTTPS://shop.example": False,
    "https://shop.example.": False,
    "https://shop.example/": False,
    "https://shop.example:443": False,
    "https://shop.example:8443": False,
    "http://shop.example": False,
    "http://localhost": False,
    "http://localhost:30000": False,
    "wss://shop.example": False,
    "https://www.shop.example": False,
    "https://shop.example.evil.example": False,
    "https://evil.example?https://shop.example": False,
    "https://user@shop.example": False,
    "https://shop.example, https://evil.example": False,
}
"""What a page's origin may be, and whether it is let in with ``LISTED``. Without one it is no browser's page."""


@pytest.mark.parametrize(
    ("listed", "allowed"),
    [(LISTED, ORIGINS), ("*", dict.fromkeys(ORIGINS, True)), ("", {origin: origin is None for origin in ORIGINS})],
    ids=["listed", "all", "none"],
)
async def test_the_same_origins_are_let_in_everywhere(
    start_system: StartSystem, listed: str, allowed: dict[str | None, bool]
) -> None:
    system = await start_system(ledgers=0, hubs=0)
    ledger = await system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS=listed)
    hub = await system.start_hub(STOCKWIRE_ALLOWED_ORIGINS=listed)
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        for origin, expected in allowed.items():
            sent = {} if origin is None else {"Origin": origin}
            assert await upgraded(system, sent) is expected, origin
            for url in (f"{ledger.url}/v1/items", f"{hub.url}/v1/levels"):
                assert await may_read(http, url, sent) is (expected and origin is not None), (origin, url)
                assert await may_send(http, url, sent) is (expected and origin is not None), (origin, url)


async def upgraded(system: System, sent: dict[str, str]) -> bool:
    async with raw_socket(system.hubs[0].stream) as socket:
        status = await socket.upgrade(system.hubs[0].stream, sent)
    assert status in (101, 403)
    return status == 101


async def may_read(http: httpx.AsyncClient, url: str, sent: dict[str, str]) -> bool:
    """Whether a browser gives the page what was answered, here a 401."""
    answer = await http.get(url, headers=sent)
    assert answer.status_code == 401
    return answer.headers.get("access-control-allow-origin") in {"*", sent.get("Origin")} - {None}


async def may_send(http: httpx.AsyncClient, url: str, sent: dict[str, str]) -> bool:
    """Whether a browser lets the page send a token, and to which trace its request belongs."""
    named = "authorization,traceparent"
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": named}
    answer = await http.options(url, headers={**sent, **asked})
    allowed = answer.headers.get("access-control-allow-origin") in {"*", sent.get("Origin")} - {None}
    return allowed and answer.is_success and "authorization" in answer.headers["access-control-allow-headers"].lower()
