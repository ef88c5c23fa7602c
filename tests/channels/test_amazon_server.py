"""What our Amazon does with requests that keep to its rules."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from tests.channels.amazon.caller import (
    Caller,
    ago,
    availability,
    caller,
    content_of,
    message,
)
from tests.channels.amazon.catalogue import MARKETPLACE, SELLER
from tests.channels.amazon.market import FEEDS, LISTINGS, ORDERS
from tests.channels.shared.faults import Faults
from tests.harness.waiting import wait_until
from tests.simulation.loop import on_virtual_clock

# Who keeps to the rules


@on_virtual_clock
async def test_a_patch_that_is_accepted_is_applied_later_and_read_then() -> None:
    call = caller()
    call.market.faults = Faults(late_apply_s=0.2)
    answer = (await call.patch(availability(4))).json()
    assert (answer["sku"], answer["status"], answer["issues"]) == ("mug", "ACCEPTED", [])
    assert call.market.selling.levels["mug"] == 10

    async def applied() -> bool:
        item = (await call.item(includedData="fulfillmentAvailability")).json()
        return bool(item["fulfillmentAvailability"] == [{"fulfillmentChannelCode": "DEFAULT", "quantity": 4}])

    await wait_until(applied)
    assert not call.broken


@on_virtual_clock
async def test_merge_leaves_what_it_does_not_name_and_replace_does_not() -> None:
    call = caller()

    async def attributes() -> Any:
        return (await call.item(includedData="attributes")).json()["attributes"]["fulfillment_availability"][0]

    await call.patch(availability(4))
    await wait_until(lambda: _level(call, 4))
    assert (await attributes())["lead_time_to_ship_max_days"] == 3
    await call.patch(availability(5, "replace"))
    await wait_until(lambda: _level(call, 5))
    assert "lead_time_to_ship_max_days" not in await attributes()


@on_virtual_clock
async def test_patches_are_applied_as_they_were_accepted_and_over_sales_in_between() -> None:
    call = caller()
    call.market.faults = Faults(late_apply_s=0.3)
    await call.patch(availability(5))
    call.market.faults = Faults()
    await call.patch(availability(7))
    call.market.selling.sell({"mug": 2})
    await wait_until(lambda: _level(call, 7))
    caused = [(one.cause, one.after) for one in call.market.selling.moved if one.id == "mug"]
    assert caused == [("offered", 10), ("sold", 8), ("set", 5), ("set", 7)]


@on_virtual_clock
async def test_a_preview_changes_nothing() -> None:
    call = caller()
    path = f"{LISTINGS}/{SELLER}/mug"
    params = {"marketplaceIds": MARKETPLACE, "mode": "VALIDATION_PREVIEW"}
    body = {"productType": "PRODUCT", "patches": [availability(4)]}
    answer = await call.ask("PATCH", path, params=params, json=body)
    assert answer.json()["status"] == "VALID"
    await call.patch(availability(6))
    await wait_until(lambda: _level(call, 6))
    assert [one.after for one in call.market.selling.moved if one.cause == "set"] == [6]


@on_virtual_clock
async def test_what_fails_after_it_was_accepted_says_so_in_its_issues() -> None:
    call = caller()
    call.market.offer({"id": "odd", "title": "Odd", "quantity": 3, "fails": "the listing is suppressed"})
    assert (await call.patch(availability(1), sku="odd")).json()["status"] == "ACCEPTED"

    async def issues() -> Any:
        return (await call.item("odd", includedData="issues,fulfillmentAvailability")).json()["issues"]

    (issue,) = await wait_until(issues)
    assert (issue["severity"], issue["message"]) == ("ERROR", "the listing is suppressed")
    assert call.market.selling.levels["odd"] == 3


@on_virtual_clock
async def test_listings_are_paged_through_and_no_more_than_a_thousand_of_them() -> None:
    call = caller()
    for number in range(1010):
        call.market.offer({"id": f"s{number:04d}", "title": "T", "quantity": number, "created_at": 1000.0 + number})
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = (await call.search(pageSize=20, sortBy="createdDate", sortOrder="ASC", **more)).json()
        found += [one["sku"] for one in page["items"]]
        if "nextToken" not in page["pagination"]:
            break
        more = {"pageToken": page["pagination"]["nextToken"]}
    assert found == [f"s{number:04d}" for number in range(1000)]
    last = datetime.fromtimestamp(1999, UTC).isoformat()
    rest = (await call.search(pageSize=20, sortBy="createdDate", sortOrder="ASC", createdAfter=last)).json()["items"]
    assert [one["sku"] for one in rest] == [
        *(f"s{number:04d}" for number in range(999, 1010)),
        "mug",
        "own",
        "lacking",
        "c#",
    ]
    assert not call.broken


@on_virtual_clock
async def test_a_comma_in_a_sku_is_taken_for_the_end_of_it() -> None:
    call = caller()
    call.market.offer({"id": "a,b", "title": "Two", "quantity": 1})
    assert (await call.search(identifiers="mug,own", identifiersType="SKU")).json()["numberOfResults"] == 2
    assert not call.broken
    assert (await call.search(identifiers="a,b", identifiersType="SKU")).json()["items"] == []
    assert call.broken == {"search.comma"}
    assert (await call.item("a,b")).json()["sku"] == "a,b"


@on_virtual_clock
async def test_a_feed_waits_is_processed_and_has_a_report() -> None:
    call = caller(queue_s=0.3)
    made = await call.feed(await call.document(content_of(message(4), message(5, "lacking", 2))))
    assert made.status_code == 202
    assert (await call.ask("GET", f"{FEEDS}/feeds/{made.json()['feedId']}")).json()["processingStatus"] == "IN_QUEUE"
    feed = await call.done(made.json()["feedId"])
    assert (feed.status, call.market.selling.levels["mug"]) == ("DONE", 4)
    assert feed.report is not None
    document = (await call.ask("GET", f"{FEEDS}/documents/{feed.report.id}")).json()
    report = (await call.http.get(document["url"])).json()
    assert report["summary"] == {
        "errors": 1,
        "warnings": 0,
        "messagesProcessed": 2,
        "messagesAccepted": 1,
        "messagesInvalid": 1,
    }
    assert [(one["messageId"], one["sku"], one["message"]) for one in report["issues"]] == [
        (2, "lacking", "'brand' is required")
    ]


@on_virtual_clock
async def test_feeds_are_processed_one_after_the_other_and_over_a_newer_patch() -> None:
    call = caller(queue_s=0.2)
    first = (await call.feed(await call.document(content_of(message(3))))).json()["feedId"]
    second = (await call.feed(await call.document(content_of(message(4))))).json()["feedId"]
    await call.patch(availability(1))
    await call.done(first)
    await call.done(second)
    assert [one.after for one in call.market.selling.moved if one.cause == "set"] == [1, 3, 4]


@on_virtual_clock
async def test_a_feed_in_the_queue_is_cancelled_and_the_next_one_goes_on() -> None:
    call = caller(queue_s=0.2)
    first = (await call.feed(await call.document(content_of(message(3))))).json()["feedId"]
    second = (await call.feed(await call.document(content_of(message(4))))).json()["feedId"]
    assert (await call.ask("DELETE", f"{FEEDS}/feeds/{first}")).status_code == 200
    assert (await call.done(first)).status == "CANCELLED"
    assert (await call.done(second)).status == "DONE"
    assert [one.after for one in call.market.selling.moved if one.cause == "set"] == [4]


@on_virtual_clock
async def test_orders_are_searched_in_pages_the_newest_change_first_and_up_to_two_minutes_ago() -> None:
    call = caller()
    selling = call.market.selling
    placed = [selling.sell({"mug": 1}, paid=paid).id for paid in (True, False, True)]
    selling.cancel(placed[0])
    since = ago(60)
    asked = {"lastUpdatedAfter": since, "maxResultsPerPage": 2, "includedData": "FULFILLMENT"}

    async def all_there() -> Any:
        page = (await call.orders(**asked)).json()
        return page if len(page["orders"]) == 2 and "pagination" in page else None

    page = await wait_until(all_there)
    token = page["pagination"]["nextToken"]
    rest = (await call.orders(**asked, paginationToken=token)).json()
    seen = [
        (one["orderId"], one["fulfillment"]["fulfillmentStatus"], one["orderItems"][0]["quantityOrdered"])
        for one in page["orders"] + rest["orders"]
    ]
    assert seen == [(placed[0], "CANCELLED", 0), (placed[2], "UNSHIPPED", 1), (placed[1], "PENDING", 1)]
    assert "pagination" not in rest
    assert datetime.fromisoformat(page["lastUpdatedBefore"]) <= datetime.now(UTC)
    assert "fulfillment" not in (await call.ask("GET", f"{ORDERS}/{placed[0]}")).json()["order"]
    slow = caller(pace=1.0)
    slow.market.selling.sell({"mug": 1})
    assert (await slow.orders(lastUpdatedAfter=since)).json()["orders"] == []


@on_virtual_clock
async def test_what_was_cancelled_of_an_order_is_no_longer_ordered() -> None:
    call = caller()
    order = call.market.selling.sell({"mug": 3}).id
    call.market.selling.edit(order, {"mug": 2})
    call.market.selling.refund(order, {"mug": 1})
    seen = (await call.ask("GET", f"{ORDERS}/{order}")).json()["order"]
    assert [(one["product"]["sellerSku"], one["quantityOrdered"]) for one in seen["orderItems"]] == [("mug", 1)]


async def _level(call: Caller, quantity: int) -> bool:
    await asyncio.sleep(0)
    return call.market.selling.levels["mug"] == quantity
