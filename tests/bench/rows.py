"""All rows of the bench, by the name that `--row` takes, in the order of the pages."""

from tests.bench.broker_leg import broker_leg
from tests.bench.browser import applying, holding, page_weight
from tests.bench.bulk import bulk
from tests.bench.bursts import bursts
from tests.bench.busy_console import busy_console
from tests.bench.busy_shop import busy_shop
from tests.bench.channel_shopify import channel_shopify
from tests.bench.cold import cold
from tests.bench.doors import at_once, idle, turned_away
from tests.bench.expand import expand
from tests.bench.exporter import exporter
from tests.bench.fan_out import fan_out
from tests.bench.growth import growth
from tests.bench.histograms import histograms
from tests.bench.hold_pairs import hold_pairs
from tests.bench.hot_sku import hot_sku
from tests.bench.hot_sku_http import hot_sku_http
from tests.bench.import_sales import import_sales
from tests.bench.intake import intakes
from tests.bench.latency import latency
from tests.bench.limits import limits
from tests.bench.lone_sale import lone_sale
from tests.bench.many_skus import many_skus
from tests.bench.peers import peers
from tests.bench.pending_holds import pending_holds
from tests.bench.racing import racing
from tests.bench.realistic import realistic
from tests.bench.relay import relay_catches_up
from tests.bench.relay_latency import relay_latency
from tests.bench.relay_ledger import relay_ledger
from tests.bench.sold_out import sold_out
from tests.bench.sweeping import sweeping
from tests.bench.tracing import tracing_fan_out, tracing_sale
from tests.bench.turns import Bench
from tests.bench.viewers import viewers
from tests.bench.webhooks_delivery import webhooks_delivery
from tests.bench.webhooks_hanging import webhooks_hanging
from tests.bench.webhooks_latest import webhooks_latest
from tests.bench.webhooks_ledger import webhooks_ledger

ROWS: dict[str, Bench] = {
    "hot-sku-http": hot_sku_http,
    "many-skus": many_skus,
    "sold-out": sold_out,
    "lone-sale": lone_sale,
    "latency": latency,
    "broker-leg": broker_leg,
    "hot-sku": hot_sku,
    "racing": racing,
    "hold-pairs": hold_pairs,
    "sweeping": sweeping,
    "bulk": bulk,
    "import": import_sales,
    "limits": limits,
    "histograms": histograms,
    "tracing-sale": tracing_sale,
    "fan-out": fan_out,
    "tracing-fan-out": tracing_fan_out,
    "bursts": bursts,
    "peers": peers,
    "realistic": realistic,
    "at-once": at_once,
    "turned-away": turned_away,
    "idle": idle,
    "cold": cold,
    "js-applying": applying,
    "js-holding": holding,
    "page-weight": page_weight,
    "busy-shop": busy_shop,
    "busy-console": busy_console,
    "viewers": viewers,
    "webhooks-ledger": webhooks_ledger,
    "webhooks-delivery": webhooks_delivery,
    "webhooks-hanging": webhooks_hanging,
    "webhooks-latest": webhooks_latest,
    "channel-shopify": channel_shopify,
    "exporter": exporter,
    "relay": relay_catches_up,
    "relay-latency": relay_latency,
    "relay-ledger": relay_ledger,
    "intake": intakes,
    "pending-holds": pending_holds,
    "expand": expand,
    "growth": growth,
}
LONG = (
    *("busy-shop", "busy-console", "webhooks-hanging", "webhooks-latest", "channel-shopify"),
    *("exporter", "relay", "relay-latency", "relay-ledger", "intake", "pending-holds", "expand", "growth"),
)
"""Only when they are named: each takes some minutes and more to fill."""
ONLY_NOW = (
    *("broker-leg", "peers", "hold-pairs", "sweeping", "pending-holds", "expand", "import", "growth"),
    *("js-applying", "js-holding", "page-weight", "busy-shop", "busy-console", "viewers"),
    *(
        "histograms",
        "tracing-sale",
        "tracing-fan-out",
        "webhooks-ledger",
        "webhooks-delivery",
        "webhooks-hanging",
        "webhooks-latest",
        "channel-shopify",
    ),
    "exporter",
    *("relay", "relay-latency", "relay-ledger", "intake"),
)
"""Not measured of an earlier tree: what they compare is not in its processes, or they have both sides themselves."""
