"""What eBay must know before it sends notices: an address for alerts, a destination, a subscription.

https://developer.ebay.com/api-docs/commerce/notification/overview.html
"""

from followers.marketplaces.ebay.answers import read, words_of
from followers.marketplaces.ebay.api import NOTICES, Api
from followers.marketplaces.ebay.shapes import Destination, Destinations, Subscriptions

ROOT = "/commerce/notification/v1"
ENABLED = "ENABLED"
PAYLOAD = {"format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS"}
PAGE = 100
"""eBay's largest: who has more destinations than that has other programs at this keyset."""


class Subscribing:
    def __init__(self, api: Api, alert_email: str, verification_token: str) -> None:
        self._api = api
        self._alert_email = alert_email
        self._verification_token = verification_token

    async def make(self, url: str, topic: str) -> list[str]:
        """What is missing, or was switched off. Returns what could not be made, in sentences with their fix."""
        if finding := await self._configure():
            return [finding]
        path = f"{ROOT}/destination?limit={PAGE}"
        found = read(await self._api.ask("GET", path, quota=NOTICES, who="application"), Destinations)
        at_url = next((one for one in found.destinations if one.delivery_config.endpoint == url), None)
        if at_url is None or at_url.status != ENABLED:
            if finding := await self._place(url, at_url):
                return [finding]
            found = read(await self._api.ask("GET", path, quota=NOTICES, who="application"), Destinations)
            at_url = next(one for one in found.destinations if one.delivery_config.endpoint == url)
        return await self._subscribe(topic, at_url.destination_id)

    async def _configure(self) -> str | None:
        answer = await self._api.ask("GET", f"{ROOT}/config", quota=NOTICES, who="application")
        if answer.status == 200:
            return None
        if not self._alert_email:
            return "eBay sends no notices before it has an address for alerts: set alert_email"
        body = {"alertEmail": self._alert_email}
        answer = await self._api.ask("PUT", f"{ROOT}/config", quota=NOTICES, body=body, who="application")
        return None if answer.status == 204 else f"eBay refuses alert_email: {words_of(answer)}"

    async def _place(self, url: str, known: Destination | None) -> str | None:
        """Makes the destination, or enables it: eBay marks those down that do not answer for a day."""
        config = {"endpoint": url, "verificationToken": self._verification_token}
        body = {"name": "Stockwire", "status": ENABLED, "deliveryConfig": config}
        method, path = ("POST", "") if known is None else ("PUT", f"/{known.destination_id}")
        answer = await self._api.ask(method, f"{ROOT}/destination{path}", quota=NOTICES, body=body, who="application")
        if answer.status in (201, 204):
            return None
        return f"eBay sends no notices to {url}: {words_of(answer)}; it must be reached from outside, by https"

    async def _subscribe(self, topic: str, destination: str) -> list[str]:
        path = f"{ROOT}/subscription"
        found = read(await self._api.ask("GET", f"{path}?limit={PAGE}", quota=NOTICES), Subscriptions)
        known = next((one for one in found.subscriptions if one.topic_id == topic), None)
        if known is not None and (known.status, known.destination_id) == (ENABLED, destination):
            return []
        body = {"topicId": topic, "status": ENABLED, "destinationId": destination, "payload": PAYLOAD}
        method, path = ("POST", path) if known is None else ("PUT", f"{path}/{known.subscription_id}")
        answer = await self._api.ask(method, path, quota=NOTICES, body=body)
        if answer.status in (201, 204):
            return []
        scope = "its refresh token needs sell.fulfillment and commerce.notification.subscription"
        return [f"eBay sends no notices of {topic}: {words_of(answer)}; {scope}"]
