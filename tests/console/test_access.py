"""Who may see, who may act, and how long: over HTTP, with real keys."""

import asyncio
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from console.web.guard import HEADERS
from tests.console.running import running_console
from tests.harness.system import System
from tests.hub.shop import Shop


async def test_a_key_that_may_not_read_everything_sees_nothing(shared_system: System, unique_name: str) -> None:
    narrow = await shared_system.key(unique_name, "stock:read:berlin")
    async with running_console(shared_system) as console, console.browser() as http:
        assert (await http.get("/api/session")).json()["signed_in"] is False
        for path in ("/api/clock", "/api/history", "/api/catalogue"):
            assert (await http.get(path)).status_code == 401
        refused = await http.post("/api/session", json={"key": narrow})
        assert (refused.status_code, refused.json()["scope"]) == (403, "stock:read:*")
        for nonsense in ("sw_nobody_has", "", "é"):
            assert (await http.post("/api/session", json={"key": nonsense})).status_code == 401
        assert not http.cookies
        async with console.viewer(http) as nobody:
            assert await nobody.closed() == 4001


async def test_the_cookie_is_told_to_nobody_else(shared_system: System) -> None:
    async with running_console(shared_system) as console, console.browser() as http:
        key = await shared_system.admin_key()
        answer = await http.post("/api/session", json={"key": key})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert key not in answer.text + cookie
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["cache-control"] == "no-store"


async def test_behind_a_proxy_that_encrypts_the_cookie_is_never_sent_otherwise(shared_system: System) -> None:
    behind = {"STOCKWIRE_BEHIND_PROXY": "1"}
    by_proxy = {"Host": "console.example", "Origin": "https://console.example"}
    async with (
        running_console(shared_system, hosts=("https://console.example",), settings=behind) as console,
        console.browser() as http,
    ):
        key = {"key": await shared_system.admin_key()}
        answer = await http.post("/api/session", json=key, headers=by_proxy)
        assert answer.status_code == 200, answer.text
        assert "Secure" in answer.headers["set-cookie"]
        assert "strict-transport-security" in answer.headers


async def test_a_page_of_somebody_else_and_another_name_of_ours_are_refused(shared_system: System) -> None:
    async with running_console(shared_system) as console, console.signed_in() as http:
        for origin in ("http://evil.example", "null", ""):
            for method, path in (("POST", "/api/act/drain"), ("POST", "/api/session"), ("DELETE", "/api/session")):
                refused = await http.request(method, path, json={"node": "hub-1"}, headers={"Origin": origin})
                assert (refused.status_code, refused.json()["scope"]) == (403, "Origin")
        rebound = await http.get("/api/session", headers={"Host": "evil.example"})
        assert rebound.status_code == 421
        for name, value in HEADERS.items():
            assert rebound.headers[name] == value
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        for foreign in ("http://evil.example", None):
            address = f"{console.url.replace('http', 'ws', 1)}/live"
            with pytest.raises(InvalidStatus):
                async with connect(address, origin=foreign, additional_headers={"Cookie": cookie}, proxy=None):  # type: ignore[arg-type]  # an origin is text
                    pass


async def test_nothing_is_done_without_the_word_of_the_session(shared_system: System, unique_name: str) -> None:
    async with running_console(shared_system) as console:
        async with console.signed_in() as http:
            for word in ("", "x"):
                refused = await http.post("/api/act/drain", json={}, headers={"X-Stockwire-CSRF": word})
                assert (refused.status_code, refused.json()["scope"]) == (403, "X-Stockwire-CSRF")
            assert (await http.post("/api/act/kill-hub", json={})).status_code == 404, "only in `stockwire up`"
            assert (await http.post("/api/act/drain", json={"node": "nobody"})).status_code == 404
        async with console.signed_in("stock:read:*", owner=unique_name) as onlooker:
            refused = await onlooker.post("/api/act/drain", json={"node": "hub-1"})
            assert (refused.status_code, refused.json()["scope"]) == (403, "admin")


async def test_a_hub_is_drained_and_takes_clients_again(stockwire_system: System) -> None:
    async with (
        running_console(stockwire_system) as console,
        console.signed_in() as http,
        console.viewer(http) as viewer,
    ):

        def all_answer(data: dict[str, list[dict[str, object]]]) -> bool:
            nodes = data["nodes"]
            return (
                any(node["kind"] == "ledger" for node in nodes) and sum(bool(node["may_drain"]) for node in nodes) == 2
            )

        data = await viewer.until("nodes", all_answer)
        name = next(node["name"] for node in data["nodes"] if node["may_drain"])

        def draining(data: dict[str, list[dict[str, object]]]) -> object:
            return next(node["draining"] for node in data["nodes"] if node["name"] == name)

        assert (await http.post("/api/act/drain", json={"node": name})).status_code == 202
        await viewer.until("nodes", lambda data: draining(data) is True)
        assert (await http.post("/api/act/undrain", json={"node": name})).status_code == 202
        await viewer.until("nodes", lambda data: draining(data) is False)
        ledger = next(node["name"] for node in data["nodes"] if node["kind"] == "ledger")
        assert (await http.post("/api/act/drain", json={"node": ledger})).status_code == 422


async def test_a_session_ends_with_its_key_and_with_its_owner_leaving(shared_system: System, unique_name: str) -> None:
    key = await shared_system.key(unique_name, "stock:read:*")
    async with running_console(shared_system) as console:
        async with console.signed_in("stock:read:*", owner=unique_name) as http, console.viewer(http) as viewer:
            await viewer.show("nodes")
            await Shop(shared_system).revoke(key)
            assert await viewer.closed() == 4001
            assert (await http.get("/api/session")).json()["signed_in"] is False
        async with console.signed_in() as http, console.viewer(http) as viewer:
            await viewer.show("nodes")
            assert (await http.delete("/api/session")).status_code == 204
            assert await viewer.closed() == 4001
            assert (await http.get("/api/clock")).status_code == 401


async def test_a_page_that_was_open_while_the_console_restarted_is_told_to_sign_in(shared_system: System) -> None:
    """A refused upgrade is a cut like any other to a page: it would come again for ever."""
    async with running_console(shared_system) as console, console.browser() as http:
        http.cookies.set(f"stockwire-console-{http.base_url.port}", "of-another-run")
        async with console.viewer(http) as viewer:
            assert await viewer.closed() == 4001


async def test_who_tries_key_after_key_has_to_wait(shared_system: System) -> None:
    async with running_console(shared_system) as console, console.browser() as http:
        statuses = [(await http.post("/api/session", json={"key": f"sw_{n}"})).status_code for n in range(11)]
        assert statuses == [401] * 10 + [429]
        refused = await http.post("/api/session", json={"key": await shared_system.admin_key()})
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 61


async def test_all_addresses_of_one_customer_count_together(shared_system: System) -> None:
    proxies = {"STOCKWIRE_TRUSTED_PROXIES": "127.0.0.1"}
    async with running_console(shared_system, settings=proxies) as console, console.browser() as http:
        for number in range(11):
            tried = await http.post(
                "/api/session", json={"key": "sw_no"}, headers={"X-Forwarded-For": f"2001:db8::{number:x}"}
            )
        assert tried.status_code == 429
        elsewhere = await http.post("/api/session", json={"key": "sw_no"}, headers={"X-Forwarded-For": "2001:db9::1"})
        assert elsewhere.status_code == 401


async def test_the_one_time_link_works_once(shared_system: System, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.write_text("a-word\n")
    async with running_console(shared_system, link=link) as console:
        async with console.browser() as http:
            assert (await http.get("/in/another")).status_code == 401
            assert (await http.head("/in/a-word")).status_code == 405, "a preview of the link"
            answer = await http.get("/in/a-word")
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            assert (await http.get("/api/session")).json()["may_act"] is True
        async with console.browser() as late:
            assert (await late.get("/in/a-word")).status_code == 401
            assert not late.cookies
        assert not link.exists()


async def test_of_two_who_follow_the_one_time_link_at_once_one_gets_in(shared_system: System, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.write_text("a-word\n")
    async with (
        running_console(shared_system, link=link) as console,
        console.browser() as one,
        console.browser() as another,
    ):
        answers = await asyncio.gather(one.get("/in/a-word"), another.get("/in/a-word"))
        assert sorted(answer.status_code for answer in answers) == [303, 401]


async def test_a_console_that_is_stopped_sends_its_viewers_away_to_come_back(shared_system: System) -> None:
    async with running_console(shared_system) as console, console.signed_in() as http, console.viewer(http) as viewer:
        await viewer.show("nodes")
        console.console.stop()
        assert await viewer.closed() == 1012


async def test_pages_are_told_apart_by_their_content(shared_system: System) -> None:
    async with running_console(shared_system) as console, console.browser() as http:
        page = await http.get("/")
        again = await http.get("/", headers={"If-None-Match": page.headers["etag"]})
        assert (page.status_code, again.status_code, again.content) == (200, 304, b"")
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert (await http.get("/healthz", headers={"Host": "probe"})).status_code == 200
        for path in ("/../settings.py", "/%2e%2e/settings.py", "/nothing.js", "/api/nothing"):
            assert (await http.get(path)).status_code == 404
