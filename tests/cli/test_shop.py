"""The shop's back end gives browsers little, and other pages nothing."""

import secrets
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.typing import Origin

from cli.shop import PAGES
from stockwire import AsyncClient
from stockwire.errors import Forbidden
from tests.cli.running import RunningUp
from tests.harness.stream import open_stream

pytestmark = pytest.mark.usefixtures("processes")


def own(up: RunningUp) -> dict[str, str]:
    return {"Origin": up.run["page"], "Content-Type": "application/json"}


def first_card(up: RunningUp) -> str:
    return str(httpx.post(f"{up.run['page']}/session", headers=own(up), content=b"{}").json()["cards"][0]["sku"])


def test_the_page_runs_only_its_own_script(up: RunningUp) -> None:
    answer = httpx.get(up.run["page"])
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert all(f"ws://{urlsplit(hub).netloc}" in policy for hub in up.run["hubs"])
    assert up.run["key"] not in answer.text


@pytest.mark.parametrize(
    "path", [*sorted(file.name for file in PAGES.glob("*.*") if file.is_file()), "client/index.js"]
)
def test_whatever_the_page_loads_is_served_under_its_policy(up: RunningUp, path: str) -> None:
    answer = httpx.get(f"{up.run['page']}/{path}")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "innerHTML" not in answer.text
    assert httpx.get(f"{up.run['page']}/{path}", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("path", ["client/../../shop.py", "client/../package.json", "%2e%2e/shop.py", "../shop.py"])
def test_nothing_beside_the_page_is_served(up: RunningUp, path: str) -> None:
    assert httpx.get(f"{up.run['page']}/{path}").status_code == 404


async def test_a_browser_gets_a_short_token_that_only_reads(up: RunningUp) -> None:
    async with httpx.AsyncClient() as http:
        session = (await http.post(f"{up.run['page']}/session", headers=own(up), content=b"{}")).json()
    assert session["ttl_s"] <= 600
    assert len(session["cards"]) == 24
    assert session["hubs"] == up.run["hubs"]
    assert up.run["key"] not in str(session)
    async with AsyncClient(up.run["ledger"], session["token"]) as client:
        await client.stock.get(session["cards"][0]["sku"], "shop")
        with pytest.raises(Forbidden):
            await client.stock.sell(session["cards"][0]["sku"], "shop")


async def test_another_page_of_that_address_watches_without_a_token(up: RunningUp) -> None:
    for hub in up.run["hubs"]:
        async with open_stream(hub, origin=Origin(up.run["page"])) as page:
            await page.expect("connected", id=await page.request("connect"))
            _, snapshot = await page.subscribe("shop", [first_card(up)], view="public")
            assert snapshot["levels"][0]["version"] > 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Content-Type": "text/plain"},
        {"Host": "evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/session", "/buy"])
def test_another_page_gets_nothing(up: RunningUp, path: str, headers: dict[str, str]) -> None:
    given = {**own(up), **headers} if headers else {"Content-Type": "application/json"}
    answer = httpx.post(f"{up.run['page']}{path}", headers=given, content=b'{"sku":"85123A","key":"0123456789"}')
    assert answer.status_code == 403
    assert "token" not in answer.text


def test_the_page_is_not_served_under_a_rebound_name(up: RunningUp) -> None:
    assert httpx.get(up.run["page"], headers={"Host": "evil.example"}).status_code == 421


def test_one_click_sells_one_unit_however_often_it_is_sent(up: RunningUp) -> None:
    body = {"sku": first_card(up), "key": secrets.token_hex(8)}
    answers = [httpx.post(f"{up.run['page']}/buy", headers=own(up), json=body) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"sku":"nothing","key":"0123456789"}',
        b'{"sku":[],"key":"0123456789"}',
        b'{"sku":"85123A"}',
        b"x" * 5000,
    ],
)
def test_a_bad_request_buys_nothing(up: RunningUp, body: bytes) -> None:
    answer = httpx.post(f"{up.run['page']}/buy", headers=own(up), content=body)
    assert answer.status_code in (403, 422)
