"""What anybody may read has one copy in a cache, whoever asked for it, and a key never makes another's copy."""

import httpx
import pytest
from starlette.applications import Starlette

from hub.reads.availability_api import BEHIND
from tests.harness.api_keys import make_token
from tests.harness.system import System
from tests.hub.in_memory import NO_BROKER
from tests.hub.reader import client, read_port

SHOP, EVIL = "https://shop.example", "https://evil.example"
KEY = {"Authorization": f"Bearer {make_token('stock:public:elsewhere')}"}
OF_THE_MOMENT = ("cache-control", "date", "server", "stockwire-fresh")
"""Whether the hub is behind may change between two answers, and with it for how long they may be kept."""


async def test_what_anybody_may_read_is_the_same_to_the_byte_whatever_the_request_says(system: System) -> None:
    await system.start_ledger()
    hub = await system.start_hub(STOCKWIRE_ALLOWED_ORIGINS=SHOP, STOCKWIRE_HUB_PUBLIC_LOCATIONS="web")
    said: list[dict[str, str]] = [
        *({"Origin": origin} for origin in (SHOP, EVIL, "null")),
        *({name: "evil.example"} for name in ("X-Forwarded-Host", "X-Host", "X-Original-URL", "Forwarded", "Referer")),
        {"X-Forwarded-Proto": "http"},
        {"X-HTTP-Method-Override": "POST"},
        {"Range": "bytes=0-3"},
        {"Accept": "text/html"},
        {"Accept-Language": "fr"},
        {"Cookie": "session=1"},
        {"Host": "evil.example"},
    ]
    paths = ("/v1/availability/web/A", "/v1/availability?location=web", "/v1/discovery", "/v1/badge.js")
    async with client(hub.url) as anybody:
        for path in paths:
            plain = await anybody.get(path)
            assert plain.headers["Access-Control-Allow-Origin"] == "*"
            assert plain.headers["Cache-Control"].startswith("public, max-age=")
            assert plain.headers.get("Vary", "Accept-Encoding") == "Accept-Encoding"
            for headers in said:
                answer = await anybody.get(path, headers=headers)
                assert answered(answer) == answered(plain), (path, headers)
                assert answer.headers["Cache-Control"].startswith("public, max-age=")
        assert (await anybody.get("/v1/availability?location=back-room")).headers["Cache-Control"] == "no-store"
        assert (await anybody.get("/v1/availability/web/A?x=1")).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("key", [True, False])
@pytest.mark.parametrize("path", ["/v1/availability/web/A", "/v1/levels/web/A"])
async def test_pages_of_other_origins_read_nothing_that_a_key_opens(path: str, key: bool) -> None:
    """A browser asks before it sends a key: what it is told there counts."""
    async with read_port() as app, anybody(app) as page:
        asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        preflight = await page.options(path, headers={"Origin": EVIL, **asked})
        assert (preflight.status_code, "access-control-allow-origin" in preflight.headers) == (400, False)
        answer = await page.get(path, headers={"Origin": EVIL, **(KEY if key else {})})
        public = "availability" in path and not key
        assert ("access-control-allow-origin" in answer.headers) is public
        assert answer.headers.get("vary") == (None if public else "Origin")


@pytest.mark.parametrize("path", ["/v1/discovery", "/v1/badge.js"])
async def test_what_never_looks_at_a_key_is_the_same_with_one(path: str) -> None:
    """A gateway may put one on every request: a cache would keep a copy that no page can read."""
    async with read_port() as app, anybody(app) as page:
        plain, keyed = await page.get(path), await page.get(path, headers={"Origin": EVIL, **KEY})
    assert answered(keyed) == answered(plain)
    assert keyed.headers["access-control-allow-origin"] == "*"
    assert keyed.headers.get("vary", "Accept-Encoding") == "Accept-Encoding"


async def test_a_hub_that_is_behind_says_so_and_is_asked_once_a_second_for_everybody(system: System) -> None:
    await system.start_ledger()
    hub = await system.start_hub(STOCKWIRE_HUB_PUBLIC_LOCATIONS="web", STOCKWIRE_REDIS_URL=NO_BROKER)
    async with client(hub.url) as anybody:
        answer = await anybody.get("/v1/availability?location=web")
    assert (answer.headers["Stockwire-Fresh"], answer.headers["Cache-Control"]) == ("false", BEHIND)


def answered(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT}
    return answer.status_code, headers, answer.content


def anybody(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")
