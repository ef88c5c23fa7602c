"""docs/reference/marketplaces.md, made from the rules of the strict servers: `make reference` writes it."""

from collections.abc import Iterator, Sequence

from tests.channels.amazon.rules import RULES as AMAZON
from tests.channels.ebay.rules import RULES as EBAY
from tests.channels.shared.rules import Rule
from tests.channels.shopify.rules import RULES as SHOPIFY
from tests.channels.woocommerce.rules import RULES as WOOCOMMERCE
from tests.harness.source import REFERENCE

PAGE = REFERENCE / "marketplaces.md"
VENDORS = {"Shopify": SHOPIFY, "Amazon": AMAZON, "eBay": EBAY, "WooCommerce": WOOCOMMERCE}
HEAD = """\
<!-- Made by `make reference` from tests/channels/*/rules.py. Change those. -->
# Marketplaces, as the tests have them

Adapters are tested against servers of our own that stand in for marketplaces which cannot be reached from a test. Each
enforces the rules below, counts who breaks them, and answers as its vendor does. A rule names the page that documents
it, or the place where it was recorded or can be read in source; *assumed*: it was found nowhere. If you know better,
say so: a rule that is wrong makes an adapter wrong.
"""


def page() -> str:
    return "\n".join([HEAD, *(line for vendor, rules in VENDORS.items() for line in _of(vendor, rules))])


def _of(vendor: str, rules: Sequence[Rule]) -> Iterator[str]:
    assumed = sum(rule.source is None for rule in rules)
    yield f"## {vendor}"
    yield f"{len(rules)} rules, {assumed} of them assumed.\n"
    yield "| rule | what it demands | source |\n|---|---|---|"
    for rule in rules:
        yield f"| `{rule.id}` | {_cell(rule.says)} | {_source(rule.source)} |"
    yield ""


def _source(source: str | None) -> str:
    if source is None:
        return "*assumed*"
    return f"<{source}>" if source.startswith("https://") else _cell(source)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
