"""A real Vendure as the kit's bench: an administrator with no more rights than needed, and what stands before it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from followers.marketplaces.adapter import Adapter, Notice, Remote
from followers.marketplaces.conformance.bench import Bench
from followers.marketplaces.vendure.admin import TOKEN
from followers.marketplaces.vendure.standing import MAY
from tests.channels.vendure.shop import Shop
from tests.followers.marketplaces.inbox import Inbox
from tests.followers.marketplaces.relay import Relay
from tests.harness.proxy import Proxy

PAGE = "<!doctype html><title>Be right back</title>"
ERROR = {"errors": [{"message": "Cannot read properties of undefined", "extensions": {}}], "data": None}


@dataclass(frozen=True, slots=True)
class Clerk:
    """An administrator of whom an adapter has the login."""

    id: str
    login: dict[str, str]


async def hire(shop: Shop) -> Clerk:
    login = {"username": f"{secrets.token_hex(4)}@shop.example", "password": secrets.token_hex(12)}
    async with shop:
        role = await shop.admin(
            """mutation($code: String!, $may: [Permission!]!) {
              createRole(input: {code: $code, description: "", permissions: $may}) { id }
            }""",
            code=login["username"],
            may=MAY,
        )
        made = await shop.admin(
            """mutation($username: String!, $password: String!, $roles: [ID!]!) {
              createAdministrator(input: {firstName: "C", lastName: "Lerk", emailAddress: $username,
                password: $password, roleIds: $roles}) { id }
            }""",
            roles=[role["createRole"]["id"]],
            **login,
        )
    return Clerk(made["createAdministrator"]["id"], login)


class Front(Relay):
    """Answers in the place of a shop when it is asked to. ``manner``: html, errors_in_200 or busy (429); None: the shop
    answers."""

    manner: str | None = None

    async def answer(self, request: web.Request) -> web.Response:
        if self.manner == "html":
            return web.Response(text=PAGE, content_type="text/html")
        if self.manner == "errors_in_200":
            return web.json_response(ERROR)
        if self.manner == "busy":
            return web.Response(status=429, headers={"retry-after": "7"})
        return await self.pass_on(request)


class VendureBench(Bench):
    lacks = frozenset({"unpaid", "barcode"})
    missing = "999999"

    def __init__(
        self, adapter: Adapter, shop: Shop, clerk: Clerk, remote: Remote, front: Front, link: Proxy, inbox: Inbox
    ) -> None:
        super().__init__(adapter)
        self._shop = shop
        self._clerk = clerk
        self._remote = remote
        self._front = front
        self._link = link
        self._inbox = inbox
        self.notices_url = inbox.url

    async def offer(self, sku: str, quantity: int, barcode: str = "") -> str:
        return await self._shop.offer(sku, quantity)

    async def quantity(self, remote: str) -> int:
        on_hand, held = await self._shop.level(remote)
        return on_hand - held

    async def set(self, remote: str, quantity: int) -> None:
        await self._shop.set(remote, quantity)

    async def sell(self, remote: str, quantity: int, *, paid: bool = True) -> str:
        return await self._shop.sell(remote, quantity, paid=paid)

    async def cancel(self, order: str) -> None:
        await self._shop.cancel(order)

    async def edit(self, order: str, remote: str, quantity: int) -> None:
        await self._shop.edit(order, {remote: quantity})

    async def refund(self, order: str, remote: str, quantity: int) -> None:
        """Vendure puts back what is cancelled of an order; paying it back changes no stock."""
        await self._shop.cancel(order, {remote: quantity})

    async def notices(self) -> Sequence[Notice]:
        return await self._inbox.taken()

    async def forget_subscriptions(self) -> None:
        """There are none: the plugin knows its one address."""

    async def down(self, manner: str | None) -> None:
        self._link.heal()
        self._link.cut()
        self._front.manner = manner
        if manner in ("refuses", "hangs", "half_open"):
            {"refuses": self._link.refuse, "hangs": self._link.stall, "half_open": self._link.half_open}[manner]()

    async def throttle(self) -> None:
        self._front.manner = "busy"

    async def expire_token(self) -> None:
        await self.adapter.levels(None)
        token = self._remote.kept_value(TOKEN)
        assert token
        await self._shop.log_out(token)

    async def refuse_access(self) -> None:
        """A new password, until the end of the bench."""
        await self.expire_token()
        await self._shop.set_password(self._clerk.id, secrets.token_hex(12))

    async def restore_access(self) -> None:
        await self._shop.set_password(self._clerk.id, self._clerk.login["password"])
