"""The strict server of Shopify: each of its rules, kept and broken."""

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.channels.shared.faults import Faults
from tests.channels.shared.notices import Notice, Subscription
from tests.channels.shopify import payloads
from tests.channels.shopify.access import CLIENT_ID, CLIENT_SECRET
from tests.channels.shopify.app import GRANT, PATH
from tests.channels.shopify.asking import LOCATION, SET, Asking, quantity
from tests.channels.shopify.cost import weight
from tests.channels.shopify.gids import gid
from tests.channels.shopify.marketplace import PATIENCE, Shopify
from tests.channels.shopify.rules import RULES
from tests.harness.node_peers import need_node_peer
from tests.harness.waiting import PATIENCE_S, wait_until

CREATE = """mutation Make($topic: WebhookSubscriptionTopic!, $webhook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhook) {
    webhookSubscription { id topic uri } userErrors { field message } } }"""
DELETE = """mutation Drop($id: ID!) { webhookSubscriptionDelete(id: $id) {
  deletedWebhookSubscriptionId userErrors { field message } } }"""
LEVELS = """query Levels($id: ID!, $first: Int, $after: String) { location(id: $id) {
  inventoryLevels(first: $first, after: $after) {
    nodes { item { id sku } quantities(names: ["available"]) { quantity } } pageInfo { hasNextPage endCursor } } } }"""
ORDERS = """query Orders($first: Int!, $query: String!, $after: String) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { name updatedAt cancelledAt displayFinancialStatus
      lineItems(first: 50) { nodes { quantity currentQuantity variant { inventoryItem { id } } } }
      refunds(first: 10) { refundLineItems(first: 50) { nodes { quantity restocked restockType } } } }
    pageInfo { hasNextPage endCursor } } }"""
ALL = "updated_at:>='2020-01-01T00:00:00Z'"


@pytest.fixture
def asking() -> Asking:
    need_node_peer("shopify")
    shop = Shopify()
    shop.offer({"id": "1", "title": "Mug", "quantity": 5, "barcode": "4006381333931"})
    shop.offer({"id": "2", "title": "Cap", "quantity": 3})
    return Asking(shop)


def broken(asking: Asking) -> dict[str, int]:
    return dict(asking.shop.rules.broken)


# Getting in


async def test_only_with_a_good_token(asking: Asking) -> None:
    assert (await asking.ask("{ shop { name } }"))["data"] == {"shop": {"name": "Tests"}}
    asking.token = "shpat_of_somebody_else"
    answer = await asking.post(json={"query": "{ shop { name } }"})
    assert answer.status_code == 401
    assert answer.json()["errors"].startswith("[API] Invalid API key or access token")


async def test_a_token_is_granted_and_lost_when_the_app_is(asking: Asking) -> None:
    app = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    granted = (await asking.post(GRANT, data=app)).json()
    assert (granted["expires_in"], "write_inventory" in granted["scope"]) == (86_399, True)
    asking.token = granted["access_token"]
    assert "data" in await asking.ask("{ shop { name } }")
    wrong = await asking.post(GRANT, json={**app, "client_secret": "guessed"})
    assert (wrong.status_code, wrong.json()) == (400, {"error": "invalid_client"})
    asking.shop.faults = Faults(token_revoked=True)
    assert (await asking.post(json={"query": "{ shop { name } }"})).status_code == 401
    assert (await asking.post(GRANT, data=app)).status_code == 400
    asking.shop.faults = Faults()
    assert (await asking.post(json={"query": "{ shop { name } }"})).status_code == 401, "a new one has to be asked for"


async def test_json_of_this_version_only(asking: Asking) -> None:
    query = json.dumps({"query": "{ shop { name } }"})
    requests: list[dict[str, Any]] = [{"content": query}, {"json": {"variables": {}}}, {"json": ["query"]}]
    for request in requests:
        assert (await asking.post(**request)).status_code == 400
    assert (await asking.post(PATH.replace("10", "07"), json={"query": "{ shop { name } }"})).status_code == 404
    assert broken(asking) == {"json": 3, "version": 1}


async def test_only_what_the_apps_scopes_allow(asking: Asking) -> None:
    asking.shop.access.scopes = ("read_inventory", "write_inventory", "read_locations")
    assert (await asking.set("a", quantity("1", 7, 5)))["userErrors"] == []
    answer = await asking.ask(ORDERS, first=10, query=ALL)
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["orders"], "ACCESS_DENIED")
    assert "read_orders" in error["extensions"]["requiredAccess"]
    asking.shop.access.scopes = ("read_inventory",)
    assert await asking.code(SET, input=input_of(quantity("1", 8, 7)), key="b") == "ACCESS_DENIED"
    assert asking.shop.selling.levels["1"] == 7


# The query


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ shop { nme } }", "undefinedField"),
        ("{ shop { name ", "PARSE_ERROR"),
        ("query A($id: ID!) { order(id: $id) { name } }", "INVALID_VARIABLE"),
    ],
)
async def test_what_the_schema_does_not_have_is_refused(asking: Asking, query: str, code: str) -> None:
    answer = await asking.ask(query)
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_an_argument_that_was_taken_away_is_refused(asking: Asking) -> None:
    """``ignoreCompareQuantity`` was how one overwrote sales until 2026-04."""
    asked = {**input_of(quantity("1", 9)), "ignoreCompareQuantity": True}
    assert await asking.code(SET, input=asked, key="k") == "INVALID_VARIABLE"


async def test_a_field_that_this_server_lacks_is_an_error_and_not_null(asking: Asking) -> None:
    answer = await asking.ask("{ shop { email } }")
    assert answer["errors"][0]["message"] == "Shop.email is not served here"


async def test_pages_hold_what_they_are_asked_for_and_follow_each_other(asking: Asking) -> None:
    for number in range(3, 12):
        asking.shop.offer({"id": str(number), "title": "Mug", "quantity": number})
    found: list[str] = []
    after = None
    for size in (4, 4, 4):
        answer = await asking.ask(LEVELS, id=LOCATION, first=size, after=after)
        page = answer["data"]["location"]["inventoryLevels"]
        found += [one["item"]["sku"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert found == [str(number) for number in range(1, 12)]
    assert not page["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("page", [{}, {"first": 0}, {"first": 251}, {"first": 1, "after": "nonsense"}])
async def test_a_page_without_a_size_or_a_cursor_without_sense_is_refused(asking: Asking, page: dict[str, Any]) -> None:
    assert await asking.code(LEVELS, id=LOCATION, **page) == "BAD_USER_INPUT"
    assert broken(asking) == {"page": 1}


async def test_orders_are_found_by_what_changed_since(asking: Asking) -> None:
    selling = asking.shop.selling
    selling.sell({"1": 1})
    answer = await asking.ask(ORDERS, first=10, query=ALL)
    (order,) = answer["data"]["orders"]["nodes"]
    since = order["updatedAt"]
    counts = {f"updated_at:>='{since}'": 1, f"updated_at:>'{since}'": 0, f"{ALL} updated_at:<'2021'": 0}
    for query, count in counts.items():
        nodes = (await asking.ask(ORDERS, first=10, query=query))["data"]["orders"]["nodes"]
        assert len(nodes) == count, query
    assert await asking.code(ORDERS, first=10, query="sku:MUG") == "BAD_USER_INPUT"
    assert broken(asking) == {"search": 1}


# Cost


async def test_costs_are_those_that_were_recorded(asking: Asking) -> None:
    answer = await asking.ask(SET, input=input_of(quantity("1", 7, 5)), key="a")
    assert cost_of(answer) == (13, 13)
    answer = await asking.ask(SET, input=input_of(quantity("1", 8, 5)), key="b")
    assert cost_of(answer) == (13, 10)
    level = '{ inventoryItem(id: "gid://shopify/InventoryItem/1") { inventoryLevels(first: 1) { nodes {'
    level += ' id location { id } quantities(names: ["available"]) { name } } } } }'
    assert cost_of(await asking.ask(level)) == (6, 6)
    assert [weight(size) for size in (1, 5, 10, 250)] == [1, 3, 4, 11]


async def test_each_id_of_nodes_costs(asking: Asking) -> None:
    ids = [gid("InventoryItem", number) for number in (1, 2, 9)]
    query = "query Some($ids: [ID!]!) { nodes(ids: $ids) { ... on InventoryItem { id sku } } }"
    answer = await asking.ask(query, ids=ids)
    assert [one and one["sku"] for one in answer["data"]["nodes"]] == ["1", "2", None]
    assert cost_of(answer) == (3, 3)


async def test_a_query_that_costs_too_much_is_refused(asking: Asking) -> None:
    query = "query Some($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await asking.code(query, ids=[LOCATION] * 1_001) == "MAX_COST_EXCEEDED"


async def test_an_empty_bucket_throttles_and_says_what_is_left(asking: Asking) -> None:
    query = "query Some($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    answers = [await asking.ask(query, ids=[LOCATION] * 1_000) for _ in range(3)]
    assert ["data" in one for one in answers] == [True, True, False]
    assert answers[2]["errors"][0]["extensions"]["code"] == "THROTTLED"
    status = answers[2]["extensions"]["cost"]["throttleStatus"]
    assert (status["maximumAvailable"], status["restoreRate"]) == (2000, 100)
    assert status["currentlyAvailable"] < 1_000
    assert (asking.shop.throttled, cost_of(answers[2])) == (1, (1_000, None))


# Inventory


async def test_quantities_are_set_where_what_is_expected_stands(asking: Asking) -> None:
    answer = await asking.set("a", quantity("1", 7, 5), quantity("2", 0, None))
    assert answer["userErrors"] == []
    assert [one["delta"] for one in answer["inventoryAdjustmentGroup"]["changes"]] == [2, -3]
    assert asking.shop.selling.levels == {"1": 7, "2": 0}


async def test_one_that_is_stale_keeps_all_of_its_call_from_being_applied(asking: Asking) -> None:
    asking.shop.selling.sell({"1": 1})
    answer = await asking.set("a", quantity("2", 9, 3), quantity("1", 7, 5))
    (error,) = answer["userErrors"]
    assert error["field"] == ["input", "quantities", "1", "changeFromQuantity"]
    assert error["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert asking.shop.selling.levels == {"1": 4, "2": 3}


async def test_a_key_has_one_effect_and_one_body(asking: Asking) -> None:
    first = await asking.set("a", quantity("1", 7, 5))
    asking.shop.selling.sell({"1": 2})
    assert await asking.set("a", quantity("1", 7, 5)) == first
    assert asking.shop.selling.levels["1"] == 5
    assert await asking.codes("a", quantity("1", 8, 5)) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert await asking.codes("b", quantity("1", 8, 1)) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert await asking.codes("b", quantity("1", 8, 1)) == ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]


async def test_a_key_in_flight_is_not_taken_twice(asking: Asking) -> None:
    asking.shop.faults = Faults(late_apply_s=PATIENCE_S)
    first = asyncio.create_task(asking.codes("a", quantity("1", 7, 5)))

    async def asked() -> bool:
        return asking.shop.requests["inventorySetQuantities"] == 1

    await wait_until(asked)
    assert await asking.codes("a", quantity("1", 7, 5)) == ["IDEMPOTENCY_CONCURRENT_REQUEST"]
    first.cancel()


async def test_a_call_without_a_key_or_without_what_it_expects_is_refused(asking: Asking) -> None:
    bare = SET.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    assert await asking.code(bare, input=input_of(quantity("1", 7, 5))) == "BAD_REQUEST"
    assert await asking.code(SET, input=input_of(quantity("1", 7, 5)), key="  ") == "BAD_REQUEST"
    without = {name: value for name, value in quantity("1", 7).items() if name != "changeFromQuantity"}
    assert await asking.code(SET, input=input_of(without), key="a") == "INVALID_FIELD_ARGUMENTS"
    assert broken(asking) == {"idempotent": 1, "blank-key": 1, "change-from-missing": 1}


async def test_at_most_250_a_call(asking: Asking) -> None:
    for number in range(3, 254):
        asking.shop.offer({"id": str(number), "title": "Mug", "quantity": 1})
    many = [quantity(str(number), 2, 1) for number in range(3, 254)]
    assert await asking.codes("a", *many[:250]) == []
    assert await asking.code(SET, input=input_of(*many), key="b") == "MAX_INPUT_SIZE_EXCEEDED"


@pytest.mark.parametrize(
    ("wrong", "more", "field", "code"),
    [
        (quantity("77", 1), {}, "quantities/0/inventoryItemId", "INVALID_INVENTORY_ITEM"),
        (quantity("1", 1, location=gid("Location", 7)), {}, "quantities/0/locationId", "INVALID_LOCATION"),
        (quantity("1", 10**9 + 1), {}, "quantities/0/quantity", "INVALID_QUANTITY_TOO_HIGH"),
        (quantity("1", -(10**9) - 1), {}, "quantities/0/quantity", "INVALID_QUANTITY_TOO_LOW"),
        (quantity("1", 1), {"name": "reserved"}, "name", "INVALID_NAME"),
        (quantity("1", 1), {"reason": "because"}, "reason", "INVALID_REASON"),
    ],
)
async def test_what_is_wrong_is_named(
    asking: Asking, wrong: dict[str, Any], more: dict[str, str], field: str, code: str
) -> None:
    (error,) = (await asking.set("a", wrong, **more))["userErrors"]
    assert ("/".join(error["field"]), error["code"]) == (f"input/{field}", code)


async def test_an_item_twice_is_refused_and_one_that_is_not_stocked_passed_over(asking: Asking) -> None:
    twice = await asking.codes("a", quantity("1", 1), quantity("1", 2))
    assert twice == ["NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"]
    asking.shop.offer({"id": "3@7", "title": "Mug", "quantity": 1})
    answer = await asking.set("b", quantity("3", 4))
    assert answer == {"inventoryAdjustmentGroup": None, "userErrors": []}
    assert asking.shop.selling.levels["3@7"] == 1


# Orders


async def test_an_order_tells_what_it_has_become(asking: Asking) -> None:
    selling = asking.shop.selling
    order = selling.sell({"1": 4}, paid=False)
    selling.edit(order.id, {"1": 3, "2": 1})
    selling.pay(order.id)
    selling.refund(order.id, {"1": 1}, restock=False)
    (told,) = (await asking.ask(ORDERS, first=10, query=ALL))["data"]["orders"]["nodes"]
    assert told["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert [(one["quantity"], one["currentQuantity"]) for one in told["lineItems"]["nodes"]] == [(4, 2), (1, 1)]
    (refund,) = told["refunds"]
    line = {"quantity": 1, "restocked": False, "restockType": "NO_RESTOCK"}
    assert refund["refundLineItems"]["nodes"] == [line]
    selling.cancel(order.id)
    (told,) = (await asking.ask(ORDERS, first=10, query=ALL))["data"]["orders"]["nodes"]
    assert told["cancelledAt"] is not None
    assert [one["currentQuantity"] for one in told["lineItems"]["nodes"]] == [0, 0]


# Webhooks


async def test_subscriptions_are_made_listed_and_deleted_once(asking: Asking) -> None:
    webhook = {"uri": "https://shop.example/notices", "format": "JSON"}
    made = (await asking.ask(CREATE, topic="ORDERS_CREATE", webhook=webhook))["data"]["webhookSubscriptionCreate"]
    assert made["webhookSubscription"]["topic"] == "ORDERS_CREATE"
    assert await refusal(asking, webhook) == "Address for this topic has already been taken"
    listed = await asking.ask("{ webhookSubscriptions(first: 10) { nodes { id topic uri } } }")
    assert listed["data"]["webhookSubscriptions"]["nodes"] == [made["webhookSubscription"]]
    for errors in ([], [{"field": ["id"], "message": "Webhook subscription does not exist"}]):
        gone = await asking.ask(DELETE, id=made["webhookSubscription"]["id"])
        assert gone["data"]["webhookSubscriptionDelete"]["userErrors"] == errors


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("ftp://shop.example/notices", "Address protocol ftp:// is not supported"),
        ("https://", "Address is invalid"),
        ("http://shop.example/notices", "Address is invalid"),
    ],
)
async def test_notices_go_to_https_only(asking: Asking, uri: str, message: str) -> None:
    assert await refusal(asking, {"uri": uri}) == message
    assert broken(asking) == {"subscription-address": 1}


async def test_notices_are_signed_over_their_body_and_keep_their_id() -> None:
    one, other = (Subscription(number, frozenset({"orders/create"}), "") for number in "12")
    notice = Notice("event", "orders/create", b'{"id": 1}', 1_796_000_000.5)
    headers = payloads.headers(one, notice)
    signed = base64.b64encode(hmac.new(CLIENT_SECRET.encode(), b'{"id": 1}', hashlib.sha256).digest()).decode()
    assert headers["X-Shopify-Hmac-SHA256"] == signed
    assert headers["X-Shopify-Triggered-At"].startswith("2026-11-30T00:53:20.")
    assert payloads.headers(one, notice) == headers
    assert payloads.headers(other, notice)["X-Shopify-Webhook-Id"] != headers["X-Shopify-Webhook-Id"]


def test_shopify_loses_patience_within_four_hours() -> None:
    assert len(PATIENCE.waits_s) == PATIENCE.failures == 8
    assert 3.9 * 3600 < sum(PATIENCE.waits_s) < 4 * 3600


def test_no_rule_is_written_down_twice_and_each_names_its_page_or_none() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert not [rule for rule in RULES if rule.source and not rule.source.startswith(("https://", "@shopify/dev-mcp"))]


async def refusal(asking: Asking, webhook: dict[str, str]) -> str:
    answer = await asking.ask(CREATE, topic="ORDERS_CREATE", webhook=webhook)
    (error,) = answer["data"]["webhookSubscriptionCreate"]["userErrors"]
    return str(error["message"])


def input_of(*quantities: dict[str, Any]) -> dict[str, Any]:
    return {"name": "available", "reason": "correction", "quantities": quantities}


def cost_of(answer: dict[str, Any]) -> tuple[int, int | None]:
    cost = answer["extensions"]["cost"]
    return cost["requestedQueryCost"], cost["actualQueryCost"]
