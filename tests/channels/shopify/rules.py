"""What Shopify documents that it demands, or was recorded to answer; ``source=None``: neither, it is assumed.

Recordings are answers of a real shop, kept by a public project; the schema's descriptions are Shopify's own words.
"""

from tests.channels.shared.rules import Rule

_API = "https://shopify.dev/docs/api"
_CODES = f"{_API}/usage/response-codes"
_SCHEMA = "@shopify/dev-mcp, admin_2026-10.json.gz: description of"
_RECORDED = "https://github.com/airhorns/shopify-draft-proxy/blob/main/fixtures/conformance"
_PRODUCTS = f"{_RECORDED}/harry-test-heelo.myshopify.com/2026-04/products"
_WEBHOOKS = "https://shopify.dev/docs/apps/build/webhooks"
_LIMITS = "https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits"

RULES = (
    # Getting in
    Rule("token", "A request brings a valid token in X-Shopify-Access-Token, or is answered 401.", _CODES),
    Rule("json", "A request says that it is application/json, or is answered 400.", _CODES),
    Rule("grant", "A token is given for client id and secret of an installed app, and lasts 86,399 s.",
         "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant"),
    Rule("grant-refused", "Whoever is refused a token is answered 400 and invalid_client.", None),
    Rule("version", "Another version than 2026-10 is not served here: 404.", None),
    # The query
    Rule("schema", "Fields, arguments and variables are those of the schema; else errors and no data.",
         f"{_RECORDED}/harry-test-heelo.myshopify.com/2025-01/admin-platform/graphql-base-validation-unhappy-paths.json"),
    Rule("scope", "What needs an access scope that the app lacks is ACCESS_DENIED, and null.",
         "@shopify/dev-mcp, admin_2026-10.json.gz: offline_scopes"),
    Rule("page", "A connection is asked for with first or last, at most 250.", f"{_API}/usage/pagination-graphql"),
    Rule("search", "A term of a search that is not served here is an error, and not left out.", None),
    # Cost
    Rule("cost", "Objects cost 1, scalars nothing, mutations 10; a connection is sized by first or last.", _LIMITS),
    Rule("cost-of-connections", "A connection of n costs 2 and its node's cost times 2 ln n: fits records of 1 to 250.",
         None),
    Rule("cost-of-nodes", "nodes(ids:) costs what one costs, for each id.", None),
    Rule("max-cost", "No query costs more than 1,000: MAX_COST_EXCEEDED.", _LIMITS),
    Rule("throttled", "Of a bucket of 2,000 that refills by 100 a second the cost is taken first and what was too much "
         "given back; too little left is THROTTLED, with status 200.", _LIMITS),
    # Inventory
    Rule("idempotent", "inventorySetQuantities has @idempotent, or BAD_REQUEST.",
         f"{_PRODUCTS}/inventory-quantity-contracts-2026-04.json"),
    Rule("blank-key", "Its key is neither empty nor blank.", f"{_SCHEMA} @idempotent"),
    Rule("same-key-other-body", "The same key with other parameters: IDEMPOTENCY_KEY_PARAMETER_MISMATCH.",
         f"{_API}/usage/implementing-idempotency"),
    Rule("key-in-flight", "The same key while it is in progress: IDEMPOTENCY_CONCURRENT_REQUEST.",
         f"{_API}/usage/implementing-idempotency"),
    Rule("key-of-failed", "A key whose attempt met user errors: IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED.",
         f"{_SCHEMA} InventorySetQuantitiesUserErrorCode"),
    Rule("key-kept", "A key is kept for 24 hours.", f"{_API}/usage/implementing-idempotency"),
    Rule("at-most-250", "At most 250 quantities a call: MAX_INPUT_SIZE_EXCEEDED.", f"{_API}/usage/limits"),
    Rule("change-from-missing", "Each quantity has changeFromQuantity, if only null.",
         f"{_PRODUCTS}/inventory-quantity-contracts-2026-04.json"),
    Rule("change-from-stale", "Another quantity stands there: CHANGE_FROM_QUANTITY_STALE, and the mutation fails.",
         f"{_SCHEMA} InventoryQuantityInput.changeFromQuantity"),
    Rule("all-or-nothing", "With one user error nothing of the call is applied; each quantity that is wrong is named.",
         f"{_SCHEMA} InventoryQuantityInput.changeFromQuantity"),
    Rule("unknown-item", "INVALID_INVENTORY_ITEM.", f"{_PRODUCTS}/inventory-existence-validation.json"),
    Rule("unknown-location", "INVALID_LOCATION.", f"{_PRODUCTS}/inventory-existence-validation.json"),
    Rule("not-stocked", "An item that is not stocked at the location is passed over without a word.", None),
    Rule("twice", "An item at a location once a call: NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR.",
         f"{_SCHEMA} InventorySetQuantitiesUserErrorCode"),
    Rule("bounds", "Between -1,000,000,000 and 1,000,000,000.",
         f"{_PRODUCTS}/inventorySetQuantities-quantity-bounds.json"),
    Rule("name", "Quantities are named available (or on_hand, which is not served here): INVALID_NAME.",
         f"{_SCHEMA} InventorySetQuantitiesInput.name"),
    Rule("reason", "The reason is one of 17: INVALID_REASON.", f"{_PRODUCTS}/inventory-reason-validation.json"),
    # Webhooks
    Rule("subscription-twice", "One subscription per topic and address.",
         f"{_RECORDED}/harry-test-heelo.myshopify.com/2026-04/webhooks/webhook-subscription-uri-validation.json"),
    Rule("subscription-address", "Notices go to https; to this machine they may go without, which only tests do.",
         f"{_WEBHOOKS}/subscribe/https"),
    Rule("subscription-gone", "What is deleted exists.", None),
    Rule("patience", "1 s to connect, 5 s in all; 8 retries within 4 hours; removed after 8 failures in a row.",
         f"{_WEBHOOKS}/subscribe/https"),
    Rule("spacing", "Retries double, from 56 s on.", None),
    Rule("seconds", "Times are told in whole seconds.", f"{_PRODUCTS}/inventory-quantity-contracts-2026-04.json"),
)  # fmt: skip
