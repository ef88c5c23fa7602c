"""What WooCommerce documents, and what its source says where its pages say nothing; the rest is assumed."""

from tests.channels.shared.rules import Rule

DOCS = "https://woocommerce.github.io/woocommerce-rest-api-docs/"
SOURCE = "https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/"
KEYS = f"{DOCS}#authentication-over-https"
PLAIN = f"{DOCS}#authentication-over-http"
ERRORS = f"{DOCS}#errors"
PAGES = f"{DOCS}#pagination"
PRODUCTS = f"{DOCS}#product-properties"
BATCH = f"{DOCS}#batch-update-products"
VARIATIONS = f"{DOCS}#product-variations"
ORDERS = f"{DOCS}#list-all-orders"
ORDER = f"{DOCS}#order-properties"
REFUNDS = f"{DOCS}#refunds"
WEBHOOKS = f"{DOCS}#webhooks"
HOOK_SOURCE = f"{SOURCE}class-wc-webhook.php"
HOOKS_API = f"{SOURCE}rest-api/Controllers/Version1/class-wc-rest-webhooks-v1-controller.php"
NO_RETRIES = "https://github.com/woocommerce/woocommerce/issues/28860"
LOST = "https://github.com/woocommerce/woocommerce/issues/59381"

_BROKEN = (
    Rule("auth.missing", "Without consumer key and secret: 401.", ERRORS),
    Rule("auth.key", "With a wrong key or secret: 401.", ERRORS),
    Rule("auth.read_only", "A key that may only read does not write: 401.", f"{DOCS}#rest-api-keys"),
    Rule("auth.plain", "Over plain HTTP keys are not taken as they are: OAuth 1.0a signs.", PLAIN),
    Rule("route", "What is not served is 404 rest_no_route.", ERRORS),
    Rule("json", "A body is JSON: 400 rest_invalid_json.", f"{DOCS}#request-response-format"),
    Rule("page", "page and per_page are whole numbers from 1 on, per_page at most 100: 400.", PAGES),
    Rule("parameter", "Parameters have the type and one of the values that are documented: 400.", ORDERS),
    Rule("product.unknown", "A product that is not there: 404 woocommerce_rest_product_invalid_id.", ERRORS),
    Rule("product.variation", "A variation is written below its product, not as a product.", VARIATIONS),
    Rule("variation.unknown", "A variation that is not there, or is another product's: 404.", ERRORS),
    Rule("stock.integer", "stock_quantity is a whole number: 400.", PRODUCTS),
    Rule("stock.unmanaged", "stock_quantity counts only where manage_stock is true; else it is dropped.", PRODUCTS),
    Rule("batch.most", "At most 100 objects in one batch: 413.", BATCH),
    Rule("order.unknown", "An order that is not there: 404 woocommerce_rest_shop_order_invalid_id.", ERRORS),
    Rule("hook.topic", "A webhook has a topic that there is: 400.", HOOKS_API),
    Rule("hook.url", "Its delivery_url begins with http:// or https://: 400.", HOOKS_API),
    Rule("hook.status", "Its status is active, paused or disabled: 400.", HOOKS_API),
    Rule("hook.unknown", "A webhook that is not there: 400 woocommerce_rest_shop_webhook_invalid_id.", HOOKS_API),
    Rule("hook.force", "A webhook is deleted with force=true, else 501.", HOOKS_API),
)
"""Those that a caller can break, each counted."""

_KEPT = (
    Rule("batch.outcomes", "Each object of a batch has its result, or an error with code and message.", BATCH),
    Rule("page.headers", "X-WP-Total and X-WP-TotalPages tell how many, Link names the neighbours.", PAGES),
    Rule("page.default", "A page has 10 objects unless per_page says more.", PAGES),
    Rule("dates", "Dates have no zone; *_gmt are UTC, the others the site's.", ORDER),
    Rule("dates.gmt", "modified_after is of the site's zone, of UTC with dates_are_gmt=true.", ORDERS),
    Rule("stock.parent", "manage_stock of a variation may be 'parent': its product counts.", VARIATIONS),
    Rule("refund.lines", "A refund has lines with quantities below 0.", REFUNDS),
    Rule("hook.signature", "Base64 of HMAC-SHA256 over the body, keyed by the secret as it is.", WEBHOOKS),
    Rule("hook.delivery", "The header is X-WC-Webhook-Delivery-ID, though a page says X-WC-Delivery-ID.", HOOK_SOURCE),
    Rule("hook.same_id", "The delivery id is a hash of webhook and second: two of one second share it.", HOOK_SOURCE),
    Rule("hook.ping", "A new webhook is pinged: a form, webhook_id=..., unsigned; the answer is ignored.", HOOKS_API),
    Rule("hook.success", "200 to 302 is success; no redirect is followed; it waits a minute.", HOOK_SOURCE),
    Rule("hook.no_retries", "What was not taken is not sent again.", NO_RETRIES),
    Rule("hook.disabled", "After six failures one after the other the next one disables it.", HOOK_SOURCE),
    Rule("hook.count_stays", "Switched on again, it keeps its count: the next failure disables it.", HOOKS_API),
    Rule("hook.lost", "Notices get lost.", LOST),
    Rule("hook.secret", "A webhook's secret is never shown.", WEBHOOKS),
)

_ASSUMED = (
    Rule("assumed.tls", "What comes over HTTP here came over HTTPS to a proxy, unless --no-tls.", None),
    Rule("assumed.after", "modified_after leaves out its own second; changes are kept by whole seconds.", None),
    Rule("assumed.zone", "A date with a zone is refused: nothing says how it is read.", None),
    Rule("assumed.on_hold", "An order that waits for its payment is on-hold, and holds its stock.", None),
    Rule("assumed.edit", "An edited order has its new quantities in its lines.", None),
    Rule("assumed.back", "What is cancelled or refunded with restocking is for sale again.", None),
    Rule("assumed.moved", "product.updated is sent when an order takes stock, too.", None),
    Rule("assumed.hook_body", "The body is the object as it was when the notice was caused.", None),
    Rule("assumed.loopback", "Notices go to addresses of this machine too, which WordPress would refuse.", None),
    Rule("assumed.variation_hook", "A variation's change is told as product.updated of the variation.", None),
)

RULES = _BROKEN + _KEPT + _ASSUMED
