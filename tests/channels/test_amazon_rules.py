"""Each rule of our Amazon, broken: a server that let pass what Amazon refuses would let the adapter do it."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.channels.amazon.caller import AVAILABILITY, Caller, ago, availability, caller, message
from tests.channels.amazon.catalogue import MARKETPLACE, SELLER
from tests.channels.amazon.feeds import MESSAGES_MAX
from tests.channels.amazon.market import DESTINATIONS, FEEDS, LISTINGS, ORDERS
from tests.channels.amazon.quotas import LISTINGS_FEEDS, PLANS, Buckets
from tests.channels.amazon.rules import RULES
from tests.channels.shared.faults import Faults
from tests.harness.waiting import wait_until

BEHAVIOUR = {
    "patch.late",
    "patch.order",
    "patch.absolute",
    "search.thousand",
    "search.comma",
    "feed.queue",
    "feed.overtaken",
    "feed.too_large",
    "orders.pending",
    "orders.newest",
    "orders.lines",
    "notices.time",
    "notices.again",
}
"""Rules that say what happens: nobody can break them, and each has a test of its own here or beside the clients."""


# Who breaks them


async def patched_elsewhere(call: Caller) -> httpx.Response:
    return await call.ask("PATCH", f"{LISTINGS}/A2/mug", params={"marketplaceIds": MARKETPLACE}, json={})


async def searched_twice(call: Caller) -> httpx.Response:
    page = (await call.search(pageSize=1)).json()
    return await call.search(pageSize=2, pageToken=page["pagination"]["nextToken"])


async def expired(_: Caller) -> httpx.Response:
    call = caller(token_s=-1)
    answer = await call.search()
    _.market.rules.broken.update(call.broken)
    return answer


async def uploaded_as_text(call: Caller) -> httpx.Response:
    made = (await call.ask("POST", f"{FEEDS}/documents", json={"contentType": "application/json"})).json()
    return await call.http.put(made["url"], content=b"{}", headers={"content-type": "text/plain"})


async def cancelled_late(call: Caller) -> httpx.Response:
    feed = await call.fed(message(3))
    return await call.ask("DELETE", f"{FEEDS}/feeds/{feed.id}")


async def listed_with_token_and_more(call: Caller) -> httpx.Response:
    document = await call.document()
    for _ in range(2):
        await call.feed(document)
    token = (await call.feeds(feedTypes=FEED, pageSize=1)).json()["nextToken"]
    return await call.feeds(feedTypes=FEED, nextToken=token)


async def subscribed_twice(call: Caller) -> httpx.Response:
    await call.destination()
    await call.subscribe()
    return await call.subscribe()


async def destined_twice(call: Caller) -> httpx.Response:
    await call.destination()
    return await call.destination()


async def fed_too_much(call: Caller) -> httpx.Response:
    feed = await call.fed(*(message(1, number=number) for number in range(1, MESSAGES_MAX + 2)))
    assert (feed.status, call.market.selling.levels["mug"]) == ("FATAL", 10)
    return httpx.Response(200)


async def fed_twice_the_same_id(call: Caller) -> httpx.Response:
    assert (await call.fed(message(1), message(2))).status == "FATAL"
    return httpx.Response(200)


async def with_old_token(call: Caller) -> httpx.Response:
    since = ago(60)
    call.market.selling.sell({"mug": 1})
    call.market.selling.sell({"mug": 1})

    async def first() -> Any:
        return (await call.orders(lastUpdatedAfter=since, maxResultsPerPage=1)).json().get("pagination")

    token = (await wait_until(first))["nextToken"]
    return await call.orders(lastUpdatedAfter=ago(30), maxResultsPerPage=1, paginationToken=token)


async def too_often(_: Caller) -> httpx.Response:
    call = caller(pace=1e-6)
    answers = [await call.patch(availability(4)) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert (call.market.throttled, call.market.requests["patchListingsItem"]) == (1, 6)
    assert float(answers[0].headers["x-amzn-RateLimit-Limit"]) == PLANS["patchListingsItem"][0] * 1e-6
    assert answers[5].json() == {
        "errors": [
            {"code": "QuotaExceeded", "message": "You exceeded your quota for the requested resource.", "details": ""}
        ]
    }
    _.market.rules.broken.update(call.broken)
    return answers[5]


async def too_many_feeds(_: Caller) -> httpx.Response:
    call = caller(pace=1e-6)
    document = await call.document()
    answers = [await call.feed(document) for _ in range(6)]
    assert [one.status_code for one in answers] == [202] * 5 + [429]
    _.market.rules.broken.update(call.broken)
    return answers[5]


Break = Callable[[Caller], Awaitable[httpx.Response]]
TOKEN = {"x-amz-access-token": ""}
FEED = "JSON_LISTINGS_FEED"
IDENTIFIERS = ",".join(f"s{number}" for number in range(21))
BROKEN: list[tuple[str, int, Break]] = [
    ("login.form", 400, lambda c: c.http.post("/auth/o2/token", json={})),
    ("login.grant", 400, lambda c: c.login(grant_type="password")),
    ("login.client", 401, lambda c: c.login(client_secret="other")),
    ("login.refresh", 400, lambda c: c.login(refresh_token="Atzr|other")),
    ("login.scope", 400, lambda c: c.login(grant_type="client_credentials", scope="profile")),
    ("token.missing", 403, lambda c: c.ask("GET", f"{LISTINGS}/{SELLER}", headers=TOKEN)),
    ("token.invalid", 403, lambda c: c.ask("GET", f"{LISTINGS}/{SELLER}", headers={"x-amz-access-token": "Atza|x"})),
    ("token.expired", 403, expired),
    ("token.grantless", 403, lambda c: c.ask("GET", DESTINATIONS)),
    ("token.grantless", 403, lambda c: c.ask("GET", f"{LISTINGS}/{SELLER}", grantless=True)),
    ("quota", 429, too_often),
    ("quota.feed", 429, too_many_feeds),
    ("seller", 400, patched_elsewhere),
    ("seller", 400, lambda c: c.search(marketplaceIds=f"{MARKETPLACE},A2EUQ1WTGCTBG2")),
    ("seller", 400, lambda c: c.ask("GET", f"{LISTINGS}/{SELLER}")),
    ("sku.encoded", 403, lambda c: c.ask("GET", f"{LISTINGS}/{SELLER}/a/b", params={"marketplaceIds": MARKETPLACE})),
    ("sku.forbidden", 403, lambda c: c.patch(availability(4), sku="c#")),
    ("sku.unknown", 404, lambda c: c.item("nothing")),
    ("patch.unknown", 200, lambda c: c.patch(availability(4), sku="nothing")),
    ("patch.body", 400, lambda c: c.patch()),
    ("patch.body", 400, lambda c: c.patch(availability(4), productType="")),
    ("patch.body", 400, lambda c: c.patch({**availability(4), "op": "move"})),
    ("patch.body", 400, lambda c: c.patch({"op": "merge", "path": AVAILABILITY, "value": {"quantity": 2}})),
    ("patch.path", 400, lambda c: c.patch({**availability(4), "path": f"{AVAILABILITY}/0/quantity"})),
    ("patch.selector", 200, lambda c: c.patch(availability(4, fulfillment_channel_code=""))),
    ("patch.quantity", 200, lambda c: c.patch(availability(-1))),
    ("patch.quantity", 200, lambda c: c.patch(availability("4"))),
    ("patch.channel", 200, lambda c: c.patch(availability(4), sku="own")),
    ("patch.refused", 200, lambda c: c.patch(availability(4), sku="lacking")),
    ("search.page", 400, lambda c: c.search(pageSize=21)),
    ("search.identifiers", 400, lambda c: c.search(identifiers="mug")),
    ("search.identifiers", 400, lambda c: c.search(identifiers=IDENTIFIERS, identifiersType="SKU")),
    ("search.parameters", 400, lambda c: c.search(sortBy="quantity")),
    ("search.parameters", 400, lambda c: c.search(createdAfter="yesterday")),
    ("search.parameters", 400, searched_twice),
    ("feed.upload", 403, uploaded_as_text),
    ("feed.document", 400, lambda c: c.feed("amzn1.tortuga.4.none")),
    ("feed.messages", 200, fed_too_much),
    ("feed.schema", 200, fed_twice_the_same_id),
    ("feeds.types", 400, lambda c: c.feeds()),
    ("feeds.types", 400, lambda c: c.feeds(feedTypes=",".join(f"T{number}" for number in range(11)))),
    ("feeds.filters", 400, lambda c: c.feeds(feedTypes=FEED, processingStatuses="WAITING")),
    ("feeds.filters", 400, lambda c: c.feeds(feedTypes=FEED, createdSince="yesterday")),
    ("feeds.filters", 400, lambda c: c.feeds(feedTypes=FEED, marketplaceIds="")),
    ("feeds.page", 400, lambda c: c.feeds(feedTypes=FEED, pageSize=101)),
    ("feeds.token", 400, lambda c: c.feeds(nextToken="none")),
    ("feeds.token", 400, listed_with_token_and_more),
    ("feed.cancel", 400, cancelled_late),
    ("orders.after", 400, lambda c: c.orders()),
    ("orders.after", 400, lambda c: c.orders(createdAfter=ago(9), lastUpdatedAfter=ago(9))),
    ("orders.after", 400, lambda c: c.orders(lastUpdatedAfter=ago(9), createdBefore=ago(1))),
    ("orders.after", 400, lambda c: c.orders(lastUpdatedAfter="now")),
    ("orders.before", 400, lambda c: c.orders(lastUpdatedAfter=ago(9), lastUpdatedBefore=ago(-60))),
    ("orders.page", 400, lambda c: c.orders(lastUpdatedAfter=ago(9), maxResultsPerPage=101)),
    ("orders.token", 400, with_old_token),
    ("orders.unknown", 404, lambda c: c.ask("GET", f"{ORDERS}/902-0000000-0000000")),
    ("notices.destination", 400, lambda c: c.destination("arn:aws:sns:us-east-1:123456789012:orders")),
    ("notices.destination", 409, destined_twice),
    ("notices.subscription", 400, lambda c: c.subscribe(destination="none")),
    ("notices.subscription", 409, subscribed_twice),
    ("notices.type", 400, lambda c: c.subscribe("ANY_OFFER_CHANGED")),
]


@pytest.mark.parametrize(("rule", "status", "breaks"), BROKEN, ids=[f"{one[0]}-{n}" for n, one in enumerate(BROKEN)])
async def test_whoever_breaks_a_rule_is_refused_as_amazon_does(rule: str, status: int, breaks: Break) -> None:
    call = caller()
    answer = await breaks(call)
    assert (answer.status_code, call.broken) == (status, {rule})
    told = answer.json() if answer.headers.get("content-type") == "application/json" else {}
    assert rule.startswith("login.") is ("error_description" in told)
    if status == 200 and told and rule != "patch.unknown":
        assert (told["status"], [one["severity"] for one in told["issues"]]) == ("INVALID", ["ERROR"])


def test_every_rule_is_broken_by_somebody_or_shown() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert {one[0] for one in BROKEN} | BEHAVIOUR == set(ids)


async def test_who_took_the_authorization_back_is_neither_served_nor_given_a_token() -> None:
    call = caller()
    assert (await call.search()).status_code == 200
    call.market.faults = Faults(token_revoked=True)
    assert (await call.search()).status_code == 403
    assert (await call.login()).json()["error"] == "invalid_grant"
    assert call.broken == {"token.invalid", "login.refresh"}


def test_a_bucket_holds_its_burst_and_fills_at_its_rate() -> None:
    now = [0.0]
    buckets = Buckets(1.0, lambda: now[0])
    assert [buckets.take("searchOrders") for _ in range(21)] == [True] * 20 + [False]
    now[0] = 0.99 / PLANS["searchOrders"][0]
    assert not buckets.take("searchOrders")
    now[0] = 1.01 / PLANS["searchOrders"][0]
    assert [buckets.take("searchOrders") for _ in range(2)] == [True, False]
    now[0] += 1e6
    assert [buckets.take("feeds", LISTINGS_FEEDS) for _ in range(6)] == [True] * 5 + [False]
    now[0] += 61
    assert [buckets.take("feeds", LISTINGS_FEEDS) for _ in range(2)] == [True, False]


async def test_feeds_are_listed_by_status_and_time_page_by_page() -> None:
    call = caller(queue_s=3600.0)
    since, document = ago(60), await call.document()
    made = [(await call.feed(document)).json()["feedId"] for _ in range(3)]
    await call.ask("DELETE", f"{FEEDS}/feeds/{made[1]}")
    asked = {"feedTypes": f"{FEED},OTHER", "marketplaceIds": MARKETPLACE, "createdSince": since}
    first = (await call.feeds(**asked, processingStatuses="IN_QUEUE,IN_PROGRESS", pageSize=1)).json()
    rest = (await call.feeds(nextToken=first["nextToken"])).json()
    assert [one["feedId"] for one in first["feeds"] + rest["feeds"]] == [made[2], made[0]]
    assert {one["processingStatus"] for one in rest["feeds"]} == {"IN_QUEUE"}
    assert "nextToken" not in rest
    ended = (await call.feeds(feedTypes=FEED, processingStatuses="CANCELLED")).json()["feeds"]
    assert [one["feedId"] for one in ended] == [made[1]]
    assert (await call.feeds(feedTypes=FEED, createdUntil=since)).json() == {"feeds": []}
    assert (await call.feeds(feedTypes="OTHER")).json() == {"feeds": []}
    assert (await call.feeds(feedTypes=FEED, marketplaceIds="A2EUQ1WTGCTBG2")).json() == {"feeds": []}
    assert not call.broken


async def test_an_upload_after_its_five_minutes_is_refused() -> None:
    call = caller()
    made = (await call.ask("POST", f"{FEEDS}/documents", json={"contentType": "application/json"})).json()
    call.market._feeds.documents[made["feedDocumentId"]].created_at = time.time() - 301
    answer = await call.http.put(made["url"], content=b"{}", headers={"content-type": "application/json"})
    assert (answer.status_code, call.broken) == (403, {"feed.upload"})
