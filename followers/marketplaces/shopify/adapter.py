"""A channel at Shopify: one location of one shop. A listing's id is the number of its inventory item."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from followers.marketplaces.adapter import (
    Adapter,
    Check,
    Listing,
    Listings,
    Notice,
    Order,
    Orders,
    Outcome,
    Quota,
    Received,
    Refused,
    Remote,
    RemoteAway,
    SettingRefused,
    Stale,
    Target,
    Throttled,
)
from followers.marketplaces.remote import QuotaSpent
from followers.marketplaces.shopify import documents, notices, quantities
from followers.marketplaces.shopify.admin_api import POINTS, AdminApi, PointsSpent, understood
from followers.marketplaces.shopify.orders import order_of

ROUNDS = 3
"""Of one push: what is wrong is left out, the rest is sent again at once."""
LINE_PAGES_MAX = 20
SCOPES = ("read_inventory", "write_inventory", "read_products", "read_orders", "read_locations")
ORDER = "gid://shopify/Order/"


class Shopify(Adapter):
    settings: ClassVar[Mapping[str, str]] = {
        "shop": "The shop's address, as in my-shop.myshopify.com.",
        "location": "The number of the location that sells: the end of its page's address in the admin.",
    }
    optional: ClassVar[Mapping[str, str]] = {
        "client_id": "Of the app, in the Dev Dashboard under Settings. Not needed beside a token.",
    }
    credentials: ClassVar[Mapping[str, str]] = {
        "secret": "The app's client secret: tokens come by it, and notices are signed with it.",
    }
    optional_credentials: ClassVar[Mapping[str, str]] = {
        "token": "Of an app that was made in the shop's admin, which lasts until it is uninstalled.",
    }
    quotas: ClassVar[Sequence[Quota]] = (POINTS,)
    batch: ClassVar[int] = documents.BATCH
    compares: ClassVar[bool] = True

    def __init__(self, settings: Mapping[str, str], credentials: Mapping[str, str], remote: Remote) -> None:
        self._location = settings["location"].rpartition("/")[2]
        if not self._location.isascii() or not self._location.isdigit():
            raise SettingRefused("location", f"{settings['location']!r} is no number of a location, as in 346779380")
        self._secret = credentials["secret"]
        client_id, token = settings.get("client_id", ""), credentials.get("token")
        if not client_id and not token:
            raise SettingRefused(
                "client_id", "is needed where there is no token: it is in the Dev Dashboard, under Settings"
            )
        self._points = remote.buckets[POINTS.name]
        self._api = AdminApi(settings["shop"], client_id, self._secret, token, remote)

    @understood
    async def push(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        outcomes: dict[str, Outcome] = {}
        try:
            outcomes |= await self._blind([one.remote for one in targets if quantities.is_blind(one)])
            for _ in range(ROUNDS):
                left = [one for one in targets if one.remote not in outcomes]
                if not left:
                    break
                for target, outcome in zip(left, await self._set(left), strict=True):
                    if outcome is not None:
                        outcomes[target.remote] = outcome
            spent_s = 0.0
        except (PointsSpent, QuotaSpent) as spent:
            spent_s = spent.after_s
        return [outcomes.get(one.remote, Throttled(spent_s)) for one in targets]

    async def _blind(self, remotes: Sequence[str]) -> dict[str, Outcome]:
        """What we do not know is not overwritten: it is read, unless it is not there."""
        there = {one.remote for one in await self.read(remotes)}
        return {one: Stale() if one in there else Refused("is stocked at this location no more") for one in remotes}

    async def _set(self, targets: Sequence[Target]) -> list[Outcome | None]:
        urgent = any(one.is_urgent for one in targets)
        variables = quantities.variables_of(targets, self._location)
        data = await self._api.ask(documents.SET, variables, urgent=urgent, changes=True)
        return quantities.outcomes_of(data["inventorySetQuantities"], targets)

    @understood
    async def levels(self, cursor: str | None) -> Listings:
        data = await self._api.ask(documents.LEVELS, {"location": self._location_gid, "after": cursor}, spare=True)
        if data["location"] is None:
            raise RemoteAway(f"has no location {self._location}")
        page = data["location"]["inventoryLevels"]
        return Listings([_listing(node["item"], node) for node in page["nodes"]], _next(page))

    @understood
    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        found = []
        for start in range(0, len(remotes), documents.READ_AT_ONCE):
            ids = [quantities.ITEM + remote for remote in remotes[start : start + documents.READ_AT_ONCE]]
            data = await self._api.ask(documents.READ, {"location": self._location_gid, "ids": ids}, times=len(ids))
            found += [_listing(one, one["inventoryLevel"]) for one in data["nodes"] if one and one["inventoryLevel"]]
        return found

    @understood
    async def orders(self, since: datetime, cursor: str | None) -> Orders:
        """Shopify tells and compares whole seconds."""
        query = f"updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
        page = (await self._api.ask(documents.ORDERS, {"query": query, "after": cursor}, urgent=True))["orders"]
        return Orders([await self._whole(node) for node in page["nodes"]], _next(page))

    @property
    def polls_apart_s(self) -> float:
        """In which a page of orders comes back twice: polls take half of the quota at most, however much waits for one,
        or nothing that they tell could be answered."""
        return 2 * documents.ORDERS.cost * self._points.refill_s

    @understood
    async def order(self, identifier: str) -> Order | None:
        node = (await self._api.ask(documents.ORDER, {"id": ORDER + identifier}, urgent=True))["order"]
        return None if node is None else await self._whole(node)

    async def _whole(self, node: Mapping[str, Any]) -> Order:
        more: list[Mapping[str, Any]] = []
        page = node["lineItems"]
        for _ in range(LINE_PAGES_MAX):
            if not page["pageInfo"]["hasNextPage"]:
                return order_of(node, more)
            variables = {"id": ORDER + str(node["legacyResourceId"]), "after": page["pageInfo"]["endCursor"]}
            page = (await self._api.ask(documents.MORE_LINES, variables, urgent=True))["order"]["lineItems"]
            more += page["nodes"]
        raise RemoteAway(f"has more lines in order {node['name']} than can be read")

    async def receive(self, notice: Notice) -> Received:
        return notices.received(notice, self._secret, self._location)

    @understood
    async def check(self, notices_url: str | None) -> Check:
        """A subscription that Shopify removed after 8 failures in a row is made again."""
        data = await self._api.ask(documents.CHECK, {"location": self._location_gid, "uri": notices_url})
        findings = _findings(data, self._location)
        if notices_url is not None:
            there = {node["topic"] for node in data["webhookSubscriptions"]["nodes"]}
            for topic in notices.TOPICS:
                if topic not in there:
                    findings += await self._subscribe(topic, notices_url)
        return Check(findings)

    async def _subscribe(self, topic: str, url: str) -> list[str]:
        payload = (await self._api.ask(documents.SUBSCRIBE, {"topic": topic, "uri": url}))["webhookSubscriptionCreate"]
        errors = [str(error["message"]) for error in payload["userErrors"]]
        return [f"Shopify takes no subscription to {topic}: {error}" for error in errors if "taken" not in error]

    @property
    def _location_gid(self) -> str:
        return quantities.LOCATION + self._location


def _findings(data: Mapping[str, Any], location: str) -> list[str]:
    findings = []
    granted = {scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]}
    granted |= {scope.replace("write_", "read_") for scope in granted}  # who may write may read
    if missing := [scope for scope in SCOPES if scope not in granted]:
        lacks = ", ".join(missing)
        findings.append(f"The app lacks {lacks}: add them to its version in the Dev Dashboard, and install it again")
    if data["location"] is None or not data["location"]["isActive"]:
        findings.append(f"The shop has no active location {location}: correct the setting `location`")
    if len(data["locations"]["nodes"]) > 1:
        findings.append(
            "The shop has more than one location, and orders of all of them are booked to this channel: stock what is"
            " sold online at one of them alone"
        )
    return findings


def _listing(item: Mapping[str, Any], level: Mapping[str, Any]) -> Listing:
    variant: Mapping[str, Any] = next(iter(item["variants"]["nodes"]), {})
    quantity = sum(one["quantity"] for one in level["quantities"])
    return Listing(
        remote=str(item["id"]).rpartition("/")[2],
        quantity=int(quantity) if item["tracked"] else None,
        sku=item["sku"] or "",
        barcode=variant.get("barcode") or "",
        title=variant.get("displayName") or "",
    )


def _next(page: Mapping[str, Any]) -> str | None:
    return page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
