"""Accounts at strict servers: settings and credentials of a channel."""

from tests.channels.ebay.tokens import CLIENT_ID as EBAY_ID
from tests.channels.shared.starting import Market
from tests.channels.shopify.access import CLIENT_ID, CLIENT_SECRET
from tests.channels.shopify.shop import MAIN
from tests.followers.marketplaces.ebay.bench import CREDENTIALS

Account = tuple[dict[str, str], dict[str, str]]


def at_shopify(there: Market) -> Account:
    return {"shop": there.url, "location": MAIN, "client_id": CLIENT_ID}, {"secret": CLIENT_SECRET}


def at_ebay(there: Market) -> Account:
    """Orders are found there a second after they were placed."""
    settings = {"client_id": EBAY_ID, "api_url": there.url, "alert_email": "us@example.com", "orders_late_s": "1"}
    return settings, dict(CREDENTIALS)
