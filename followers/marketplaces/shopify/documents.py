"""What is asked of Shopify, and how many points each may cost.

Objects cost 1, mutations 10, connections by their size, no query more than 1,000:
https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits. Answers tell what was taken in the end.
"""

from dataclasses import dataclass

BATCH = 250
"""Quantities of one call, and nodes of one page: https://shopify.dev/docs/api/usage/limits"""
READ_AT_ONCE = 100
"""Ids of one query, each of which costs as much as READ says."""


@dataclass(frozen=True, slots=True)
class Document:
    text: str
    cost: int


_ITEM = "id sku tracked variants(first: 1) { nodes { barcode displayName } }"
_AVAILABLE = 'quantities(names: ["available"]) { quantity }'
_LINES = (
    "nodes { id currentQuantity variant { inventoryItem { legacyResourceId } } } pageInfo { hasNextPage endCursor }"
)
_ORDER = f"""
    legacyResourceId name createdAt updatedAt cancelledAt displayFinancialStatus
    lineItems(first: 250) {{ {_LINES} }}
    refunds(first: 100) {{ refundLineItems(first: 100) {{ nodes {{ quantity restocked lineItem {{ id }} }} }} }}"""

SET = Document(
    """
mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes(quantityNames: ["available"]) { item { id } } }
    userErrors { code field message }
  }
}""",
    12,
)

LEVELS = Document(
    f"""
query Levels($location: ID!, $after: String) {{
  location(id: $location) {{
    inventoryLevels(first: 250, after: $after) {{
      nodes {{ {_AVAILABLE} item {{ {_ITEM} }} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}""",
    69,
)

READ = Document(
    f"""
query Read($location: ID!, $ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on InventoryItem {{ {_ITEM} inventoryLevel(locationId: $location) {{ {_AVAILABLE} }} }} }}
}}""",
    6,
)

ORDERS = Document(
    f"""
query Orders($query: String!, $after: String) {{
  orders(first: 50, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{ {_ORDER} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
    401,
)

ORDER = Document(f"query Order($id: ID!) {{ order(id: $id) {{ {_ORDER} }} }}", 57)

MORE_LINES = Document(
    f"""
query MoreLines($id: ID!, $after: String!) {{
  order(id: $id) {{ lineItems(first: 250, after: $after) {{ {_LINES} }} }}
}}""",
    36,
)

CHECK = Document(
    """
query Check($location: ID!, $uri: String) {
  currentAppInstallation { accessScopes { handle } }
  location(id: $location) { name isActive }
  locations(first: 2) { nodes { id } }
  webhookSubscriptions(first: 100, uri: $uri) { nodes { topic } }
}""",
    17,
)

SUBSCRIBE = Document(
    """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri, format: JSON }) {
    userErrors { message }
  }
}""",
    10,
)
