"""What a document asks for, executed against Shopify's schema over what the shop has."""

import re
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    default_field_resolver,
    execute,
    get_directive_values,
    get_named_type,
    parse,
    validate,
)

from tests.channels.shared.rules import Rules
from tests.channels.shopify.access import Access
from tests.channels.shopify.gids import gid
from tests.channels.shopify.inventory import Inventory
from tests.channels.shopify.paging import PageRefused, Row, connection
from tests.channels.shopify.schema import Needed
from tests.channels.shopify.shop import DOMAIN, Shop
from tests.channels.shopify.subscriptions import Subscriptions

_TERM = re.compile(r"""\s*(?:AND\s+)?updated_at:(>=|>|<=|<)['"]?([0-9T:.Z+-]+)['"]?\s*""")
DOCUMENTATION = "https://shopify.dev/api/usage/access-scopes"
_COMPARED = {
    ">=": lambda one, other: one >= other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    "<": lambda one, other: one < other,
}


class Queries:
    def __init__(
        self,
        schema: GraphQLSchema,
        needed: Mapping[tuple[str, str], Needed],
        shop: Shop,
        inventory: Inventory,
        subscriptions: Subscriptions,
        access: Access,
        rules: Rules,
    ) -> None:
        self.schema = schema
        self._needed = needed
        self._shop = shop
        self._inventory = inventory
        self._subscriptions = subscriptions
        self._access = access
        self._rules = rules

    def parsed(self, text: str) -> DocumentNode | list[GraphQLError]:
        """The document, or what is wrong with it."""
        try:
            document = parse(text)
        except GraphQLError as error:
            return [error]
        return validate(self.schema, document) or document

    async def executed(self, document: DocumentNode, variables: dict[str, Any], name: str | None) -> ExecutionResult:
        result = execute(self.schema, document, self._root(), None, variables, name, self._resolve)
        return result if isinstance(result, ExecutionResult) else await result

    def _root(self) -> dict[str, Any]:
        shop = self._shop
        return {
            "shop": {"id": gid("Shop", 1), "name": "Tests", "myshopifyDomain": DOMAIN},
            "currentAppInstallation": {
                "id": gid("AppInstallation", 1),
                "accessScopes": [{"handle": scope} for scope in self._access.scopes],
            },
            "node": lambda _, id: shop.node(id),  # noqa: A006 - Shopify's name
            "nodes": lambda _, ids: [shop.node(one) for one in ids],
            "inventoryItem": lambda _, id: shop.node(id),  # noqa: A006
            "location": lambda _, id: shop.node(id),  # noqa: A006
            "order": lambda _, id: shop.node(id),  # noqa: A006
            "locations": lambda _, **page: connection(
                [((shop.locations[number], number), shop.location(number)) for number in shop.by_name()], **_plain(page)
            ),
            "inventoryItems": lambda _, **page: connection(
                [((int(number),), shop.item(number)) for number in sorted(shop.items, key=int)], **_plain(page)
            ),
            "productVariants": lambda _, **page: connection(
                [((int(number),), shop.variant(number)) for number in sorted(shop.items, key=int)], **_plain(page)
            ),
            "orders": self._orders,
            "webhookSubscriptions": lambda _, **asked: self._subscriptions.page(**asked),
            "webhookSubscriptionCreate": lambda _, topic, webhookSubscription: (  # noqa: N803
                self._subscriptions.create(topic, webhookSubscription)
            ),
            "webhookSubscriptionDelete": lambda _, id: self._subscriptions.delete(id),  # noqa: A006
            "inventorySetQuantities": self._set_quantities,
        }

    async def _set_quantities(self, info: GraphQLResolveInfo[Any], input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        directive = info.schema.get_directive("idempotent")
        assert directive
        values = get_directive_values(directive, info.field_nodes[0], info.variable_values)
        return await self._inventory.set_quantities(input, values["key"] if values else None)

    def _orders(self, _: GraphQLResolveInfo[Any], query: str = "", sortKey: str = "", **page: Any) -> dict[str, Any]:  # noqa: N803
        if sortKey != "UPDATED_AT":
            raise PageRefused(f"orders are served here by UPDATED_AT, not by {sortKey or 'PROCESSED_AT'}")
        return connection([row for row in self._shop.orders() if _matches(query, row)], **page)

    def _allow(self, info: GraphQLResolveInfo[Any]) -> None:
        """What a field needs counts, else what it gives: of a connection its nodes."""
        given = get_named_type(info.return_type).name.removesuffix("Connection")
        needed = self._needed.get((info.parent_type.name, info.field_name)) or self._needed.get((given, ""))
        if needed is None or needed.scopes & set(self._access.scopes):
            return
        self._rules.broke("scope")
        raise GraphQLError(
            f"Access denied for {info.field_name} field. Required access: {needed.told}",
            extensions={"code": "ACCESS_DENIED", "documentation": DOCUMENTATION, "requiredAccess": needed.told},
        )

    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        """A field that Shopify has and this server does not is an error, never null."""
        self._allow(info)
        if isinstance(source, dict) and info.field_name not in source:
            raise GraphQLError(f"{info.parent_type.name}.{info.field_name} is not served here")
        try:
            return default_field_resolver(source, info, **arguments)
        except PageRefused as error:
            self._rules.broke("search" if "search" in str(error) else "page")
            raise GraphQLError(str(error), extensions={"code": "BAD_USER_INPUT"}) from None


def _plain(page: dict[str, Any]) -> dict[str, Any]:
    """Without what narrows or sorts: that is not served here."""
    if narrowed := [name for name in ("query", "sortKey") if page.get(name) not in (None, "ID", "NAME")]:
        raise PageRefused(f"search by {', '.join(narrowed)} is not served here")
    return page


def _matches(query: str, row: Row) -> bool:
    """``updated_at`` is told in whole seconds, and compared so."""
    left = query.strip()
    while left:
        term = _TERM.match(left)
        if term is None:
            raise PageRefused(f"the search {left!r} is not served here")
        if not _COMPARED[term[1]](row[0][0][:19], term[2][:19]):
            return False
        left = left[term.end() :]
    return True
