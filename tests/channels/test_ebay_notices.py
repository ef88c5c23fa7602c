"""Notices as eBay sends them: to whom, how often, and when it gives up."""

import json

import pytest

from tests.channels.ebay.asking import APPLICATION, NOTICES, SUBSCRIBED, Asker, asker, destination, error_ids, notices
from tests.channels.ebay.endpoint import Endpoint
from tests.harness.waiting import wait_until


async def subscribe(at: Asker, endpoint: Endpoint) -> tuple[str, str]:
    """The ids of destination and subscription."""
    application = await at.bearer(APPLICATION)
    await at.ask("PUT", f"{NOTICES}/config", {"alertEmail": "us@example.com"}, application)
    made = await at.ask("POST", f"{NOTICES}/destination", destination(endpoint.url), application)
    where = made.headers["Location"].rsplit("/", 1)[1]
    done = await at.ask("POST", f"{NOTICES}/subscription", {**SUBSCRIBED, "destinationId": where})
    return where, done.headers["Location"].rsplit("/", 1)[1]


async def test_a_paid_order_is_told_line_by_line_to_whoever_answered_the_challenge() -> None:
    async with asker() as at, Endpoint() as endpoint:
        await subscribe(at, endpoint)
        unpaid = at.ebay.selling.sell({"mug": 1}, paid=False)
        order = at.ebay.selling.sell({"mug": 1, "cap": 2})
        at.ebay.selling.pay(unpaid.id)

        async def all_there() -> bool:
            return len(endpoint.received) == 3

        await wait_until(all_there)
        told = [json.loads(body) for _, body in endpoint.received]
        lines = [
            (one["notification"]["data"]["order"]["orderId"], line["quantity"])
            for one in told
            for line in one["notification"]["data"]["order"]["orderLineItems"]
        ]
        assert sorted(lines) == sorted([(order.id, 1), (order.id, 2), (unpaid.id, 1)])
        assert {one["metadata"]["topic"] for one in told} == {"ORDER_CONFIRMATION"}
        assert len({one["notification"]["notificationId"] for one in told}) == 3


async def test_a_notice_is_sent_three_times_and_then_given_up() -> None:
    async with asker(pace=1000) as at, Endpoint(status=500) as endpoint:
        await subscribe(at, endpoint)
        at.ebay.selling.sell({"mug": 1})

        async def given_up() -> bool:
            return at.ebay.notices.counts["failed"] == 3

        await wait_until(given_up)
        told = [json.loads(body)["notification"] for _, body in endpoint.received]
        assert [one["publishAttemptCount"] for one in told] == [1, 2, 3]
        assert len({one["notificationId"] for one in told}) == 1
        assert len({signature for signature, _ in endpoint.received}) == 3


async def test_after_a_day_of_failures_a_destination_is_marked_down_until_it_is_enabled_again() -> None:
    async with asker(pace=86_400 / 0.2) as at, Endpoint(status=503) as endpoint:
        where, _ = await subscribe(at, endpoint)
        application = await at.bearer(APPLICATION)

        async def status() -> str:
            return str((await at.ask("GET", f"{NOTICES}/destination/{where}", headers=application)).json()["status"])

        async def is_down() -> bool:
            at.ebay.selling.offer("mug", 5)
            at.ebay.selling.sell({"mug": 1})
            return await status() == "MARKED_DOWN"

        await wait_until(is_down)
        assert not at.ebay.notices.subscriptions
        endpoint.status = 204
        await at.ask("PUT", f"{NOTICES}/destination/{where}", destination(endpoint.url), application)
        assert await status() == "ENABLED"
        assert len(at.ebay.notices.subscriptions) == 1


async def test_destinations_and_subscriptions_are_one_of_each_and_not_deleted_in_use() -> None:
    async with asker() as at, Endpoint() as endpoint:
        where, subscription = await subscribe(at, endpoint)
        application = await at.bearer(APPLICATION)
        again = await at.ask("POST", f"{NOTICES}/destination", destination(endpoint.url), application)
        twice = await at.ask("POST", f"{NOTICES}/subscription", {**SUBSCRIBED, "destinationId": where})
        deleted = await at.ask("DELETE", f"{NOTICES}/destination/{where}", headers=application)
        assert [error_ids(one) for one in (again, twice, deleted)] == [[195021], [195012], [195024]]
        off = destination(endpoint.url, "DISABLED")
        assert (await at.ask("PUT", f"{NOTICES}/destination/{where}", off, application)).status_code == 204
        assert error_ids(await at.ask("POST", f"{NOTICES}/subscription/{subscription}/enable")) == [195015]
        for path in (f"subscription/{subscription}", f"destination/{where}"):
            assert (await at.ask("DELETE", f"{NOTICES}/{path}", headers=application)).status_code == 204
        broken = {"notices.twice": 2, "notices.in_use": 1, "notices.enabled": 1}
        assert at.ebay.rules.broken == broken


@pytest.mark.parametrize("endpoint", ["http://shop.example", "https://localhost/x", "https://10.0.0.1/x", "shop"])
async def test_endpoints_are_https_and_not_of_an_internal_network(endpoint: str) -> None:
    async with asker(local=False) as at:
        answer = await notices("POST", "destination", destination(endpoint))(at)
        assert error_ids(answer) == [195017]
        assert at.ebay.rules.broken == {"notices.endpoint": 1}
