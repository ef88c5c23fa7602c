"""What eBay documents, rule by rule, and what of it is nowhere to be read and therefore assumed.

Pages were read in their stored form of 2025 and 2026. ``SPEC`` pages are eBay's own OpenAPI and AsyncAPI documents.
"""

from tests.channels.shared.rules import Rule

DOCS = "https://developer.ebay.com"
INVENTORY_SPEC = f"{DOCS}/api-docs/master/sell/inventory/openapi/3/sell_inventory_v1_oas3.yaml"
FULFILLMENT_SPEC = f"{DOCS}/api-docs/master/sell/fulfillment/openapi/3/sell_fulfillment_v1_oas3.json"
NOTIFICATION_SPEC = f"{DOCS}/api-docs/master/commerce/notification/openapi/3/commerce_notification_v1_oas3.yaml"
ORDER_CONFIRMATION_SPEC = f"{DOCS}/api-docs/master/commerce/notification/asyncapi/order_confirmation.yaml"
BULK = f"{DOCS}/api-docs/sell/inventory/resources/inventory_item/methods/bulkUpdatePriceQuantity"
BULK_GUIDE = f"{DOCS}/api-docs/sell/static/inventory/bulk-updates.html"
BULK_TYPE = f"{DOCS}/api-docs/sell/inventory/types/slr:BulkPriceQuantity"
NODE_TYPE = f"{DOCS}/api-docs/sell/inventory/types/slr:PriceQuantity"
LISTING_STATUS = f"{DOCS}/api-docs/sell/inventory/types/slr:ListingStatusEnum"
PAYMENT_STATUS = f"{DOCS}/api-docs/sell/fulfillment/types/sel:OrderPaymentStatusEnum"
FULFILLMENT = f"{DOCS}/develop/api/sell/fulfillment_api.md"
ERROR_CODES = f"{DOCS}/develop/api/sell/error_codes"
LIMITS = f"{DOCS}/develop/get-started/api-call-limits"
OAUTH = f"{DOCS}/api-docs/static/oauth-refresh-token-request.html"
OAUTH_LIMITS = f"{DOCS}/api-docs/static/oauth-rate-limits.html"
OAUTH_REVOKED = f"{DOCS}/support/kb-article?KBid=5218"
NOTICES = f"{DOCS}/api-docs/commerce/notification/overview.html"
TOPICS = f"{DOCS}/develop/api/buy/notification_events"
DELETION = f"{DOCS}/marketplace-account-deletion"
SDK = "https://github.com/eBay/event-notification-nodejs-sdk"
OUT_OF_STOCK = f"{DOCS}/api-docs/user-guides/static/trading-user-guide/out-of-stock-enable.html"
RATE_LIMITS = f"{DOCS}/api-docs/developer/analytics/overview.html"

_BROKEN = (
    Rule("oauth.client", "The token endpoint knows its clients by Basic authentication: 401 invalid_client.", OAUTH),
    Rule("oauth.form", "The token endpoint takes a form.", OAUTH),
    Rule("oauth.grant", "A refresh token that is revoked, too old or another's is 400 invalid_grant.", OAUTH_REVOKED),
    Rule("oauth.kind", "Grants other than refresh_token and client_credentials are not for this: 400.", OAUTH),
    Rule("oauth.scope", "More scopes than the seller consented to give 400 invalid_scope.", OAUTH),
    Rule("oauth.calls", "50,000 refreshes and 1,000 application tokens a day.", OAUTH_LIMITS),
    Rule("auth.missing", "Without a token: 400, error 1002.", ERROR_CODES),
    Rule("auth.scheme", "Another scheme than Bearer: 400, error 1003.", ERROR_CODES),
    Rule("auth.token", "A token that is unknown, revoked or older than 2 hours: 401, error 1001.", ERROR_CODES),
    Rule("auth.scope", "A token without the scope that the call asks for: 403, error 1100.", ERROR_CODES),
    Rule("calls.day", "Inventory 2,000,000, order 100,000, Notification 10,000 calls a day: 429, error 2001.", LIMITS),
    Rule("json", "A body is JSON and says so: Content-Type application/json.", BULK),
    Rule("bulk.most", "One call updates at most 25 inventory items.", BULK_TYPE),
    Rule("bulk.offers", "At most 25 offers of an inventory item are updated by one call.", BULK),
    Rule("bulk.sku", "A ship-to-home quantity is updated by sku, and the sku is one of the seller's.", NODE_TYPE),
    Rule("bulk.offer", "An offer that is updated exists and is published: others go by updateOffer.", NODE_TYPE),
    Rule("bulk.twice", "An offerId is named once in a container.", BULK),
    Rule("bulk.of_sku", "Offers that are updated beside a ship-to-home quantity are of its sku.", NODE_TYPE),
    Rule("bulk.quantity", "Quantities are whole numbers from 0 on: error 25709.", INVENTORY_SPEC),
    Rule("bulk.zero", "Without the out-of-stock control of the account a published offer cannot go to 0.", None),
    Rule("revisions", "A listing is revised at most 250 times a calendar day, then not until the next.", BULK),
    Rule("items.limit", "getInventoryItems: limit from 1 to 200, offset a page from 0 on.", INVENTORY_SPEC),
    Rule("items.unknown", "getInventoryItem of a sku that is not there: 404, error 25710.", INVENTORY_SPEC),
    Rule("items.most", "bulkGetInventoryItem reads at most 25: error 25727.", INVENTORY_SPEC),
    Rule("items.twice", "bulkGetInventoryItem names a sku once: error 25734.", INVENTORY_SPEC),
    Rule("offers.sku", "getOffers needs a sku of at most 50 characters: error 25707.", INVENTORY_SPEC),
    Rule("offers.none", "getOffers of a sku without offers: 404, error 25713.", None),
    Rule("orders.filter", "Filters: creationdate, lastmodifieddate, orderfulfillmentstatus: 30700.", FULFILLMENT_SPEC),
    Rule("orders.value", "A filter's value is one of those shown: error 30800.", FULFILLMENT_SPEC),
    Rule("orders.date", "Dates are ISO 8601 in UTC, the first is given: errors 30810, 30820.", FULFILLMENT_SPEC),
    Rule("orders.range", "From before to, none in the future, within 2 years: 30830, 30840, 30850.", FULFILLMENT_SPEC),
    Rule("orders.ids", "At most 50 orderIds: error 30900.", FULFILLMENT_SPEC),
    Rule("orders.page", "limit from 1 to 200, offset from 0 on: errors 31100, 31000.", FULFILLMENT_SPEC),
    Rule("orders.unknown", "getOrder of an order that is not there: 404, error 32100.", FULFILLMENT_SPEC),
    Rule("notices.config", "No destination without an address for alerts: 409, error 195003.", NOTIFICATION_SPEC),
    Rule("notices.email", "That address is one: 400, error 195025.", NOTIFICATION_SPEC),
    Rule("notices.endpoint", "An endpoint is https, and not of an internal network: error 195017.", NOTIFICATION_SPEC),
    Rule("notices.token", "A verification token has 32 to 80 of A-Z, a-z, 0-9, _ and -: 195019.", NOTIFICATION_SPEC),
    Rule("notices.challenge", "An endpoint answers the challenge: else 409, error 195020.", NOTIFICATION_SPEC),
    Rule("notices.status", "Applications set ENABLED and DISABLED only: 195018, 195006.", NOTIFICATION_SPEC),
    Rule("notices.twice", "One destination an endpoint, one subscription a topic: 195021, 195012.", NOTIFICATION_SPEC),
    Rule("notices.destination", "A destination that is named exists: 195022, 195007.", NOTIFICATION_SPEC),
    Rule("notices.enabled", "None is subscribed at a destination that is not enabled: 195015.", NOTIFICATION_SPEC),
    Rule("notices.in_use", "An enabled destination is not deleted: 409, error 195024.", NOTIFICATION_SPEC),
    Rule("notices.topic", "A topic that is named exists: errors 195002, 195027.", NOTIFICATION_SPEC),
    Rule("notices.scope", "A topic asks for scopes that the token has: 403, error 195011.", NOTIFICATION_SPEC),
    Rule("notices.payload", "schemaVersion, format JSON, protocol HTTPS: 195008 to 195010.", NOTIFICATION_SPEC),
    Rule("notices.subscription", "A subscription that is named exists: 404, error 195013.", NOTIFICATION_SPEC),
    Rule("notices.limit", "Lists have a limit from 10 to 100: error 195004.", NOTIFICATION_SPEC),
    Rule("notices.key", "A public key that is asked for exists: 404, error 195001.", NOTIFICATION_SPEC),
)
"""Those that a caller can break, each counted."""

_KEPT = (
    Rule("tokens.life", "A user's access token lives 7,200 s; its refresh token 18 months.", OAUTH),
    Rule("bulk.both", "Quantity is updated at item and offer: a listing has the smaller of both.", BULK_GUIDE),
    Rule("bulk.outcomes", "Each sku or offer that was to be updated has a statusCode of its own.", BULK_GUIDE),
    Rule(
        "listings.zero",
        "At 0 a listing stays, OUT_OF_STOCK, where the account has that control.",
        LISTING_STATUS,
    ),
    Rule("orders.both", "creationdate wins over lastmodifieddate.", FULFILLMENT_SPEC),
    Rule("orders.cancels", "getOrders leaves cancelRequests empty, getOrder fills it.", FULFILLMENT_SPEC),
    Rule("orders.unpaid", "getOrders has only what went through checkout; payment may still be PENDING.", FULFILLMENT),
    Rule("orders.refunds", "A refund says money, not units: FULLY_REFUNDED or PARTIALLY_REFUNDED.", PAYMENT_STATUS),
    Rule("notices.order", "ORDER_CONFIRMATION is sent for each line of a paid order.", ORDER_CONFIRMATION_SPEC),
    Rule("notices.no_change", "No topic says that an order changed or an item sold: these are polled.", TOPICS),
    Rule("notices.answers", "200, 201, 202 and 204 acknowledge a notice, nothing else.", DELETION),
    Rule("notices.attempts", "A notice is sent up to three times; publishAttemptCount says which.", TOPICS),
    Rule("notices.signature", "ECDSA over the body; the header: base64 of alg, kid, signature, digest SHA1.", SDK),
    Rule(
        "notices.key_cached",
        "A public key is to be kept about an hour.",
        NOTIFICATION_SPEC,
    ),
    Rule(
        "notices.challenge_hash", "SHA-256 of challenge code, verification token, endpoint; as hex, in JSON.", DELETION
    ),
    Rule("calls.reset", "getRateLimits says limit, remaining, reset and timeWindow of each resource.", RATE_LIMITS),
    Rule("zero.control", "Out-of-stock control is a preference of the account.", OUT_OF_STOCK),
)

_ASSUMED = (
    Rule("assumed.status", "207 if one outcome is not 200, 200 else; what is wrong with the whole call is 400.", None),
    Rule("assumed.whole_node", "What was asked for one sku happens whole, or none of it.", None),
    Rule("assumed.revision", "One node of a call that touches a listing is one revision, changed or not.", None),
    Rule("assumed.revision_error", "A listing past its revisions answers 25019, in eBay's own words for it.", None),
    Rule("assumed.zero_error", "An offer that may not go to 0 answers 25004 (others saw it).", None),
    Rule("assumed.unknown_ids", "Unknown skus and offers in a bulk call answer 25702 and 25713.", None),
    Rule("assumed.sold_both", "A sale lowers the quantity of item and offer alike, a cancellation raises both.", None),
    Rule("assumed.day", "A day of quotas begins when this server starts; eBay's own is one of the Pacific.", None),
    Rule("assumed.no_retry_after", "A 429 has no Retry-After.", None),
    Rule("assumed.cancel_state", "A cancelled order has cancelState CANCELED.", None),
    Rule("assumed.pending", "An order whose payment is under way is in getOrders, PENDING.", None),
    Rule("assumed.notice_data", "ORDER_CONFIRMATION has user, and order with orderId and orderLineItems.", None),
    Rule("assumed.notice_wait", "An endpoint has 3 s to answer, as with platform notifications (KBid=1916).", None),
    Rule("assumed.attempts", "Between attempts lie 10 s, then 60 s.", None),
    Rule("assumed.marked_down", "After a day of failures a destination is MARKED_DOWN, whatever its topics.", None),
    Rule("assumed.enabled_again", "Updating a marked down destination to ENABLED challenges and mends it.", None),
)

RULES = _BROKEN + _KEPT + _ASSUMED
