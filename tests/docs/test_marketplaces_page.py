"""docs/reference/marketplaces.md says what the strict servers enforce."""

from tests.docs.marketplaces_page import PAGE, VENDORS, page
from tests.docs.pages import text_of


def test_the_page_is_up_to_date() -> None:
    assert text_of(PAGE) == page(), "run `make reference`"


def test_no_rule_of_a_vendor_is_written_down_twice() -> None:
    for vendor, rules in VENDORS.items():
        assert len({rule.id for rule in rules}) == len(rules), vendor
