"""Amazon's own client against our Amazon: what it asks is answered, in shapes that it can read, and what is refused
raises its errors. And a queue of SQS's kind, into which notices go."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import httpx
import pytest
import pytest_asyncio

from tests.channels.amazon import sdk
from tests.channels.amazon.catalogue import AVAILABILITY, MARKETPLACE, SELLER
from tests.channels.amazon.queues import ACCOUNT, REGION, ask_queue, create_queue, queue_service
from tests.channels.amazon.tokens import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SCOPES
from tests.channels.shared.starting import Market, market
from tests.harness.peers import need_peer
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]
ANSWER_BYTES_MAX = 2**20
ACCESS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}
PACE = "100000"
HIDDEN_S = 600


@dataclass(frozen=True, slots=True)
class Client:
    market: Market
    process: asyncio.subprocess.Process
    queues: str

    async def ask(self, *calls: dict[str, Any], **access: str) -> list[dict[str, Any]]:
        """One after the other."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"url": self.market.url, **ACCESS, **access, "calls": calls}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            line = await self.process.stdout.readline()
        assert line, "the client ended; its traceback is in the output of this test"
        answers: list[dict[str, Any]] = json.loads(line)
        return answers

    async def broken(self) -> set[str]:
        return set((await self.market.counts())["broken"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """One server, one queue and one client for all tests of this file: each has a listing of its own."""
    python, folder = need_peer("amazon"), tmp_path_factory.mktemp("amazon")
    async with (
        queue_service(folder) as queues,
        market("amazon", folder, "--pace", PACE, "--queues", queues) as started,
    ):
        process = await asyncio.create_subprocess_exec(
            python, sdk.__file__, stdin=PIPE, stdout=PIPE, limit=ANSWER_BYTES_MAX
        )
        try:
            yield Client(started, process, queues)
        finally:
            process.kill()
            await process.wait()


def listings(call: str, *given: object, **more: object) -> dict[str, Any]:
    return {"api": "ListingsApi", "call": call, "with": (SELLER, *given), "more": more}


def patch(sku: str, quantity: object, **more: object) -> dict[str, Any]:
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]
    body = {"productType": "PRODUCT", "patches": [{"op": "merge", "path": AVAILABILITY, "value": value}]}
    return listings("patch_listings_item", sku, [MARKETPLACE], body, **more)


def feeds(call: str, *given: object) -> dict[str, Any]:
    return {"api": "FeedsApi", "call": call, "with": given}


def notifications(call: str, *given: object, grantless: bool = False) -> dict[str, Any]:
    scope = {"scope": SCOPES[0]} if grantless else {}
    return {"api": "NotificationsApi", "call": call, "with": given, **scope}


def orders(**more: object) -> dict[str, Any]:
    return {"api": "SearchOrdersApi", "call": "search_orders", "more": more}


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


async def test_the_sdk_patches_a_listing_and_reads_it_back(client: Client) -> None:
    await client.market.offer("mug/1 #a", 5, "Mug")
    shown = {"included_data": ["summaries", "fulfillmentAvailability", "issues", "attributes"]}
    (patched,) = await client.ask(patch("mug/1 #a", 2, mode="VALIDATION_PREVIEW"))
    assert patched["data"]["status"] == "VALID"
    patched, refused = await client.ask(patch("mug/1 #a", 2), patch("mug/1 #a", -1))
    assert (patched["status"], patched["data"]["status"], patched["data"]["issues"]) == (200, "ACCEPTED", [])
    assert float(patched["headers"]["x-amzn-ratelimit-limit"]) == 5 * float(PACE)
    assert (refused["data"]["status"], refused["data"]["issues"][0]["code"]) == ("INVALID", "99022")

    async def applied() -> Any:
        (item,) = await client.ask(listings("get_listings_item", "mug/1 #a", [MARKETPLACE], **shown))
        found = item["data"]["fulfillment_availability"]
        return item if found == [{"fulfillment_channel_code": "DEFAULT", "quantity": 2}] else None

    item = await wait_until(applied)
    assert item["data"]["summaries"][0]["item_name"] == "Mug"


async def test_the_sdk_searches_listings_page_by_page(client: Client) -> None:
    for number in range(5):
        await client.market.offer(f"page-{number}", number)
    asked = {"included_data": ["fulfillmentAvailability"], "page_size": 3, "sort_by": "sku", "sort_order": "ASC"}
    skus = ",".join(f"page-{number}" for number in range(5)).split(",")
    asked |= {"identifiers": skus, "identifiers_type": "SKU"}
    (first,) = await client.ask(listings("search_listings_items", [MARKETPLACE], **asked))
    token = first["data"]["pagination"]["next_token"]
    (rest,) = await client.ask(listings("search_listings_items", [MARKETPLACE], **asked, page_token=token))
    found = first["data"]["items"] + rest["data"]["items"]
    assert [(one["sku"], one["fulfillment_availability"][0]["quantity"]) for one in found] == [
        (f"page-{number}", number) for number in range(5)
    ]
    assert (first["data"]["number_of_results"], rest["data"]["pagination"]["next_token"]) == (5, None)


async def test_the_sdk_feeds_and_reads_the_report(client: Client) -> None:
    await client.market.offer("fed", 5)
    (made,) = await client.ask(feeds("create_feed_document", {"contentType": "application/json"}))
    assert made["status"] == 201
    message = {"messageId": 1, "sku": "fed", "operationType": "PATCH", "productType": "PRODUCT"}
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": 7}]
    message |= {"patches": [{"op": "merge", "path": AVAILABILITY, "value": value}]}
    content = {"header": {"sellerId": SELLER, "version": "2.0"}, "messages": [message]}
    async with httpx.AsyncClient() as http:
        put = await http.put(made["data"]["url"], json=content, headers={"content-type": "application/json"})
        assert put.status_code == 200
        body = {"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [MARKETPLACE]}
        body |= {"inputFeedDocumentId": made["data"]["feed_document_id"]}
        (feed,) = await client.ask(feeds("create_feed", body))
        assert feed["status"] == 202

        async def done() -> Any:
            (seen,) = await client.ask(feeds("get_feed", feed["data"]["feed_id"]))
            return seen["data"] if seen["data"]["processing_status"] == "DONE" else None

        seen = await wait_until(done)
        statuses = {"processing_statuses": ["IN_PROGRESS", "DONE"], "page_size": 100, "marketplace_ids": [MARKETPLACE]}
        (listed,) = await client.ask({**feeds("get_feeds"), "more": {"feed_types": ["JSON_LISTINGS_FEED"], **statuses}})
        assert seen["feed_id"] in {one["feed_id"] for one in listed["data"]["feeds"]}
        (document,) = await client.ask(feeds("get_feed_document", seen["result_feed_document_id"]))
        report = (await http.get(document["data"]["url"])).json()
    assert (report["summary"]["messagesAccepted"], report["issues"]) == (1, [])
    assert (await client.market.truth())["levels"]["fed"] == 7
    (late,) = await client.ask(feeds("cancel_feed", feed["data"]["feed_id"]))
    assert (late["status"], late["errors"][0]["code"]) == (400, "InvalidInput")


async def test_the_sdk_reads_orders(client: Client) -> None:
    await client.market.offer("bought", 9)
    since = ago(60)
    placed = await client.market.sell("bought", 2)
    unpaid = await client.market.sell("bought", 1, paid=False)
    asked = {"last_updated_after": since, "included_data": ["FULFILLMENT"], "max_results_per_page": 1}

    async def both() -> Any:
        (first,) = await client.ask(orders(**asked))
        return first["data"] if (first["data"]["pagination"] or {}).get("next_token") else None

    first = await wait_until(both)
    (rest,) = await client.ask(orders(**asked, pagination_token=first["pagination"]["next_token"]))
    found = {one["order_id"]: one for one in first["orders"] + rest["data"]["orders"]}
    assert {placed, unpaid} <= found.keys()
    assert found[unpaid]["fulfillment"]["fulfillment_status"] == "PENDING"
    (alone,) = await client.ask({"api": "GetOrderApi", "call": "get_order", "with": [placed]})
    (item,) = alone["data"]["order"]["order_items"]
    assert (item["product"]["seller_sku"], item["quantity_ordered"]) == ("bought", 2)


async def test_notices_of_orders_go_into_the_queue_that_the_sdk_subscribed_and_wait_there(client: Client) -> None:
    arn = await create_queue(client.queues, "orders")
    body = {"name": "orders", "resourceSpecification": {"sqs": {"arn": arn}}}
    made, known = await client.ask(
        notifications("create_destination", body, grantless=True), notifications("get_destinations", grantless=True)
    )
    destination = made["data"]["payload"]["destination_id"]
    assert destination in {one["destination_id"] for one in known["data"]["payload"]}
    subscribing = {"payloadVersion": "1.0", "destinationId": destination}
    (missing, subscribed, there, twice) = await client.ask(
        notifications("get_subscription", "ORDER_CHANGE"),
        notifications("create_subscription", "ORDER_CHANGE", subscribing),
        notifications("get_subscription", "ORDER_CHANGE"),
        notifications("create_subscription", "ORDER_CHANGE", subscribing),
    )
    assert (missing["status"], twice["status"]) == (404, 409)
    identifier = subscribed["data"]["payload"]["subscription_id"]
    assert there["data"]["payload"]["subscription_id"] == identifier
    await client.market.offer("noticed", 3)
    order = await client.market.sell("noticed", 2)
    url = {"QueueUrl": f"{client.queues}/{ACCOUNT}/orders"}
    async with aiohttp.ClientSession() as session:

        async def taken() -> Any:
            asked = {**url, "WaitTimeSeconds": 1, "MaxNumberOfMessages": 10, "VisibilityTimeout": HIDDEN_S}
            return (await ask_queue(session, client.queues, REGION, "ReceiveMessage", asked))[1].get("Messages")

        (message,) = await wait_until(taken)
        assert not await taken(), "what one has taken is hidden from all others for a while"
        shown = {**url, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
        await ask_queue(session, client.queues, REGION, "ChangeMessageVisibility", shown)
        (again,) = await wait_until(taken)
    assert again["Body"] == message["Body"]
    told = json.loads(message["Body"])
    change = told["Payload"]["OrderChangeNotification"]
    assert (told["NotificationType"], change["AmazonOrderId"], change["SellerId"]) == ("ORDER_CHANGE", order, SELLER)
    assert [(one["SellerSKU"], one["Quantity"]) for one in change["Summary"]["OrderItems"]] == [("noticed", 2)]
    (alone,) = await client.ask({"api": "GetOrderApi", "call": "get_order", "with": [order]})
    updated = datetime.fromisoformat(change["OrderChangeTrigger"]["TimeOfOrderChange"])
    assert updated.replace(microsecond=0) == datetime.fromisoformat(alone["data"]["order"]["last_updated_time"])
    gone, ended = await client.ask(
        notifications("delete_subscription_by_id", identifier, "ORDER_CHANGE", grantless=True),
        notifications("delete_destination", destination, grantless=True),
    )
    assert (gone["status"], ended["status"]) == (200, 200)


async def test_a_notice_that_the_queue_did_not_take_is_sent_again(client: Client) -> None:
    body = {"name": "late", "resourceSpecification": {"sqs": {"arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:late"}}}
    (made,) = await client.ask(notifications("create_destination", body, grantless=True))
    subscribing = {"payloadVersion": "1.0", "destinationId": made["data"]["payload"]["destination_id"]}
    (subscribed,) = await client.ask(notifications("create_subscription", "ORDER_CHANGE", subscribing))
    failed = (await client.market.counts())["notices"].get("failed", 0)
    await client.market.offer("again", 3)
    await client.market.sell("again")

    async def failing() -> bool:
        return bool((await client.market.counts())["notices"].get("failed", 0) > failed)

    await wait_until(failing)
    identifier = subscribed["data"]["payload"]["subscription_id"]
    await client.ask(notifications("delete_subscription_by_id", identifier, "ORDER_CHANGE", grantless=True))


async def test_what_is_refused_raises_the_sdks_errors(client: Client) -> None:
    await client.market.offer("refused", 1)
    missing, invalid, unknown, ungranted = await client.ask(
        listings("get_listings_item", "nothing", [MARKETPLACE]),
        orders(),
        {"api": "GetOrderApi", "call": "get_order", "with": ["902-0000000-0000000"]},
        {**patch("refused", 2), "scope": SCOPES[0]},
    )
    assert [(one["status"], one["errors"][0]["code"]) for one in (missing, invalid, unknown, ungranted)] == [
        (404, "NOT_FOUND"),
        (400, "InvalidInput"),
        (404, "NOT_FOUND"),
        (403, "Unauthorized"),
    ]
    (refresh,) = await client.ask({**patch("refused", 2), "anew": True}, refresh_token="Atzr|other")
    (secret,) = await client.ask({**patch("refused", 2), "anew": True}, client_secret="other")
    assert ("400" in refresh["cause"], "401" in secret["cause"]) == (True, True)
    await client.market.faults(token_revoked=True)
    (revoked,) = await client.ask({**patch("refused", 2), "anew": True})
    await client.market.faults()
    assert "LWA Error" in revoked["login"]
    assert {"sku.unknown", "orders.after", "orders.unknown", "token.grantless", "login.client"} <= await client.broken()


async def test_the_sdk_raises_what_a_spent_quota_says(client: Client, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with market("amazon", tmp_path_factory.mktemp("slow"), "--pace", "0.000001") as slow:
        await slow.offer("mug", 5)
        answers = await Client(slow, client.process, client.queues).ask(*(patch("mug", number) for number in range(6)))
        assert [one["status"] for one in answers] == [200] * 5 + [429]
        assert answers[5]["errors"] == [
            {"code": "QuotaExceeded", "message": "You exceeded your quota for the requested resource.", "details": ""}
        ]
        assert (await slow.counts())["throttled"] == 1
