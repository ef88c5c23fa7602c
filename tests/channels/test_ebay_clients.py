"""Clients that others wrote against eBay itself, against our server: what they ask it answers, and in shapes that they
can read; what is refused raises their errors."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.channels.ebay import generated
from tests.channels.ebay.asking import APPLICATION, BASIC, REFRESH, SUBSCRIBED, destination
from tests.channels.ebay.endpoint import Endpoint
from tests.channels.shared.starting import Market, market
from tests.harness.peers import need_peer
from tests.harness.waiting import PATIENCE_S, wait_until

INVENTORY = {"api": "sell_inventory", "root": "/sell/inventory/v1"}
FULFILLMENT = {"api": "sell_fulfillment", "root": "/sell/fulfillment/v1", "of": "OrderApi"}
NOTIFICATION = {"api": "commerce_notification", "root": "/commerce/notification/v1"}
ANALYTICS = {"api": "developer_analytics", "root": "/developer/analytics/v1_beta", "of": "RateLimitApi"}
JSON = "application/json"
ANSWER_BYTES_MAX = 2**20


pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True, slots=True)
class Client:
    """``seller``, ``application``: tokens."""

    market: Market
    process: asyncio.subprocess.Process
    seller: str
    application: str

    async def ask(self, *calls: dict[str, Any]) -> list[dict[str, Any]]:
        """One after the other."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"url": self.market.url, "calls": [{"token": self.seller, **call} for call in calls]}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            line = await self.process.stdout.readline()
        assert line, "the client ended; its traceback is in the output of this test"
        answers: list[dict[str, Any]] = json.loads(line)
        return answers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """One server and one client for all tests of this file: each has a listing of its own."""
    python = need_peer("ebay")
    async with market("ebay", tmp_path_factory.mktemp("ebay")) as started:
        process = await asyncio.create_subprocess_exec(
            python, generated.__file__, stdin=PIPE, stdout=PIPE, limit=ANSWER_BYTES_MAX
        )
        try:
            async with httpx.AsyncClient(base_url=started.url) as http:
                tokens = [
                    (await http.post("/identity/v1/oauth2/token", data=grant, headers=BASIC)).json()["access_token"]
                    for grant in (REFRESH, APPLICATION)
                ]
            yield Client(started, process, *tokens)
        finally:
            process.kill()
            await process.wait()


def items(call: str, *given: object, **more: object) -> dict[str, Any]:
    return {**INVENTORY, "of": "InventoryItemApi", "call": call, "with": given, "more": more}


def offers(call: str, *given: object, **more: object) -> dict[str, Any]:
    return {**INVENTORY, "of": "OfferApi", "call": call, "with": given, "more": more}


def orders(call: str, *given: object, **more: object) -> dict[str, Any]:
    return {**FULFILLMENT, "call": call, "with": given, "more": more}


def error_ids(answer: dict[str, Any]) -> list[int]:
    return [one["errorId"] for one in answer["errors"]]


async def test_the_generated_client_reads_and_writes_quantities(client: Client) -> None:
    await client.market.offer("mug", 5, barcode="4006381333931")
    await client.market.offer("jug", 3, "Jug")
    listed, of_mug = await client.ask(items("get_inventory_items", limit="200"), offers("get_offers", sku="mug"))
    assert {"mug", "jug"} <= {one["sku"] for one in listed["data"]["inventory_items"]}
    offer_id = of_mug["data"]["offers"][0]["offer_id"]
    body = {
        "requests": [
            {
                "sku": "mug",
                "shipToLocationAvailability": {"quantity": 2},
                "offers": [{"offerId": offer_id, "availableQuantity": 2}],
            },
            {"sku": "nothing", "shipToLocationAvailability": {"quantity": 2}},
        ]
    }
    updated, item, offer, some = await client.ask(
        items("bulk_update_price_quantity", body, JSON),
        items("get_inventory_item", "mug"),
        offers("get_offer", offer_id),
        items("bulk_get_inventory_item", {"requests": [{"sku": "mug"}, {"sku": "jug"}]}, JSON),
    )
    assert updated["status"] == 207
    outcomes = [(one["sku"], one["status_code"], one["offer_id"]) for one in updated["data"]["responses"]]
    assert outcomes == [("mug", 200, offer_id), ("nothing", 400, None)]
    (error,) = updated["data"]["responses"][1]["errors"]
    assert (error["error_id"], error["domain"], error["category"]) == (25702, "API_INVENTORY", "REQUEST")
    assert item["data"]["availability"]["ship_to_location_availability"]["quantity"] == 2
    assert (offer["data"]["available_quantity"], offer["data"]["status"]) == (2, "PUBLISHED")
    assert [one["inventory_item"]["product"]["title"] for one in some["data"]["responses"]] == ["Mug", "Jug"]
    assert (await client.market.truth())["levels"]["mug"] == 2


async def test_the_generated_client_finds_orders_in_each_state(client: Client) -> None:
    await client.market.offer("cap", 9, "Cap")
    paid = await client.market.sell("cap", 2)
    unpaid = await client.market.sell("cap", paid=False)
    cancelled = await client.market.sell("cap")
    await client.market.change("cancel", cancelled)
    await client.market.change("refund", paid, {"cap": 1}, restock=False)
    found, by_id, one = await client.ask(
        orders("get_orders", filter="lastmodifieddate:[2026-01-01T00:00:00.000Z..]", limit="50"),
        orders("get_orders", order_ids=f"{paid},{unpaid}"),
        orders("get_order", cancelled),
    )
    states = {
        order["order_id"]: (order["order_payment_status"], order["cancel_status"]["cancel_state"])
        for order in found["data"]["orders"]
    }
    assert {order: states[order] for order in (paid, unpaid, cancelled)} == {
        paid: ("PARTIALLY_REFUNDED", "NONE_REQUESTED"),
        unpaid: ("PENDING", "NONE_REQUESTED"),
        cancelled: ("FULLY_REFUNDED", "CANCELED"),
    }
    (line,) = next(order for order in found["data"]["orders"] if order["order_id"] == paid)["line_items"]
    assert (line["sku"], line["quantity"], line["refunds"][0]["amount"]["value"]) == ("cap", 2, "10.00")
    assert by_id["data"]["total"] == 2
    assert one["data"]["cancel_status"]["cancel_requests"][0]["cancel_request_state"] == "COMPLETED"


async def test_the_generated_client_subscribes_and_hears_of_an_order(client: Client) -> None:
    async with Endpoint() as endpoint:
        await subscribed(client, endpoint)
        await client.market.offer("scarf", 1, "Scarf")
        order = await client.market.sell("scarf")

        async def heard() -> bool:
            return len(endpoint.received) == 1

        await wait_until(heard)
        told = json.loads(endpoint.received[0][1])
        assert told["notification"]["data"]["order"]["orderId"] == order


async def subscribed(client: Client, endpoint: Endpoint) -> None:
    def asks(of: str, call: str, *given: object, token: str = client.application) -> dict[str, Any]:
        return {**NOTIFICATION, "of": of, "call": call, "with": given, "token": token}

    configured, made, topics = await client.ask(
        {**asks("ConfigApi", "update_config", JSON), "more": {"body": {"alertEmail": "us@example.com"}}},
        {**asks("DestinationApi", "create_destination", JSON), "more": {"body": destination(endpoint.url)}},
        asks("TopicApi", "get_topics"),
    )
    assert (configured["status"], made["status"]) == (204, 201)
    assert "ORDER_CONFIRMATION" in {one["topic_id"] for one in topics["data"]["topics"]}
    where = made["location"].rsplit("/", 1)[1]
    body = {**SUBSCRIBED, "destinationId": where}
    refused, done, shown, listed = await client.ask(
        {**asks("SubscriptionApi", "create_subscription", JSON), "more": {"body": body}},
        {**asks("SubscriptionApi", "create_subscription", JSON, token=client.seller), "more": {"body": body}},
        asks("DestinationApi", "get_destination", where),
        asks("SubscriptionApi", "get_subscriptions"),
    )
    assert (error_ids(refused), done["status"]) == ([195011], 201)
    assert shown["data"]["delivery_config"]["endpoint"] == endpoint.url
    assert listed["data"]["subscriptions"][0]["topic_id"] == "ORDER_CONFIRMATION"


REFUSED = [
    (items("get_inventory_items", limit="500"), 400, 25709),
    (items("get_inventory_item", "nothing"), 404, 25710),
    (items("bulk_update_price_quantity", {"requests": [{"sku": "mug"}] * 26}, JSON), 400, 25709),
    (offers("get_offers"), 400, 25707),
    (offers("get_offers", sku="nothing"), 404, 25713),
    (orders("get_orders", limit="500"), 400, 31100),
    (orders("get_orders", filter="state:[a..b]"), 400, 30700),
    (orders("get_order", "nothing"), 404, 32100),
    ({**items("get_inventory_items"), "token": "of-nobody"}, 401, 1001),
]


async def test_what_is_refused_raises_the_clients_own_error_with_ebays_inside(client: Client) -> None:
    limited = {**ANALYTICS, "call": "get_rate_limits", "token": client.application, "more": {"api_name": "inventory"}}
    key = {
        **NOTIFICATION,
        "of": "PublicKeyApi",
        "call": "get_public_key",
        "with": ["none"],
        "token": client.application,
    }
    forbidden = {**items("get_inventory_items"), "token": client.application}
    asked = [*REFUSED, (forbidden, 403, 1100), (key, 404, 195001)]
    *answers, limits = await client.ask(*(call for call, _, _ in asked), limited)
    met = [(one["status"], error_ids(one)) for one in answers]
    assert met == [(status, [error]) for _, status, error in asked]
    assert limits["data"]["rate_limits"][0]["resources"][0]["rates"][0]["limit"] == 2_000_000
