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

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
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
    Orders,
    Outcome,
    Received,
    Refused,
    Remote,
    SettingRefused,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.vendure.admin import Admin, Busy, QueryRefused
from followers.marketplaces.vendure.notices import received, secret_of, verified
from followers.marketplaces.vendure.orders import ONE_ORDER, ORDERS, changed_since, order_of
from followers.marketplaces.vendure.standing import MAY, STANDING, findings_of
from followers.marketplaces.vendure.variants import SET, VARIANTS, Level, Variant, outcome_without_setting, variants_of

SETS_MAX = 3
"""How often a level is set because orders were fulfilled meanwhile, before it is left to the next round."""


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
            outcomes = {one.remote: outcome_without_setting(one, variants.get(one.remote)) for one in targets}
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
        return Listings([one.listing for one in variants], _next(skip, len(variants), total))

    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        variants = await self._variants(remotes)
        return [variants[remote].listing for remote in remotes if remote in variants]

    async def orders(self, since: datetime, cursor: str | None) -> Orders:
        skip = int(cursor or 0)
        found = (await self._admin.query(ORDERS, options=changed_since(since, self.page, skip)))["orders"]
        orders = [order for one in found["items"] if (order := order_of(one)).updated_at >= since]
        return Orders(orders, _next(skip, len(found["items"]), found["totalItems"]))

    async def order(self, identifier: str) -> Order | None:
        try:
            found = (await self._admin.query(ONE_ORDER, id=identifier))["order"]
        except QueryRefused:
            return None
        return order_of(found) if found and found["orderPlacedAt"] else None

    async def receive(self, notice: Notice) -> Received:
        if self._secret is None:
            raise NoticeRefused("comes to a channel without the secret of its plugin: give it the credential notices")
        identifier = verified(notice, self._secret, self._remote.now().timestamp())
        return received(identifier, notice.body, self._location)

    async def check(self, notices_url: str | None) -> Check:
        """The plugin is set up there by hand: nothing is made."""
        return Check([*findings_of(await self._admin.query(STANDING, location=self._location), self._location)])

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
        return {one["id"]: Level.of(one, self._location) for one in done["updateProductVariants"] if one}

    async def _variants(self, remotes: Sequence[str]) -> dict[str, Variant]:
        """By id, without what there is not."""
        found, _ = await self._page_of_variants({"filter": {"id": {"in": remotes}}, "take": len(remotes)})
        return {one.id: one for one in found}

    async def _page_of_variants(self, options: Mapping[str, object]) -> tuple[list[Variant], int]:
        """With how many there are on all pages."""
        found = await self._admin.query(VARIANTS, options=options)
        return variants_of(found, self._location), found["productVariants"]["totalItems"]


def _next(skip: int, count: int, total: int) -> str | None:
    return str(skip + count) if count and skip + count < total else None
