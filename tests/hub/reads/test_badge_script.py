"""The badge's script: the same bytes for a page of any origin, which caches may keep and a page may hold to a hash."""

import gzip

import httpx
import pytest
from starlette.applications import Starlette

from hub.reads.badge_script import FILE, PATH
from tests.harness.system import System
from tests.hub.reader import client, read_port

SCRIPT = FILE.read_bytes()
ORIGINS = (None, "https://shop.example", "https://listed.example", "null")


async def test_a_page_of_any_origin_may_run_it_and_hold_it_to_its_hash(system: System) -> None:
    hub = await system.start_hub(STOCKWIRE_ALLOWED_ORIGINS="https://listed.example", ledger_urls=["http://127.0.0.1:1"])
    answers = []
    async with client(hub.url) as page:
        for origin in ORIGINS:
            answers.append(await page.get(PATH, headers={"Origin": origin} if origin else {}))
        spoilt = await page.get(f"{PATH}?x=1")
        named = await page.get(f"{PATH}?v=1&ver=6.9&hub=https://hub.example")
    async with httpx.AsyncClient(base_url=hub.url, trust_env=False) as page:  # the document tells of no HEAD
        head = await page.head(PATH, headers={"Accept-Encoding": "identity"})
    for answer in (*answers, named):
        assert (answer.status_code, answer.content) == (200, SCRIPT)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Origin" not in answer.headers["Vary"], "a cache would keep one for each shop"
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        assert "RateLimit" not in answer.headers, "a shared cache would tell it to others"
    assert len({answer.headers["ETag"] for answer in answers}) == 1
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(SCRIPT)))
    assert spoilt.status_code == 400


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip, br", True), ("br;q=1.0, GZIP ;q=0.8", True), ("identity", False), ("gzip;q=0, *", False), ("", False)],
)
async def test_it_is_packed_for_those_who_take_it_and_each_has_a_tag_of_its_own(accepted: str, packed: bool) -> None:
    async with read_port(started=False) as app, anybody(app) as page:
        async with page.stream("GET", PATH, headers={"Accept-Encoding": accepted}) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        assert (answer.headers.get("Content-Encoding") == "gzip") is packed
        assert (gzip.decompress(raw) if packed else raw) == SCRIPT
        tag = answer.headers["ETag"]
        assert (not tag.startswith("W/"), tag.endswith('-gzip"')) == (True, packed)
        held = {"Accept-Encoding": accepted, "If-None-Match": tag}
        same = await page.get(PATH, headers=held)
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
        other = "identity" if packed else "gzip"
        assert (await page.get(PATH, headers={**held, "Accept-Encoding": other})).status_code == 200


async def test_one_address_may_not_load_it_without_end() -> None:
    async with read_port(rate_per_s=1) as app, anybody(app) as page:
        refused = [answer for _ in range(50) if (answer := await page.get(PATH)).status_code == 429]
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1


def anybody(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")
