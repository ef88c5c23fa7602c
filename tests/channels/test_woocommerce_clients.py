"""WooCommerce's own clients, for Python and JavaScript, against our server: every call and every error they know."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme

from tests.channels.shared.starting import Market, market
from tests.channels.woocommerce.access import KEY, READ_KEY, READ_SECRET, SECRET
from tests.harness.node import NODE, environment
from tests.harness.node_peers import need_node_peer
from tests.harness.peers import need_peer
from tests.harness.waiting import PATIENCE_S

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]

ANSWER_BYTES_MAX = 2**20
FOLDER = Path(__file__).with_name("woocommerce")
Call = tuple[str, str, object, dict[str, object]]
"""Method, endpoint, body, parameters."""


@dataclass(frozen=True, slots=True)
class Clients:
    market: Market
    processes: dict[str, asyncio.subprocess.Process]

    async def ask(
        self, language: str, *calls: Call, key: str = KEY, secret: str = SECRET, query: bool = False
    ) -> list[Any]:
        """Status, body and total of each."""
        process = self.processes[language]
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {"url": self.market.url, "key": key, "secret": secret, "query": query, "calls": calls}
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            line = await process.stdout.readline()
        assert line, "the client ended; its traceback is in the output of this test"
        answers: list[Any] = json.loads(line)
        return answers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clients]:
    """One server with TLS, and a process of each language."""
    commands = {
        "python": [str(need_peer("woocommerce")), str(FOLDER / "official.py")],
        "javascript": [NODE, str(FOLDER / "official.cjs")],
    }
    modules = need_node_peer("woocommerce") / "node_modules"
    folder = tmp_path_factory.mktemp("woocommerce")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    trusting = {"REQUESTS_CA_BUNDLE": str(folder / "ca.pem"), "NODE_EXTRA_CA_CERTS": str(folder / "ca.pem")}
    variables = {**os.environ, **environment(), **trusting, "NODE_PATH": str(modules)}
    async with market("woocommerce", folder, "--certificate", str(folder / "server.pem")) as started:
        processes = {
            language: await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, env=variables, limit=ANSWER_BYTES_MAX
            )
            for language, command in commands.items()
        }
        try:
            yield Clients(started, processes)
        finally:
            for process in processes.values():
                if process.returncode is None:
                    process.kill()
                await process.wait()


@pytest.fixture(params=["python", "javascript"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(loop_scope="module")
async def listing(language: str, clients: Clients) -> str:
    """A product of each language, of 5."""
    number = {"python": "100", "javascript": "200"}[language]
    await clients.market.offer(number, 5, sku=f"MUG-{language}")
    return number


async def test_what_they_ask_is_answered(language: str, listing: str, clients: Clients) -> None:
    order = await clients.market.sell(listing, 2)
    number = int(listing)
    answers = await clients.ask(
        language,
        ("get", "products", None, {"sku": f"MUG-{language}", "per_page": 100}),
        ("get", f"products/{listing}", None, {}),
        ("put", f"products/{listing}", {"stock_quantity": 9}, {}),
        ("post", "products/batch", {"update": [{"id": number, "stock_quantity": 7}, {"id": 9}]}, {}),
        ("get", "orders", None, {"include": order, "status": "processing", "dates_are_gmt": "true"}),
        ("get", f"orders/{order}", None, {}),
        ("get", f"orders/{order}/refunds", None, {}),
        ("options", "products", None, {}),
    )
    assert [status for status, *_ in answers] == [200] * 8, answers
    found, one, changed, batch, orders, alone, refunds, options = [body for _, body, _ in answers]
    assert ([product["id"] for product in found], answers[0][2]) == ([number], "1")
    assert (one["stock_quantity"], changed["stock_quantity"]) == (3, 9)
    assert [line.get("stock_quantity") for line in batch["update"]] == [7, None]
    assert batch["update"][1]["error"]["code"] == "woocommerce_rest_product_invalid_id"
    assert (orders, answers[4][2]) == ([alone], "1")
    assert (alone["line_items"][0]["quantity"], refunds) == (2, [])
    assert options["namespace"] == "wc/v3"
    assert (await clients.market.truth())["levels"][listing] == 7


async def test_webhooks_live_and_end(language: str, listing: str, clients: Clients) -> None:
    asked = {"topic": "order.updated", "delivery_url": "http://127.0.0.1:9/", "secret": "s3cret"}
    ((status, made, _),) = await clients.ask(language, ("post", "webhooks", asked, {}))
    assert (status, made["status"]) == (201, "active")
    path = f"webhooks/{made['id']}"
    answers = await clients.ask(
        language,
        ("put", path, {"status": "paused"}, {}),
        ("get", "webhooks", None, {"status": "paused"}),
        ("get", path, None, {}),
        ("delete", path, None, {}),
        ("delete", path, None, {"force": "true"}),
        ("get", path, None, {}),
    )
    assert [status for status, *_ in answers] == [200, 200, 200, 501, 200, 400]
    assert [one["id"] for one in answers[1][1]] == [made["id"]]


async def test_what_is_refused_says_so(language: str, listing: str, clients: Clients) -> None:
    batch = {"update": [{"id": int(listing)}] * 101}
    answers = await clients.ask(
        language,
        ("get", "products", None, {"per_page": 101}),
        ("get", "products/9", None, {}),
        ("get", "orders/9", None, {}),
        ("put", f"products/{listing}", {"stock_quantity": "many"}, {}),
        ("post", "products/batch", batch, {}),
        ("get", "coupons", None, {}),
        ("post", "webhooks", {"topic": "order.sold", "delivery_url": "https://shop.example/"}, {}),
    )
    assert [(status, body["code"]) for status, body, _ in answers] == [
        (400, "rest_invalid_param"),
        (404, "woocommerce_rest_product_invalid_id"),
        (404, "woocommerce_rest_shop_order_invalid_id"),
        (400, "rest_invalid_param"),
        (413, "woocommerce_rest_request_entity_too_large"),
        (404, "rest_no_route"),
        (400, "woocommerce_rest_shop_webhook_invalid_topic"),
    ]


async def test_keys_are_told_in_both_ways_and_held_to_what_they_may(
    language: str, listing: str, clients: Clients
) -> None:
    read: Call = ("get", f"products/{listing}", None, {})
    write: Call = ("put", f"products/{listing}", {"stock_quantity": 1}, {})
    ((status, *_),) = await clients.ask(language, read, query=True)
    assert status == 200
    for secret, query in (("cs_guessed", False), ("cs_guessed", True)):
        ((status, body, _),) = await clients.ask(language, read, secret=secret, query=query)
        assert (status, body["code"]) == (401, "woocommerce_rest_authentication_error")
    answers = await clients.ask(language, read, write, key=READ_KEY, secret=READ_SECRET)
    assert [status for status, *_ in answers] == [200, 401]
