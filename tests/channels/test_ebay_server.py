"""Each rule of eBay's that a caller can break, broken, and what keeps to all of them: the server is as strict as it
says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.channels.ebay.asking import (
    APPLICATION,
    BASIC,
    ITEMS,
    NOTICES,
    ORDERS,
    REFRESH,
    SUBSCRIBED,
    Ask,
    Asker,
    asker,
    destination,
    error_ids,
    notices,
)
from tests.channels.ebay.listings import REVISIONS_A_DAY, Listings
from tests.channels.ebay.rules import RULES
from tests.channels.shared.faults import Faults
from tests.channels.shared.selling import Selling
from tests.harness.waiting import wait_until

WHEN = "%Y-%m-%dT%H:%M:%S.000Z"


def asks(method: str, path: str, body: object = None) -> Ask:
    return lambda at: at.ask(method, path, body)


def grants(**form: str) -> Ask:
    return lambda at: at.token(form)


def bears(**headers: str) -> Ask:
    return lambda at: at.ask("GET", f"{ITEMS}/inventory_item", headers=headers)


def updates(*nodes: dict[str, Any]) -> Ask:
    return lambda at: at.bulk(*nodes)


def finds(given: str) -> Ask:
    return asks("GET", f"{ORDERS}/order?filter={given}")


def ship(sku: str | None, quantity: object = 1, **more: object) -> dict[str, Any]:
    named = {} if sku is None else {"sku": sku}
    return {**named, "shipToLocationAvailability": {"quantity": quantity}, **more}


async def with_application(at: Asker) -> httpx.Response:
    return await at.ask("GET", f"{ITEMS}/inventory_item", headers=await at.bearer(APPLICATION))


async def offer_of_another(at: Asker) -> httpx.Response:
    return await at.bulk(ship("mug", offers=[{"offerId": await at.offer_of("cap"), "availableQuantity": 1}]))


async def offer_twice(at: Asker) -> httpx.Response:
    offer = {"offerId": await at.offer_of("mug"), "availableQuantity": 1}
    return await at.bulk(ship("mug", offers=[offer, offer]))


async def unpublished(at: Asker) -> httpx.Response:
    return await at.bulk(await at.node("scarf", 2))


async def not_json(at: Asker) -> httpx.Response:
    headers = {**await at.bearer(), "Content-Type": "text/plain"}
    return await at.http.post(f"{ITEMS}/bulk_update_price_quantity", content=b"{}", headers=headers)


async def without_config(at: Asker) -> httpx.Response:
    return await at.ask("POST", f"{NOTICES}/destination", {}, await at.bearer(APPLICATION))


def of_day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime(WHEN)


MANY = [ship(f"sku-{number}") for number in range(26)]
OFFERS = [{"offerId": str(number), "availableQuantity": 1} for number in range(26)]
BROKEN: list[tuple[str, Ask, int, int | str]] = [
    ("oauth.client", lambda at: at.token(REFRESH, {"Authorization": "Basic bm9ib2R5Og=="}), 401, "invalid_client"),
    (
        "oauth.form",
        lambda at: at.http.post("/identity/v1/oauth2/token", json={}, headers=BASIC),
        400,
        "invalid_request",
    ),
    ("oauth.grant", grants(grant_type="refresh_token", refresh_token="another"), 400, "invalid_grant"),
    ("oauth.kind", grants(grant_type="password"), 400, "unsupported_grant_type"),
    (
        "oauth.scope",
        grants(**REFRESH, scope="https://api.ebay.com/oauth/api_scope/sell.finances"),
        400,
        "invalid_scope",
    ),
    ("auth.missing", bears(), 400, 1002),
    ("auth.scheme", bears(Authorization="Basic abc"), 400, 1003),
    ("auth.token", bears(Authorization="Bearer of-nobody"), 401, 1001),
    ("auth.scope", with_application, 403, 1100),
    ("json", not_json, 400, 2004),
    ("bulk.most", updates(*MANY), 400, 25709),
    ("bulk.offers", updates(ship("mug", offers=OFFERS)), 207, 25709),
    ("bulk.sku", updates(ship(None)), 207, 25709),
    ("bulk.sku", updates(ship("nothing")), 207, 25702),
    ("bulk.offer", updates({"offers": [{"offerId": "1", "availableQuantity": 1}]}), 207, 25713),
    ("bulk.offer", unpublished, 207, 25713),
    ("bulk.twice", offer_twice, 207, 25002),
    ("bulk.of_sku", offer_of_another, 207, 25002),
    ("bulk.quantity", updates(ship("mug", -1)), 207, 25709),
    ("bulk.quantity", updates(ship("mug", "3")), 207, 25709),
    ("items.limit", asks("GET", f"{ITEMS}/inventory_item?limit=201"), 400, 25709),
    ("items.limit", asks("GET", f"{ITEMS}/inventory_item?offset=-1"), 400, 25709),
    ("items.unknown", asks("GET", f"{ITEMS}/inventory_item/nothing"), 404, 25710),
    ("items.most", asks("POST", f"{ITEMS}/bulk_get_inventory_item", {"requests": MANY}), 400, 25727),
    ("items.twice", asks("POST", f"{ITEMS}/bulk_get_inventory_item", {"requests": [{"sku": "mug"}] * 2}), 400, 25734),
    ("offers.sku", asks("GET", f"{ITEMS}/offer"), 400, 25707),
    ("offers.none", asks("GET", f"{ITEMS}/offer?sku=nothing"), 404, 25713),
    ("orders.filter", finds("state:[1..2]"), 400, 30700),
    ("orders.value", finds("lastmodifieddate:today"), 400, 30800),
    ("orders.value", finds("orderfulfillmentstatus:{FULFILLED}"), 400, 30800),
    ("orders.date", finds("lastmodifieddate:[2026-01-01..]"), 400, 30810),
    ("orders.date", finds("lastmodifieddate:[..2026-01-01T00:00:00Z]"), 400, 30820),
    ("orders.range", lambda at: finds(f"lastmodifieddate:[{of_day(-800)}..]")(at), 400, 30830),
    ("orders.range", lambda at: finds(f"lastmodifieddate:[{of_day(-1)}..{of_day(-2)}]")(at), 400, 30840),
    ("orders.range", lambda at: finds(f"lastmodifieddate:[{of_day(-1)}..{of_day(1)}]")(at), 400, 30850),
    ("orders.ids", asks("GET", f"{ORDERS}/order?orderIds={','.join(map(str, range(51)))}"), 400, 30900),
    ("orders.page", asks("GET", f"{ORDERS}/order?limit=201"), 400, 31100),
    ("orders.page", asks("GET", f"{ORDERS}/order?offset=a"), 400, 31000),
    ("orders.unknown", asks("GET", f"{ORDERS}/order/nothing"), 404, 32100),
    ("notices.config", without_config, 409, 195003),
    ("notices.email", notices("PUT", "config", {"alertEmail": "nobody"}), 400, 195025),
    ("notices.token", notices("POST", "destination", destination("http://127.0.0.1:1", token="short")), 400, 195019),
    ("notices.challenge", notices("POST", "destination", destination("http://127.0.0.1:1")), 409, 195020),
    ("notices.status", notices("POST", "destination", destination("http://127.0.0.1:1", "MARKED_DOWN")), 400, 195018),
    ("notices.destination", notices("GET", "destination/none"), 404, 195022),
    ("notices.destination", asks("POST", f"{NOTICES}/subscription", SUBSCRIBED), 400, 195007),
    ("notices.topic", notices("GET", "topic/ITEM_SOLD"), 404, 195002),
    ("notices.topic", notices("POST", "subscription", {**SUBSCRIBED, "topicId": "ITEM_SOLD"}), 400, 195027),
    ("notices.scope", notices("POST", "subscription", SUBSCRIBED), 403, 195011),
    ("notices.payload", asks("POST", f"{NOTICES}/subscription", {**SUBSCRIBED, "payload": {}}), 400, 195008),
    ("notices.subscription", notices("GET", "subscription/none"), 404, 195013),
    ("notices.limit", notices("GET", "topic?limit=9"), 400, 195004),
    ("notices.key", notices("GET", "public_key/none"), 404, 195001),
]
ELSEWHERE = {
    *("oauth.calls", "calls.day", "bulk.zero", "revisions"),
    *("notices.endpoint", "notices.twice", "notices.enabled", "notices.in_use"),
}
"""Rules with a test of their own, below."""


def test_each_rule_that_can_be_broken_is_broken_by_a_test() -> None:
    kept = {rule.id for rule in RULES if rule.id.startswith("assumed.")}
    kept |= {"tokens.life", "bulk.both", "bulk.outcomes", "listings.zero", "orders.both", "orders.cancels"}
    kept |= {"orders.unpaid", "orders.refunds", "notices.order", "notices.no_change", "notices.answers", "calls.reset"}
    kept |= {"notices.attempts", "notices.signature", "notices.key_cached", "notices.challenge_hash", "zero.control"}
    assert {rule for rule, *_ in BROKEN} | ELSEWHERE == {rule.id for rule in RULES} - kept


def test_no_rule_is_there_twice_and_each_names_its_page_or_says_that_it_is_assumed() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert {rule.id for rule in RULES if rule.source is None} == {
        *("bulk.zero", "offers.none"),
        *(rule.id for rule in RULES if rule.id.startswith("assumed.")),
    }


@pytest.mark.parametrize(("rule", "ask", "status", "error"), BROKEN)
async def test_a_broken_rule_is_counted_and_answered_in_ebays_own_shape(
    rule: str, ask: Ask, status: int, error: int | str
) -> None:
    async with asker() as at:
        answer = await ask(at)
        assert answer.status_code == status, answer.text
        if isinstance(error, str):
            assert answer.json()["error"] == error
            assert answer.json()["error_description"]
        else:
            assert set(error_ids(answer)) == {error}
        assert at.ebay.rules.broken == {rule: 1}
        assert at.ebay.selling.levels == {"mug": 5, "cap": 3, "scarf": 1}


async def test_an_error_says_who_why_and_with_which_values() -> None:
    async with asker() as at:
        (error,) = (await at.ask("GET", f"{ORDERS}/order?limit=500")).json()["errors"]
    assert error == {
        "errorId": 31100,
        "domain": "API_FULFILLMENT",
        "category": "REQUEST",
        "message": "Invalid limit",
        "longMessage": "Invalid limit 500",
        "parameters": [{"name": "limitvalue", "value": "500"}],
    }


async def test_item_and_offer_are_updated_together_and_the_smaller_of_both_is_for_sale() -> None:
    async with asker() as at:
        assert (await at.bulk(await at.node("mug", 9), ship("cap", 1))).status_code == 200
        assert at.ebay.selling.levels == {"mug": 9, "cap": 1, "scarf": 1}
        await at.bulk(ship("cap", 100))
        assert at.ebay.selling.levels["cap"] == 3, "the offer says 3"
        at.ebay.selling.sell({"mug": 9})
        offer = (await at.ask("GET", f"{ITEMS}/offer?sku=mug")).json()["offers"][0]
        item = (await at.ask("GET", f"{ITEMS}/inventory_item/mug")).json()
        assert (offer["availableQuantity"], offer["listing"]["listingStatus"]) == (0, "OUT_OF_STOCK")
        assert item["availability"]["shipToLocationAvailability"]["quantity"] == 0
        assert not at.ebay.rules.broken


async def test_each_of_a_batch_has_its_own_outcome() -> None:
    async with asker() as at:
        answer = await at.bulk(await at.node("mug", 8), ship("nothing"), ship("cap", 2))
        assert answer.status_code == 207
        assert [(one["sku"], one["statusCode"]) for one in answer.json()["responses"]] == [
            ("mug", 200),
            ("nothing", 400),
            ("cap", 200),
        ]
        assert at.ebay.selling.levels == {"mug": 8, "cap": 2, "scarf": 1}


async def test_a_listing_is_revised_250_times_a_day_and_no_more() -> None:
    async with asker() as at:
        node = await at.node("mug", 4)
        assert {(await at.bulk(node)).status_code for _ in range(REVISIONS_A_DAY)} == {200}
        assert error_ids(await at.bulk(node)) == [25019]
        assert (await at.bulk(ship("cap", 1))).status_code == 200, "another listing has its own"
        assert at.ebay.rules.broken == {"revisions": 1}


def test_the_next_day_a_listing_is_revised_again() -> None:
    days = [0]
    listings = Listings(Selling(lambda _: None, lambda _: None), lambda: days[0])
    listings.add({"id": "mug", "title": "Mug", "quantity": 5})
    (mug,) = listings
    for _ in range(REVISIONS_A_DAY):
        assert listings.revisable(mug)
        listings.revise(mug, 4, 4)
    assert not listings.revisable(mug)
    days[0] = 1
    assert listings.revisable(mug)


async def test_without_out_of_stock_control_no_published_offer_goes_to_zero() -> None:
    async with asker(out_of_stock_control=False) as at:
        assert error_ids(await at.bulk(await at.node("mug", 0))) == [25004]
        assert at.ebay.selling.levels["mug"] == 5
        assert at.ebay.rules.broken == {"bulk.zero": 1}
        assert (await at.bulk(await at.node("mug", 1))).status_code == 200


async def test_calls_of_a_day_are_counted_for_each_api_and_their_end_is_told() -> None:
    async with asker(fewer=50_000) as at:
        answers = [(await at.ask("GET", f"{ORDERS}/order")).status_code for _ in range(3)]
        assert answers == [200, 200, 429]
        assert (await at.ask("GET", f"{ITEMS}/inventory_item")).status_code == 200
        path = "/developer/analytics/v1_beta/rate_limit/?api_name=fulfillment&api_context=sell"
        (shown,) = (await at.ask("GET", path, headers=await at.bearer(APPLICATION))).json()["rateLimits"]
        (rate,) = shown["resources"][0]["rates"]
        assert (rate["limit"], rate["remaining"], rate["timeWindow"]) == (2, 0, 86_400)
        assert datetime.now(UTC) < datetime.fromisoformat(rate["reset"]) < datetime.now(UTC) + timedelta(days=1)
        assert (at.ebay.throttled, at.ebay.rules.broken) == (1, {"calls.day": 1})


async def test_tokens_of_a_day_are_counted_too() -> None:
    async with asker(fewer=1000) as at:
        answers = [await at.token(APPLICATION) for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 429]
        assert error_ids(answers[1]) == [2001]
        assert at.ebay.rules.broken == {"oauth.calls": 1}


async def test_a_token_ends_and_another_is_had_until_the_seller_revokes() -> None:
    async with asker(token_s=0.2) as at:
        given = (await at.token(REFRESH)).json()
        assert given["token_type"] == "User Access Token"
        headers = {"Authorization": f"Bearer {given['access_token']}"}

        async def has_ended() -> bool:
            return (await at.ask("GET", f"{ITEMS}/offer?sku=mug", headers=headers)).status_code == 401

        await wait_until(has_ended, what="the end of a token of 0.2 s")
        at.ebay.faults = Faults(token_revoked=True)
        assert (await at.token(REFRESH)).json()["error"] == "invalid_grant"
        assert (await at.token(APPLICATION)).json()["token_type"] == "Application Access Token"
        at.ebay.faults = Faults()
        assert (await at.token(REFRESH)).status_code == 200


async def test_items_are_read_by_pages() -> None:
    async with asker() as at:
        first = (await at.ask("GET", f"{ITEMS}/inventory_item?limit=2")).json()
        assert (first["total"], first["size"]) == (3, 2)
        second = (await at.ask("GET", first["next"])).json()
        skus = [one["sku"] for page in (first, second) for one in page["inventoryItems"]]
        assert skus == ["mug", "cap", "scarf"]
        assert "next" not in second
        some = await at.ask("POST", f"{ITEMS}/bulk_get_inventory_item", {"requests": [{"sku": "cap"}, {"sku": "none"}]})
        assert (some.status_code, [one["statusCode"] for one in some.json()["responses"]]) == (207, [200, 404])


async def test_orders_are_found_by_when_they_changed_and_say_what_became_of_them() -> None:
    async with asker() as at:
        selling, start = at.ebay.selling, of_day(-1)
        paid, unpaid = selling.sell({"mug": 2, "cap": 1}), selling.sell({"mug": 1}, paid=False)
        cancelled, refunded = selling.sell({"mug": 1}), selling.sell({"cap": 2})
        selling.cancel(cancelled.id)
        selling.refund(refunded.id, {"cap": 1}, restock=False)
        first = (await at.ask("GET", f"{ORDERS}/order?filter=lastmodifieddate:[{start}..]&limit=3")).json()
        orders = [*first["orders"], *(await at.ask("GET", first["next"])).json()["orders"]]
        shown = {
            one["orderId"]: (one["orderPaymentStatus"], one["cancelStatus"]["cancelState"], len(one["lineItems"]))
            for one in orders
        }
        assert shown == {
            paid.id: ("PAID", "NONE_REQUESTED", 2),
            unpaid.id: ("PENDING", "NONE_REQUESTED", 1),
            cancelled.id: ("FULLY_REFUNDED", "CANCELED", 1),
            refunded.id: ("PARTIALLY_REFUNDED", "NONE_REQUESTED", 1),
        }
        assert first["total"] == 4
        changed = next(one["lastModifiedDate"] for one in orders if one["orderId"] == refunded.id)
        later = (await at.ask("GET", f"{ORDERS}/order?filter=lastmodifieddate:[{changed}..]")).json()
        assert refunded.id in {one["orderId"] for one in later["orders"]}
        requests = [
            (await at.ask("GET", path)).json()
            for path in (f"{ORDERS}/order/{cancelled.id}", f"{ORDERS}/order?orderIds={cancelled.id}")
        ]
        assert [len(one["cancelStatus"]["cancelRequests"]) for one in (requests[0], *requests[1]["orders"])] == [1, 0]
        assert not at.ebay.rules.broken


async def test_what_is_to_be_applied_late_is_answered_at_once() -> None:
    async with asker() as at:
        at.ebay.faults = Faults(late_apply_s=0.2)
        assert (await at.bulk(await at.node("mug", 9))).status_code == 200
        assert at.ebay.selling.levels["mug"] == 5

        async def is_applied() -> bool:
            return at.ebay.selling.levels["mug"] == 9

        await wait_until(is_applied)
