"""The profiles that Stockwire knows: which columns the exports of shop systems have.

Each names the maker's page of its export, and which columns are not confirmed there or on another page of the maker.
Exports change: columns are found by their names wherever they stand, later names stand beside earlier ones, and a
profile is taken for a file only if the file has all the columns that it needs and those that mark it.
"""

from collections.abc import Mapping, Sequence

from stockwire.importing.errors import UnreadableFile
from stockwire.importing.profile import FIELDS, Profile, for_kind, load_profile, saved_profile

_ONLINE_RETAIL = Profile(
    name="online-retail",
    kind="sales",
    source="https://doi.org/10.24432/C5BW33",
    marks=("StockCode", "InvoiceDate"),
    columns={
        "number": ("InvoiceNo", "Invoice"),
        "sku": ("StockCode",),
        "quantity": ("Quantity",),
        "at": ("InvoiceDate",),
        "name": ("Description",),
        "price": ("UnitPrice", "Price"),
    },
    negatives="write_off",
    services=(
        *("POST", "DOT", "C2", "D", "M", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "ADJUST", "ADJUST2", "GIFT"),
        *("GIFT_*", "B@A"),
    ),
    dates="dmy",
    decimal=".",
)
"""The *Online Retail* data sets of the UCI repository, of which the sample is one. Codes that are no goods, in any case
of letters: postage, carriage, discounts, manual entries, samples, charges, fees, commissions and adjustments of money;
and code B on numbers that begin with A, which is bad debt. Every other code is goods: nothing is left out by a guess.
"""

_SHOPIFY_ORDERS = Profile(
    name="shopify-orders",
    kind="sales",
    source="https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders",
    marks=("Name", "Lineitem quantity", "Lineitem sku"),
    columns={
        "number": ("Name",),
        "sku": ("Lineitem sku",),
        "quantity": ("Lineitem quantity",),
        "at": ("Created at",),
        "name": ("Lineitem name",),
        "price": ("Lineitem price",),
        "currency": ("Currency",),
        "location": ("Location",),
        "status": ("Financial Status",),
        "cancelled": ("Cancelled at",),
    },
    left_out=("voided", "expired"),
    unclear=("refunded", "partially_refunded"),
    carried=("at", "currency", "location", "status", "cancelled"),
    decimal=".",
    numbers="unique",
)
"""Orders > Export. What belongs to the order stands in its first line only."""

_SHOPIFY_VARIANTS = {"variant1": ("Option1 Value",), "variant2": ("Option2 Value",), "variant3": ("Option3 Value",)}

_SHOPIFY_PRODUCTS = Profile(
    name="shopify-products",
    kind="items",
    source="https://help.shopify.com/en/manual/products/import-export/using-csv",
    marks=("Title", "Option1 Value"),
    columns={
        "sku": ("Variant SKU", "SKU"),
        "name": ("Title",),
        "price": ("Variant Price", "Price"),
        **_SHOPIFY_VARIANTS,
        "group": ("Handle", "URL handle"),
        "attribute.vendor": ("Vendor",),
        "attribute.barcode": ("Variant Barcode", "Barcode"),
    },
    carried=("name", "attribute.vendor"),
    plain=("Default Title",),
    decimal=".",
)
"""Products > Export. One line for each variant; the title stands in the first of a product; images have no sku."""

_SHOPIFY_INVENTORY = Profile(
    name="shopify-inventory",
    kind="stock",
    source="https://help.shopify.com/en/manual/products/inventory/inventory-csv",
    unconfirmed=("On hand (current)",),
    marks=("Handle", "Location"),
    columns={
        "sku": ("SKU",),
        "on_hand": ("On hand (current)", "On hand"),
        "location": ("Location",),
        "name": ("Title",),
        **_SHOPIFY_VARIANTS,
    },
    left_out=("not stocked",),
    plain=("Default Title",),
    decimal=".",
)
"""Products > Inventory > Export, of all quantities: what is on hand there is what is counted here."""

_SQUARE_ITEMS_SOLD = Profile(
    name="square-items-sold",
    kind="sales",
    source="https://squareup.com/help/us/en/article/5380-export-reports-online",
    unconfirmed=("*",),
    marks=("Price Point Name", "Transaction ID"),
    columns={
        "number": ("Transaction ID",),
        "sku": ("SKU",),
        "quantity": ("Qty",),
        "at": ("Date",),
        "time": ("Time",),
        "timezone": ("Time Zone",),
        "name": ("Item",),
        "total": ("Gross Sales",),
        "location": ("Location",),
        "type": ("Event Type",),
    },
    goods=("Payment", "Refund"),
    refunds=("Refund",),
    decimal=".",
    numbers="unique",
)
"""Transactions > Export > Items Detail CSV. Refunds are lines of their own, of type Refund."""

_SQUARE_LIBRARY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sku": ("SKU",),
    "name": ("Item Name",),
    "variant1": ("Variation Name",),
}

_SQUARE_LIBRARY = Profile(
    name="square-library",
    kind="items",
    source="https://squareup.com/help/us/en/article/5153-import-items-online",
    marks=("Token", "Item Name", "Variation Name"),
    columns={**_SQUARE_LIBRARY_COLUMNS, "price": ("Price",), "attribute.gtin": ("GTIN",)},
    plain=("Regular", "variable"),
    decimal=".",
)
"""Items > Actions > Export library, CSV or Excel."""

_SQUARE_STOCK = Profile(
    name="square-stock",
    kind="stock",
    source=_SQUARE_LIBRARY.source,
    marks=("Token", "Item Name", "Variation Name"),
    columns={**_SQUARE_LIBRARY_COLUMNS, "on_hand": ("Current Quantity *",)},
    plain=("Regular",),
    decimal=".",
)
"""The same file: it has a column *Current Quantity* for each location."""

_WOOCOMMERCE_LINES = Profile(
    name="woocommerce-order-lines",
    kind="sales",
    source="https://woocommerce.com/document/ordercustomer-csv-export-developer-documentation/",
    unconfirmed=("*",),
    marks=("order_number", "item_sku", "item_quantity"),
    columns={
        "number": ("order_number",),
        "sku": ("item_sku",),
        "quantity": ("item_quantity",),
        "at": ("order_date", "date"),
        "name": ("item_name",),
        "total": ("item_total",),
        "currency": ("order_currency",),
        "status": ("status",),
    },
    left_out=("cancelled", "failed", "pending", "checkout-draft", "trash"),
    unclear=("refunded",),
    numbers="unique",
)
"""Customer / Order / Coupon Export, format *Default - One Row per Item*. WooCommerce's own Analytics name no skus."""

_WOOCOMMERCE_SOURCE = "https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema"
_WOOCOMMERCE_PARENTS = ("variable", "grouped", "external")

_WOOCOMMERCE_PRODUCTS = Profile(
    name="woocommerce-products",
    kind="items",
    source=_WOOCOMMERCE_SOURCE,
    marks=("Type", "SKU", "Regular price"),
    columns={
        "sku": ("SKU",),
        "name": ("Name",),
        "price": ("Regular price",),
        "type": ("Type",),
        "attribute.categories": ("Categories",),
    },
    left_out=_WOOCOMMERCE_PARENTS,
)
"""Products > Export. Parents of variations are no items of their own."""

_WOOCOMMERCE_STOCK = Profile(
    name="woocommerce-stock",
    kind="stock",
    source=_WOOCOMMERCE_SOURCE,
    marks=("Type", "SKU", "In stock?"),
    columns={"sku": ("SKU",), "on_hand": ("Stock",), "name": ("Name",), "type": ("Type",)},
    left_out=(*_WOOCOMMERCE_PARENTS, ""),
)
"""The same file. A product whose stock is not managed has none there."""

_LIGHTSPEED_SALES = Profile(
    name="lightspeed-sales",
    kind="sales",
    source="https://x-series-support.lightspeedhq.com/",
    unconfirmed=("*",),
    marks=("Line Type", "Receipt Number", "Sku"),
    columns={
        "number": ("Receipt Number",),
        "sku": ("Sku",),
        "quantity": ("Quantity",),
        "at": ("Date",),
        "name": ("Details",),
        "type": ("Line Type",),
        "status": ("Status",),
    },
    goods=("Sale Line",),
    left_out=("voided", "saved"),
    carried=("at", "status"),
    decimal=".",
    numbers="unique",
)
"""Lightspeed Retail (X-Series, once Vend), Sales history > Export list: for each sale a line *Sale*, one *Sale
Line* for each product, negative where it came back, and one *Payment* for each payment."""

_LIGHTSPEED_SOURCE = "https://support.vendhq.com/hc/en-us/articles/4650130313487"

_LIGHTSPEED_PRODUCTS = Profile(
    name="lightspeed-products",
    kind="items",
    source=_LIGHTSPEED_SOURCE,
    marks=("handle", "sku", "supply_price", "variant_option_one_value"),
    columns={
        "sku": ("sku",),
        "name": ("name",),
        "price": ("retail_price",),
        "variant1": ("variant_option_one_value",),
        "variant2": ("variant_option_two_value",),
        "variant3": ("variant_option_three_value",),
        "attribute.brand": ("brand_name",),
    },
    decimal=".",
)
"""Lightspeed Retail (X-Series), Catalog > Products > Export."""

_LIGHTSPEED_STOCK = Profile(
    name="lightspeed-stock",
    kind="stock",
    source=_LIGHTSPEED_SOURCE,
    marks=("handle", "sku", "supply_price"),
    columns={
        "sku": ("sku",),
        "on_hand": ("inventory_*",),
        "name": ("name",),
        "variant1": ("variant_option_one_value",),
    },
    left_out=("",),
    decimal=".",
)
"""The same file: it has a column *inventory_OUTLET* for each outlet."""


OWN = "own-"
"""How the names begin of the profiles with Stockwire's own names of fields: nothing needs to be said about them."""


def _own(kind: str) -> Profile:
    """Columns by the names of the fields themselves, and the few that say the same in any shop."""
    same = {
        "number": ("number", "invoice", "receipt", "order"),
        "quantity": ("quantity", "qty"),
        "at": ("at", "occurred_at", "date"),
    }
    return Profile(
        name=f"{OWN}{kind}",
        kind=kind,
        columns={name: same.get(name, (name,)) for name in FIELDS[kind] if name != "attribute"}
        | ({"attribute.*": ("attribute.*",)} if kind == "items" else {}),
    )


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        *(_ONLINE_RETAIL, _SHOPIFY_ORDERS, _SQUARE_ITEMS_SOLD, _WOOCOMMERCE_LINES, _LIGHTSPEED_SALES),
        *(_SHOPIFY_PRODUCTS, _SQUARE_LIBRARY, _WOOCOMMERCE_PRODUCTS, _LIGHTSPEED_PRODUCTS),
        *(_SHOPIFY_INVENTORY, _SQUARE_STOCK, _WOOCOMMERCE_STOCK, _LIGHTSPEED_STOCK),
        *(_own("sales"), _own("items"), _own("stock")),
    )
}
"""In this order they are tried; the plain ones last."""

NOT_FOR_IMPORT: Mapping[tuple[str, ...], str] = {
    ("Order #", "Product(s)", "Items sold"): (
        "this is WooCommerce's Analytics > Orders, which names no skus: export the orders' lines instead, with "
        "Customer / Order / Coupon Export in its format Default - One Row per Item"
    ),
    ("Transaction ID", "Total Collected", "Net Total"): (
        "this is Square's Transactions CSV, which names no items: export the Items Detail CSV instead"
    ),
}
"""Exports that look right and are not, by columns that mark them, and what to take in their place."""


def find_profile(name_or_file: str, kind: str) -> Profile:
    """A built-in one by its name, or one that was saved, by its name or file. Raises UnreadableFile."""
    if name_or_file in PROFILES:
        return for_kind(PROFILES[name_or_file], kind)
    path = saved_profile(name_or_file)
    if path is None:
        known = ", ".join(names_of(kind))
        raise UnreadableFile(f"--profile {name_or_file!r} is neither a file, nor one saved, nor one of {known}")
    return load_profile(path, kind)


def names_of(kind: str) -> Sequence[str]:
    return [profile.name for profile in PROFILES.values() if profile.kind == kind]
