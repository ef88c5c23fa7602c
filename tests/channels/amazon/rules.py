"""What Amazon documents that it refuses, limits or does, and what of it nobody documents."""

from tests.channels.shared.rules import Rule

DOCS = "https://developer-docs.amazon.com/sp-api/docs/"
REFERENCE = "https://developer-docs.amazon.com/sp-api/reference/"
LOGIN = "https://developer.amazon.com/docs/login-with-amazon/"
MODELS = "https://github.com/amzn/selling-partner-api-models/"

GRANT = LOGIN + "authorization-code-grant.html"
CONNECTING = DOCS + "connecting-to-the-selling-partner-api"
PLANS = DOCS + "usage-plans-and-rate-limits"
FEED_LIMITS = (
    "https://developer-docs.amazon.com/sp-api/changelog/"
    "update-feed-size-and-rate-limit-changes-for-the-json_listings_feed"
)
PATCH = REFERENCE + "patchlistingsitem"
MERGE = DOCS + "merge-a-listing"
UNKNOWN, MISSING = MODELS + "issues/2797", MODELS + "issues/4283"
LISTINGS_MODEL = MODELS + "blob/main/models/listings-items-api-model/listingsItems_2021-08-01.json"
SEARCH = REFERENCE + "searchlistingsitems"
SEARCHING = DOCS + "search-for-listings-items-by-id"
UPLOAD = REFERENCE + "createfeeddocument"
LISTED = REFERENCE + "getfeeds"
FEED_SCHEMA = MODELS + "blob/main/schemas/feeds/listings-feed-schema-v2.json"
ORDERS = REFERENCE + "searchorders"
QUEUES = DOCS + "set-up-notifications-with-amazon-sqs"
SUBSCRIBE = REFERENCE + "createsubscription"

RULES = (
    # Login with Amazon
    Rule("login.form", "A token is asked for with a form.", GRANT),
    Rule(
        "login.grant",
        "Of grants there are refresh_token and client_credentials.",
        CONNECTING,
    ),
    Rule("login.client", "Another client or secret is an invalid_client.", GRANT),
    Rule(
        "login.refresh",
        "A refresh token that is wrong or revoked is an invalid_grant.",
        GRANT,
    ),
    Rule(
        "login.scope",
        "A scope that is not one of SP-API's is an invalid_scope.",
        GRANT,
    ),
    Rule("token.missing", "Every operation wants x-amz-access-token.", CONNECTING),
    Rule("token.expired", "An access token is good for one hour.", LOGIN + "access-token.html"),
    Rule(
        "token.invalid",
        "A token that is revoked or malformed is refused with 403.",
        CONNECTING,
    ),
    Rule(
        "token.grantless",
        "Grantless operations take a token by scope, others one of the seller.",
        DOCS + "grantless-operations",
    ),
    # Quotas
    Rule(
        "quota",
        "A token bucket for each operation; an empty one is a 429 QuotaExceeded.",
        PLANS,
    ),
    Rule(
        "quota.feed",
        "Five feeds of type JSON_LISTINGS_FEED in five minutes.",
        FEED_LIMITS,
    ),
    # Listings
    Rule("seller", "Seller and marketplace belong together, one at a time.", PATCH),
    Rule("sku.encoded", "What is special in a sku is encoded in the path.", DOCS + "url-encoding"),
    Rule("sku.forbidden", "Some skus meet a 403 when they are patched, whoever asks.", MODELS + "issues/4429"),
    Rule("sku.unknown", "A listing that is not there is a 404 NOT_FOUND when it is read.", MISSING),
    Rule(
        "patch.unknown",
        "A patch of a sku that is not there is accepted; nothing comes of it.",
        UNKNOWN,
    ),
    Rule(
        "patch.body",
        "A patch has a product type and operations: add, replace, merge, delete.",
        PATCH,
    ),
    Rule("patch.path", "Only attributes as a whole can be patched.", PATCH),
    Rule(
        "patch.selector",
        "Availability without fulfillment_channel_code is INVALID, 99022.",
        MERGE,
    ),
    Rule(
        "patch.quantity",
        "A quantity is a whole number of 0 or more.",
        LISTINGS_MODEL,
    ),
    Rule("patch.channel", "The channel is one that the seller fulfils: DEFAULT.", MERGE),
    Rule(
        "patch.refused",
        "What a listing lacks makes a submission INVALID, with its issues.",
        PATCH,
    ),
    Rule("patch.late", "ACCEPTED is not applied: it is in the listing later.", DOCS + "partially-update-a-listing"),
    Rule("patch.order", "Patches of one sku are applied in the order in which they were accepted.", None),
    Rule("patch.absolute", "A quantity is applied as it was sent, over sales that came since.", None),
    Rule("search.page", "A page has 20 listings at most.", SEARCH),
    Rule("search.thousand", "At most 1,000 listings of a search can be paged through.", SEARCHING),
    Rule("search.identifiers", "At most 20 identifiers, with their type.", SEARCH),
    Rule("search.comma", "A comma in a sku parts it in two, encoded or not.", SEARCHING),
    Rule(
        "search.parameters",
        "Times are ISO 8601; sorted by sku, createdDate, lastUpdatedDate.",
        SEARCH,
    ),
    # Feeds
    Rule(
        "feed.upload",
        "Content is uploaded with the type that was named, within 5 minutes.",
        UPLOAD,
    ),
    Rule("feed.document", "A feed is created of a document that was uploaded.", REFERENCE + "createfeed"),
    Rule(
        "feed.messages",
        "A feed has 25,000 messages at most.",
        FEED_LIMITS,
    ),
    Rule(
        "feed.schema",
        "Messages follow the feed's schema, each with an id of its own.",
        FEED_SCHEMA,
    ),
    Rule(
        "feed.queue",
        "Feeds are processed one after the other, as they came.",
        DOCS + "feeds-api-faq",
    ),
    Rule("feeds.types", "Feeds are listed by 1 to 10 types, or by the token of a next page.", LISTED),
    Rule("feeds.filters", "Marketplaces, 1 to 10, statuses that there are, and times in ISO 8601.", LISTED),
    Rule("feeds.page", "A page has 1 to 100 feeds.", LISTED),
    Rule("feeds.token", "The token of a next page goes alone, and is one that was given out.", LISTED),
    Rule("feed.cancel", "Only a feed in the queue can be cancelled.", REFERENCE + "cancelfeed"),
    Rule(
        "feed.overtaken",
        "A feed's number is applied when it is processed, over newer patches.",
        None,
    ),
    Rule("feed.too_large", "A feed that is too large ends FATAL, with a report that says so.", None),
    # Orders
    Rule(
        "orders.after",
        "One of createdAfter and lastUpdatedAfter, no bound of the other kind.",
        ORDERS,
    ),
    Rule(
        "orders.before",
        "An upper bound lies two minutes back; the answer says which it was.",
        ORDERS,
    ),
    Rule("orders.page", "A page has 1 to 100 orders.", ORDERS),
    Rule(
        "orders.token",
        "A pagination token is one that was given out, and goes with the same search.",
        ORDERS,
    ),
    Rule("orders.unknown", "An order that is not there is a 404 NOT_FOUND.", REFERENCE + "getorder"),
    Rule("orders.pending", "An order whose payment is not authorized is PENDING.", ORDERS),
    Rule("orders.newest", "In which order a page comes is not said: here the newest change is the first.", None),
    Rule("orders.lines", "What was cancelled of an order is no longer in quantityOrdered.", None),
    # Notifications
    Rule(
        "notices.destination",
        "A destination names a queue by its ARN, once.",
        QUEUES,
    ),
    Rule(
        "notices.subscription",
        "One subscription of a type, to a destination that there is.",
        SUBSCRIBE,
    ),
    Rule("notices.type", "Of types there is ORDER_CHANGE, payload version 1.0.", DOCS + "notification-type-values"),
    Rule("notices.time", "TimeOfOrderChange is the order's lastUpdatedTime.", None),
    Rule("notices.again", "A notice that the queue did not take is sent again for some minutes.", None),
)
