"""*Launch*: does it sell, is anything sold twice, do screens tell the truth?"""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.observe.boards.board import board
from deploy.observe.boards.panels import ALARMING, Panel, lines, number, states, table
from deploy.observe.boards.queries import WINDOW, Query, quantile, quantiles, rate, share

HOTTEST = 10
"""Lines that can still be told apart."""
WRITES = (
    'method=~"POST|PUT|DELETE", route=~"/v1/(movements|operations|reservations|transfers|levels|items|locations).*", '
    'route!~".*/query"'
)
"""As the objective has them."""
SOON = {float("-inf"): "red", 5: "orange", 15: "green"}
"""Minutes until a sku is empty: the rule warns at 15."""
OBJECTIVE = {float("-inf"): "red", 0.99: "orange", 0.999: "green"}
SHOWN_WITHIN_S = "0.25"


def launch() -> Dashboard:
    words = "What sells, what is left, and whether anybody is told something wrong."
    return board("Launch", words, {"At a glance": glance(), "What sells": selling(), "Screens": screens()})


def glance() -> list[Panel]:
    answered, failed = (requests(f"outcome{which}") for which in ('=~"ok|refused"', '="failed"'))
    transit = "stockwire_hub_transit_seconds"
    within = f'sum(rate({transit}_bucket{{le="{SHOWN_WITHIN_S}"}}[{WINDOW}]))'
    return [
        number(
            "Oversold",
            "none",
            'sum(max_over_time(stockwire_audit_violations_total{invariant="oversold"}[$__range]))',
            "Levels where more is promised than there is, as the exporter found. Anything but 0: stop selling there.",
            ALARMING,
            alert="StockwireOversold",
        ),
        number(
            "Audit violations",
            "none",
            "sum(max_over_time(stockwire_audit_violations_total[$__range]))",
            "Of all invariants together; which, says the dashboard Database and broker.",
            ALARMING,
            alert="StockwireAuditViolation",
        ),
        number(
            "Audited up to",
            "s",
            "max(stockwire_audit_behind_seconds)",
            "How far the audit is behind what is sold. Above 5 nobody audits now.",
            {1: "orange", 5: "red"},
            alert="StockwireAuditBehind",
        ),
        number("Changes", "ops", rate("stockwire_ledger_operations_total"), "Operations committed in a second."),
        number(
            "Sold",
            "ops",
            "sum(stockwire_sku_sold_per_second)",
            "Units in a second, of the hundred skus that sell fastest, over the last minute.",
        ),
        number(
            "First to be empty",
            "m",
            "min(stockwire_sku_minutes_left)",
            "Minutes until the next sku is sold out, at its pace of the last minute.",
            SOON,
            alert="StockwireRapidDepletion",
        ),
        number(
            "Writes answered",
            "percentunit",
            share(answered, f"{answered} + {failed}"),
            "Of the writes that came, those that got an answer: done, or refused because stock or a version says so.",
            OBJECTIVE,
            alert="StockwireWritesBurnFast",
        ),
        number(
            "Write p99",
            "s",
            quantile(0.99, "stockwire_ledger_request_seconds", where=f"{{{WRITES}}}"),
            "99 of 100 writes were answered faster.",
            {0.5: "orange", 2: "red"},
        ),
        number(
            "At hubs within 250 ms",
            "percentunit",
            share(within, rate(f"{transit}_count")),
            "Of the batches that hubs were told, those that came within 250 ms of their commit.",
            OBJECTIVE,
            alert="StockwireCommitToHubBurnFast",
        ),
        number(
            "Hubs that are fresh",
            "percentunit",
            "avg(stockwire_hub_fresh)",
            "A hub that is not fresh is behind and tells its clients so.",
            {float("-inf"): "red", 1: "green"},
            alert="StockwireHubNotFresh",
        ),
        number(
            "Screens",
            "none",
            "sum(stockwire_hub_connections) + sum(stockwire_hub_event_streams)",
            "Open WebSocket connections and event streams.",
        ),
        number("Deliveries", "ops", rate("stockwire_hub_deliveries_total"), "Level frames written in a second."),
    ]


def selling() -> list[Panel]:
    return [
        table(
            "The hottest skus",
            {
                "sold/s": ("ops", f"topk({2 * HOTTEST}, sum by (sku) (stockwire_sku_sold_per_second))"),
                "available": ("none", "sum by (sku) (stockwire_sku_available)"),
                "minutes left": ("m", "min by (sku) (stockwire_sku_minutes_left)"),
            },
            "At all locations together. The exporter names the hundred that sell fastest, and those of its list.",
        ),
        lines(
            "Available of the hottest",
            "short",
            [hottest("sum by (sku) (stockwire_sku_available)")],
            f"Of the {HOTTEST} skus that sell fastest.",
        ),
        lines(
            "Minutes left",
            "m",
            [Query(f"bottomk({HOTTEST}, min by (sku) (stockwire_sku_minutes_left))", "{{sku}}")],
            f"Of the {HOTTEST} that are empty first, at their pace of the last minute.",
            limits={float("-inf"): "red", 15: "green"},
            alert="StockwireRapidDepletion",
        ),
        lines(
            "Sold",
            "ops",
            [Query(f"topk({HOTTEST}, sum by (sku) (stockwire_sku_sold_per_second))", "{{sku}}")],
            "Units in a second, over the last minute.",
            stacked=True,
        ),
        lines(
            "Refused",
            "ops",
            [Query(rate("stockwire_ledger_refused_total", "type"), "{{type}}")],
            "Operations refused on a level. out-of-stock is what a launch ends with.",
            stacked=True,
        ),
        lines(
            "Writes by outcome",
            "reqps",
            [Query(requests(by="outcome"), "{{outcome}}")],
            "ok: done. refused: stock or a version says no. rejected: not understood or not allowed. limited: too many "
            "of one owner. failed: no answer, or 5xx.",
            stacked=True,
        ),
        lines(
            "How long writes take",
            "s",
            quantiles("stockwire_ledger_request_seconds", where=f"{{{WRITES}}}"),
            "From the read request until its answer begins.",
        ),
        lines(
            "Lines that wait for a writer",
            "short",
            [Query("sum by (instance) (stockwire_ledger_queued_lines)", "{{instance}}")],
            "Stays above 0: commits do not keep up. At 20,000 for one writer callers get 503.",
            alert="StockwireQueueGrowing",
        ),
        lines(
            "Turned away unseen",
            "reqps",
            [
                Query(rate("stockwire_ledger_turned_away_total", "reason"), "ledger: {{reason}}"),
                Query(rate("stockwire_hub_turned_away_total", "limit"), "hub: {{limit}}"),
                Query(rate("stockwire_hub_visitors_turned_away_total", "reason"), "visitors: {{reason}}"),
            ],
            "Requests and connections that found no place.",
            alert="StockwireClientsTurnedAway",
        ),
    ]


def screens() -> list[Panel]:
    return [
        lines(
            "Commit to hub",
            "s",
            quantiles("stockwire_hub_transit_seconds"),
            "From the commit of a batch until a hub applied it. Compares the clocks of two machines.",
            limits={0.25: "orange"},
            alert="StockwireCommitToHubBurnFast",
        ),
        lines(
            "Hub to screens",
            "s",
            quantiles("stockwire_hub_flush_seconds"),
            "From the first change that came in until it was written to all who can be written to. With commit to hub "
            "that is commit to screen, but for the network.",
        ),
        states(
            "Fresh",
            Query("min by (instance) (stockwire_hub_fresh)", "{{instance}}"),
            "Red: this hub is behind, and its clients are told.",
            one="fresh",
            zero="behind",
            alert="StockwireHubNotFresh",
        ),
        lines(
            "Connections",
            "short",
            [
                Query("sum by (instance) (stockwire_hub_connections)", "{{instance}}"),
                Query("sum by (instance) (stockwire_hub_event_streams)", "{{instance}}: event streams"),
            ],
            "By hub worker. An even share each is what a balancer aims at.",
            stacked=True,
        ),
        lines(
            "Visitors",
            "short",
            [Query("sum by (port) (stockwire_hub_visitors)", "{{port}}")],
            "People without a key who are here, of all hubs.",
            stacked=True,
        ),
        lines(
            "Deliveries",
            "ops",
            [
                Query(rate("stockwire_hub_deliveries_total"), "level frames"),
                Query(rate("stockwire_hub_conflated_total"), "skipped for slow readers"),
            ],
            "Who reads too slowly gets the newest state instead of each change.",
            alert="StockwireClientsSlow",
        ),
    ]


def requests(where: str = "", *, by: str = "") -> str:
    """Writes in a second."""
    named = f"{{{', '.join(filter(None, (WRITES, where)))}}}"
    return f"sum{f' by ({by}) ' if by else ''}(rate(stockwire_ledger_request_seconds_count{named}[{WINDOW}]))"


def hottest(expr: str) -> Query:
    return Query(f"{expr} and topk({HOTTEST}, sum by (sku) (stockwire_sku_sold_per_second))", "{{sku}}")
