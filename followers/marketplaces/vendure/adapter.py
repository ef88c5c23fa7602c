"""Vendure as a channel: one stock location of a shop, by its admin API (GraphQL, version 3).

Vendure counts twice: ``stockOnHand``, and ``stockAllocated``, which its orders hold until they are fulfilled; it offers
the difference. What is set is therefore the target plus what is held. An order that comes between reading and setting
only adds to what is held, so nothing overwrites it: who reads, compares and sets has compared and set. A fulfilment
takes from both, which the answer to the setting tells; then it is set again. (One of as many units as were ordered in
the same moment is not told: what is offered is too high until that order is booked.)

An order's ``updatedAt`` is older than its placing, and moves neither with its state nor with an edit. So orders are
looked for by both times, and those that are not yet sent are read each time: of these an edit has a time of its own. A
payment that was promised and has come shows nowhere: such an order is placed and holds its stock from the promise on,
and counts as paid from then on.

Which stock location an order takes from is told nowhere in the API: a channel of Vendure with several of them cannot be
told apart, which ``check`` says. All this was tried on 3.7.3 (tests/channels/test_vendure.py); what is documented:
https://docs.vendure.io/current/core/core-concepts/stock-control
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from followers.marketplaces.adapter import (
    Adapter,
    Applied,
    Check,
    Listing,
    Listings,
    Notice,
    NoticeRefused,
    Order,
    OrderLine,
    Orders,
    Outcome,
    Received,
    Refused,
    Remote,
    SettingRefused,
    Stale,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.vendure.admin import Admin, Busy, QueryRefused
from followers.marketplaces.vendure.notices import received, secret_of, verified

SETS_MAX = 3
"""How often a level is set because orders were fulfilled meanwhile, before it is left to the next round."""
INSTANT = timedelta(milliseconds=1)
"""Vendure's times are given in milliseconds, and its ``after`` leaves out the moment itself."""
OPEN = ("PaymentAuthorized", "PaymentSettled", "PartiallyShipped", "Modifying", "ArrangingAdditionalPayment")
"""States of orders that are placed and not sent: a shop's backlog, which every poll reads."""
MAY = ("ReadCatalog", "UpdateCatalog", "ReadOrder", "ReadStockLocation")

LEVELS = "stockLevels { stockLocationId stockOnHand stockAllocated }"
VARIANTS = f"""query($options: ProductVariantListOptions) {{
  globalSettings {{ trackInventory }}
  productVariants(options: $options) {{ totalItems items {{ id sku name trackInventory {LEVELS} }} }}
}}"""
SET = f"mutation($input: [UpdateProductVariantInput!]!) {{ updateProductVariants(input: $input) {{ id {LEVELS} }} }}"
ORDER = """id code state updatedAt orderPlacedAt
  lines { quantity updatedAt productVariant { id } } modifications { updatedAt }"""
ORDERS = f"query($options: OrderListOptions) {{ orders(options: $options) {{ totalItems items {{ {ORDER} }} }} }}"
ONE_ORDER = f"query($id: ID!) {{ order(id: $id) {{ {ORDER} }} }}"
STANDING = """query($location: ID!) {
  me { channels { token permissions } } activeChannel { token }
  globalSettings { trackInventory outOfStockThreshold }
  stockLocation(id: $location) { name } stockLocations { totalItems }
}"""


@dataclass(frozen=True, slots=True)
class Level:
    """``held``: by Vendure's own orders."""

    on_hand: int
    held: int

    @property
    def offered(self) -> int:
        return max(0, self.on_hand - self.held)


@dataclass(frozen=True, slots=True)
class Variant:
    """``counted``: whether its stock is tracked there at all."""

    id: str
    sku: str
    name: str
    level: Level
    counted: bool


class Vendure(Adapter):
    settings = {  # noqa: RUF012 - a ClassVar of Adapter
        "url": "of the admin API, as https://shop.example/admin-api",
        "location": "the id of the stock location whose levels are set",
    }
    optional = {  # noqa: RUF012 - a ClassVar of Adapter
        "token": "of the channel of Vendure whose orders are booked, if it is not the default one",
    }
    credentials = {  # noqa: RUF012 - a ClassVar of Adapter
        "username": f"of an administrator whose role has {', '.join(MAY)}",
        "password": "of the administrator",
    }
    optional_credentials = {  # noqa: RUF012 - a ClassVar of Adapter
        "notices": "what the plugin signs with: whsec_ and 24 to 64 bytes in base64; without it orders are polled only",
    }
    batch = 20
    compares = True
    page: ClassVar[int] = 100
    """The admin API gives at most 1,000 of a list, unless it is set lower (``adminListQueryLimit``)."""

    def __init__(self, settings: Mapping[str, str], credentials: Mapping[str, str], remote: Remote) -> None:
        if urlsplit(settings["url"]).hostname is None:
            raise SettingRefused("url", "must be the whole address of the admin API, as https://shop.example/admin-api")
        self._secret = secret_of(credentials["notices"]) if "notices" in credentials else None
        self._location = settings["location"]
        self._remote = remote
        self._admin = Admin(settings["url"], settings.get("token"), credentials, remote)

    async def push(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        try:
            variants = await self._variants([one.remote for one in targets])
            outcomes = {one.remote: _standing(one, variants.get(one.remote)) for one in targets}
            due = {one.remote: one.quantity for one in targets if outcomes[one.remote] is None}
            outcomes |= await self._set(due, {remote: variants[remote].level.held for remote in due})
        except Busy as busy:
            return [Throttled(busy.after_s) for _ in targets]
        except QueryRefused as refused:
            return [Refused(str(refused)) for _ in targets]
        return [outcome for outcome in outcomes.values() if outcome is not None]

    async def levels(self, cursor: str | None) -> Listings:
        skip = int(cursor or 0)
        variants, total = await self._page_of_variants({"sort": {"id": "ASC"}, "take": self.page, "skip": skip})
        return Listings([_listing(one) for one in variants], _next(skip, len(variants), total))

    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        variants = await self._variants(remotes)
        return [_listing(variants[remote]) for remote in remotes if remote in variants]

    async def orders(self, since: datetime, cursor: str | None) -> Orders:
        """By their ids: an order that changes meanwhile keeps its place, so that none is passed over."""
        skip = int(cursor or 0)
        after = {"after": _text(since - INSTANT)}
        page = {
            "filter": {
                "orderPlacedAt": {"isNull": False},
                "_or": [{"orderPlacedAt": after}, {"updatedAt": after}, {"state": {"in": OPEN}}],
            },
            "sort": {"id": "ASC"},
            "take": self.page,
            "skip": skip,
        }
        found = (await self._admin.query(ORDERS, options=page))["orders"]
        orders = [order for one in found["items"] if (order := _order(one)).updated_at >= since]
        return Orders(orders, _next(skip, len(found["items"]), found["totalItems"]))

    async def order(self, identifier: str) -> Order | None:
        try:
            found = (await self._admin.query(ONE_ORDER, id=identifier))["order"]
        except QueryRefused:
            return None
        return _order(found) if found and found["orderPlacedAt"] else None

    async def receive(self, notice: Notice) -> Received:
        if self._secret is None:
            raise NoticeRefused("comes to a channel without the secret of its plugin: give it the credential notices")
        identifier = verified(notice, self._secret, self._remote.now().timestamp())
        return received(identifier, notice.body, self._location)

    async def check(self, notices_url: str | None) -> Check:
        """The plugin is set up there by hand: nothing is made."""
        return Check([*_findings(await self._admin.query(STANDING, location=self._location), self._location)])

    async def _set(self, due: Mapping[str, int], held: Mapping[str, int]) -> dict[str, Outcome]:
        """``due``: what each shall offer; ``held``: of it by orders, as last read."""
        outcomes: dict[str, Outcome] = {remote: Unknown("its orders were fulfilled while it was set") for remote in due}
        left, known = dict(due), dict(held)
        for _ in range(SETS_MAX):
            set_to = await self._set_at_once({remote: quantity + known[remote] for remote, quantity in left.items()})
            for remote, after in set_to.items():
                if isinstance(after, Level) and after.held < known[remote]:
                    known[remote] = after.held
                    continue
                outcomes[remote] = Applied() if isinstance(after, Level) else after
                del left[remote]
            if not left:
                break
        return outcomes

    async def _set_at_once(self, on_hand: Mapping[str, int]) -> dict[str, Level | Unknown]:
        """All in one transaction."""
        if not on_hand:
            return {}
        wanted = [
            {"id": remote, "stockLevels": [{"stockLocationId": self._location, "stockOnHand": units}]}
            for remote, units in on_hand.items()
        ]
        try:
            done = await self._admin.query(SET, changes=True, input=wanted)
        except QueryRefused as refused:  # one was deleted since it was read: the next round knows which
            return dict.fromkeys(on_hand, Unknown(str(refused)))
        return {one["id"]: self._level(one) for one in done["updateProductVariants"] if one}

    async def _variants(self, remotes: Sequence[str]) -> dict[str, Variant]:
        """By id, without what there is not."""
        found, _ = await self._page_of_variants({"filter": {"id": {"in": remotes}}, "take": len(remotes)})
        return {one.id: one for one in found}

    async def _page_of_variants(self, options: Mapping[str, object]) -> tuple[list[Variant], int]:
        """With how many there are on all pages."""
        found = await self._admin.query(VARIANTS, options=options)
        tracked = {"TRUE": True, "FALSE": False, "INHERIT": found["globalSettings"]["trackInventory"]}
        page = found["productVariants"]
        variants = [
            Variant(one["id"], one["sku"], one["name"], self._level(one), tracked[one["trackInventory"]])
            for one in page["items"]
        ]
        return variants, page["totalItems"]

    def _level(self, variant: Mapping[str, Any]) -> Level:
        """Where nothing ever lay there is no level yet."""
        for one in variant["stockLevels"]:
            if one["stockLocationId"] == self._location:
                return Level(one["stockOnHand"], one["stockAllocated"])
        return Level(0, 0)


def _standing(target: Target, variant: Variant | None) -> Outcome | None:
    """What comes of it before anything is set; None: it is to be set. Zeros are, whatever stands there."""
    if variant is None:
        return Refused(f"has no variant with the id {target.remote}")
    if not variant.counted:
        return Refused(f"does not count the stock of {variant.sku}: its trackInventory is off")
    if variant.level.offered == target.quantity:
        return Applied()
    if target.expected not in (None, variant.level.offered) and not target.is_urgent:
        return Stale()
    return None


def _listing(variant: Variant) -> Listing:
    quantity = variant.level.offered if variant.counted else None
    return Listing(variant.id, quantity, sku=variant.sku, title=variant.name)


def _order(found: Mapping[str, Any]) -> Order:
    """As of the newest of all its times: an edit shows in none but its own."""
    lines = [OrderLine(one["productVariant"]["id"], one["quantity"]) for one in found["lines"] if one["quantity"] > 0]
    placed = datetime.fromisoformat(found["orderPlacedAt"])
    times = [datetime.fromisoformat(one["updatedAt"]) for one in (found, *found["lines"], *found["modifications"])]
    cancelled = found["state"] == "Cancelled" or not lines
    return Order(
        found["id"],
        "cancelled" if cancelled else "paid",
        [] if cancelled else lines,
        placed,
        max(placed, *times),
        found["code"],
    )


def _findings(standing: Mapping[str, Any], location: str) -> Iterator[str]:
    settings = standing["globalSettings"]
    if standing["stockLocation"] is None:
        yield f"there is no stock location with the id {location}: set the channel's location to one that there is"
    if (count := standing["stockLocations"]["totalItems"]) > 1:
        yield (
            f"Vendure has {count} stock locations in this channel of its, and does not tell which an order takes from:"
            " give each location a channel of Vendure, and name its token"
        )
    if not settings["trackInventory"]:
        yield "Vendure does not track stock: switch trackInventory on in its global settings"
    if (threshold := settings["outOfStockThreshold"]) < 0:
        yield f"Vendure sells {-threshold} more than there are: set outOfStockThreshold to 0 in its global settings"
    own = [one for one in standing["me"]["channels"] if one["token"] == standing["activeChannel"]["token"]]
    granted = {one for channel in own for one in channel["permissions"]}
    if missing := [one for one in MAY if one not in granted]:
        yield f"the administrator may not do all that is needed: give its role {', '.join(missing)}"


def _next(skip: int, count: int, total: int) -> str | None:
    return str(skip + count) if count and skip + count < total else None


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
