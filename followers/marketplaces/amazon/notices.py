"""Amazon's notices of orders: how they are subscribed into a queue, and what one of them says."""

from typing import Any

import orjson

from followers.marketplaces.adapter import Notice, NoticeRefused, Received
from followers.marketplaces.amazon.access import NOTIFICATIONS, Access, fields
from followers.marketplaces.amazon.orders import of_notice

DESTINATIONS, SUBSCRIPTION = "/notifications/v1/destinations", "/notifications/v1/subscriptions/ORDER_CHANGE"
NAME = "stockwire"


def read(notice: Notice, seller: str, marketplace: str) -> Received:
    """Others' and other marketplaces' say nothing to us. Raises NoticeRefused for what is none of Amazon's."""
    try:
        told = orjson.loads(notice.body)
        identifier = str(told["NotificationMetadata"]["NotificationId"])
        change = told["Payload"].get("OrderChangeNotification")
        if change is None or (change["SellerId"], change["Summary"]["MarketplaceId"]) != (seller, marketplace):
            return Received(identifier)
        if change["NotificationLevel"] != "OrderLevel":
            return Received(identifier, changed_orders=[change["AmazonOrderId"]])
        order = of_notice(change, told["EventTime"])
        return Received(identifier, [order] if order else [])
    except (ValueError, KeyError, TypeError) as error:
        raise NoticeRefused(f"is no notice of Amazon's: {error!r}") from None


async def subscribe(access: Access, arn: str) -> list[str]:
    """What is missing is made. Returns findings. Raises RemoteAway."""
    destination = await _destination(access, arn)
    answer = await access.ask("GET", SUBSCRIPTION, "notifications")
    if answer.status == 404:
        body = {"payloadVersion": "1.0", "destinationId": destination}
        answer = await access.ask("POST", SUBSCRIPTION, "notifications", body=body)
    found = fields(answer)["payload"]["destinationId"]
    if found == destination:
        return []
    return [f"ORDER_CHANGE goes to another destination, {found}: delete that subscription, or name its queue here"]


async def _destination(access: Access, arn: str) -> str:
    known: Any = fields(await access.ask("GET", DESTINATIONS, "notifications", scope=NOTIFICATIONS))
    for one in known["payload"]:
        if (one["resource"].get("sqs") or {}).get("arn") == arn:
            return str(one["destinationId"])
    body = {"name": NAME, "resourceSpecification": {"sqs": {"arn": arn}}}
    made: Any = fields(await access.ask("POST", DESTINATIONS, "notifications", body=body, scope=NOTIFICATIONS))
    return str(made["payload"]["destinationId"])
