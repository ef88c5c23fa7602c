"""A Vendure shop as its owner and its buyers use it, by its own two APIs.

Its methods are named as those of a strict server (``tests.channels.shared.starting.Market``), so that a test may drive
either. A listing is a variant, named by its id; an order by its id.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.harness.waiting import PATIENCE_S

USER = "superadmin"
TOKEN = "vendure-auth-token"
LOCATION = "1"
"""The stock location that every new shop has."""

Lines = Mapping[str, int]
"""Units by variant."""


class NotTaken(Exception):
    """The shop did not do what was asked: its words."""


@dataclass(slots=True)
class Shop:
    """An async context manager: it logs in, as the superadministrator."""

    base_url: str
    password: str
    _http: httpx.AsyncClient = field(init=False)
    _token: str = ""

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(base_url=self.base_url, timeout=PATIENCE_S)
        answer = await self._post("admin-api", "", _LOGIN, {"user": USER, "password": self.password})
        self._token = answer.headers[TOKEN]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @property
    def url(self) -> str:
        """Of the admin API."""
        return f"{self.base_url}/admin-api"

    async def open(self) -> None:
        """A country, taxes, a way to send and two ways to pay: without these nobody can buy. Once."""
        made = {name: one["id"] for name, one in (await self.admin(_WORLD)).items()}
        await self.admin(_TRADE, zone=made["zone"], taxes=made["taxes"], of=[made["country"]])

    async def admin(self, query: str, **variables: object) -> dict[str, Any]:
        return _data(await self._post("admin-api", self._token, query, variables))

    async def offer(self, sku: str, quantity: int, title: str = "Mug") -> str:
        """The new variant's id. Units cost a cent each."""
        product = await self.admin(_PRODUCT, title=title, slug=f"{sku}-{secrets.token_hex(4)}")
        made = await self.admin(
            _VARIANT, product=product["createProduct"]["id"], sku=sku, title=title, quantity=quantity
        )
        return str(made["createProductVariants"][0]["id"])

    async def set(self, variant: str, on_hand: int) -> None:
        """By hand."""
        await self.admin(_SET, id=variant, levels=[{"stockLocationId": LOCATION, "stockOnHand": on_hand}])

    async def level(self, variant: str) -> tuple[int, int]:
        """``stockOnHand`` and ``stockAllocated``."""
        found = (await self.admin(_LEVELS, id=variant))["productVariant"]["stockLevels"]
        (level,) = [one for one in found if one["stockLocationId"] == LOCATION]
        return level["stockOnHand"], level["stockAllocated"]

    async def sell(self, variant: str, quantity: int = 1, *, paid: bool = True) -> str:
        """A buyer orders and pays, or has only promised to (``paid=False``): the order's id."""
        return await self.sell_lines({variant: quantity}, paid=paid)

    async def sell_lines(self, lines: Lines, *, paid: bool = True) -> str:
        session = ""
        for variant, units in lines.items():
            answer = await self._post("shop-api", session, _ADD, {"variant": variant, "units": units})
            _data(answer)
            session = session or answer.headers[TOKEN]
        method = "settled" if paid else "authorized"
        bought = _data(await self._post("shop-api", session, _CHECK_OUT, {"method": method}))
        return str(bought["addPaymentToOrder"]["id"])

    async def put_in_basket(self, variant: str, quantity: int = 1) -> None:
        """And leave it there."""
        _data(await self._post("shop-api", "", _ADD, {"variant": variant, "units": quantity}))

    async def order(self, order: str) -> dict[str, Any]:
        return dict((await self.admin(_ORDER, id=order))["order"])

    async def pay(self, order: str) -> None:
        (payment,) = (await self.order(order))["payments"]
        await self.admin("mutation($id: ID!) { settlePayment(id: $id) { ...Told } }" + _TOLD, id=payment["id"])

    async def cancel(self, order: str, lines: Lines | None = None) -> None:
        chosen = None if lines is None else await self._lines(order, lines)
        await self.admin(_CANCEL, order=order, lines=chosen)

    async def fulfil(self, order: str, lines: Lines) -> str:
        """The fulfilment's id."""
        made = await self.admin(_FULFIL, lines=await self._lines(order, lines))
        return str(made["addFulfillmentToOrder"]["id"])

    async def ship(self, fulfilment: str) -> None:
        await self.admin(_MOVE, id=fulfilment, state="Shipped")

    async def unfulfil(self, fulfilment: str) -> None:
        await self.admin(_MOVE, id=fulfilment, state="Cancelled")

    async def edit(self, order: str, lines: Lines) -> None:
        """``lines`` is what is sold from now on, of variants that were ordered. Fewer units are paid back."""
        (payment,) = (await self.order(order))["payments"]
        changed = await self._lines(order, lines)
        await self.admin(_EDIT, order=order, lines=changed, payment=payment["id"])

    async def log_out(self, token: str) -> None:
        """Whoever has this token."""
        _data(await self._post("admin-api", token, "mutation { logout { success } }", {}))

    async def set_password(self, administrator: str, password: str) -> None:
        await self.admin(_PASSWORD, id=administrator, password=password)

    async def _lines(self, order: str, lines: Lines) -> list[dict[str, Any]]:
        ids = {one["productVariant"]["id"]: one["id"] for one in (await self.order(order))["lines"]}
        return [{"orderLineId": ids[variant], "quantity": units} for variant, units in lines.items()]

    async def _post(self, path: str, token: str, query: str, variables: Mapping[str, object]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        content = {"query": query, "variables": variables}
        return await self._http.post(path, json=content, headers=headers)


def _data(answer: httpx.Response) -> dict[str, Any]:
    """Raises NotTaken for an error of GraphQL, and for one that Vendure gives as a result."""
    content = answer.json()
    data = content.get("data") or {}
    refused = [one for one in data.values() if isinstance(one, dict) and "errorCode" in one]
    if "errors" in content or refused:
        raise NotTaken(json.dumps(content.get("errors") or refused))
    return dict(data)


_TOLD = " fragment Told on ErrorResult { errorCode message }"
_LOGIN = "mutation($user: String!, $password: String!) { login(username: $user, password: $password) { __typename } }"
_WORLD = """mutation {
  zone: createZone(input: {name: "Everywhere"}) { id }
  taxes: createTaxCategory(input: {name: "Standard", isDefault: true}) { id }
  country: createCountry(input: {code: "DE", enabled: true, translations: [{languageCode: en, name: "Germany"}]}) { id }
}"""
_TRADE = """mutation($zone: ID!, $taxes: ID!, $of: [ID!]!) {
  addMembersToZone(zoneId: $zone, memberIds: $of) { id }
  updateChannel(input: {id: 1, defaultTaxZoneId: $zone, defaultShippingZoneId: $zone}) { __typename }
  createTaxRate(input: {name: "None", enabled: true, value: 0, categoryId: $taxes, zoneId: $zone}) { id }
  createShippingMethod(input: {
    code: "post", fulfillmentHandler: "manual-fulfillment",
    checker: {code: "default-shipping-eligibility-checker", arguments: [{name: "orderMinimum", value: "0"}]},
    calculator: {code: "default-shipping-calculator", arguments: [
      {name: "rate", value: "0"}, {name: "taxRate", value: "0"}, {name: "includesTax", value: "auto"}]},
    translations: [{languageCode: en, name: "Post", description: ""}]}) { id }
  settled: createPaymentMethod(input: {
    code: "settled", enabled: true, translations: [{languageCode: en, name: "At once"}],
    handler: {code: "dummy-payment-handler", arguments: [{name: "automaticSettle", value: "true"}]}}) { id }
  authorized: createPaymentMethod(input: {
    code: "authorized", enabled: true, translations: [{languageCode: en, name: "Later"}],
    handler: {code: "dummy-payment-handler", arguments: [{name: "automaticSettle", value: "false"}]}}) { id }
}"""
_PRODUCT = """mutation($title: String!, $slug: String!) {
  createProduct(input: {translations: [{languageCode: en, name: $title, slug: $slug, description: ""}]}) { id }
}"""
_VARIANT = """mutation($product: ID!, $sku: String!, $title: String!, $quantity: Int!) {
  createProductVariants(input: [{productId: $product, sku: $sku, price: 1, stockOnHand: $quantity,
    translations: [{languageCode: en, name: $title}]}]) { id }
}"""
_SET = """mutation($id: ID!, $levels: [StockLevelInput!]) {
  updateProductVariants(input: [{id: $id, stockLevels: $levels}]) { id }
}"""
_LEVELS = """query($id: ID!) {
  productVariant(id: $id) { stockLevels { stockLocationId stockOnHand stockAllocated } }
}"""
_ORDER = """query($id: ID!) {
  order(id: $id) { id code state updatedAt orderPlacedAt payments { id state }
    lines { id quantity productVariant { id } } }
}"""
_ADD = (
    "mutation($variant: ID!, $units: Int!) { addItemToOrder(productVariantId: $variant, quantity: $units) { ...Told } }"
)
_ADD += _TOLD
_CHECK_OUT = """mutation($method: String!) {
  setCustomerForOrder(input: {firstName: "B", lastName: "Uyer", emailAddress: "buyer@shop.example"}) { ...Told }
  setOrderShippingAddress(input: {streetLine1: "Street 1", countryCode: "DE"}) { ...Told }
  setOrderShippingMethod(shippingMethodId: [1]) { ...Told }
  transitionOrderToState(state: "ArrangingPayment") { ...Told }
  addPaymentToOrder(input: {method: $method, metadata: {}}) { ... on Order { id } ...Told }
}"""
_CHECK_OUT += _TOLD
_CANCEL = """mutation($order: ID!, $lines: [OrderLineInput!]) {
  cancelOrder(input: {orderId: $order, lines: $lines}) { ...Told }
}"""
_CANCEL += _TOLD
_FULFIL = """mutation($lines: [OrderLineInput!]!) {
  addFulfillmentToOrder(input: {lines: $lines, handler: {code: "manual-fulfillment", arguments: [
    {name: "method", value: "post"}, {name: "trackingCode", value: ""}]}}) { ... on Fulfillment { id } ...Told }
}"""
_FULFIL += _TOLD
_PASSWORD = """mutation($id: ID!, $password: String!) {
  updateAdministrator(input: {id: $id, password: $password}) { id }
}"""
_MOVE = "mutation($id: ID!, $state: String!) { transitionFulfillmentToState(id: $id, state: $state) { ...Told } }"
_MOVE += _TOLD
_EDIT = """mutation($order: ID!, $lines: [OrderLineInput!], $payment: ID!) {
  begun: transitionOrderToState(id: $order, state: "Modifying") { ...Told }
  modifyOrder(input: {dryRun: false, orderId: $order, adjustOrderLines: $lines,
    refunds: [{paymentId: $payment, reason: "fewer"}]}) { ...Told }
  ended: transitionOrderToState(id: $order, state: "PaymentSettled") { ...Told }
}"""
_EDIT += _TOLD
