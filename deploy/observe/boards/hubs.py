"""*Hubs*: who is connected, what they are sent, how hubs follow the ledger, and how clients are moved."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.observe.boards.board import board
from deploy.observe.boards.feed import following, levels
from deploy.observe.boards.panels import Panel, heat, lines, table
from deploy.observe.boards.processes import processes, traces
from deploy.observe.boards.queries import WINDOW, Query, quantile, quantiles, rate, share

REQUEST = "stockwire_hub_request_seconds"


def hubs() -> Dashboard:
    words = "Who is connected, what they are sent, how hubs follow the ledger, and how clients are moved."
    rows = {
        "Clients": clients(),
        "Deliveries": deliveries(),
        "Following the ledger": following(),
        "Subscriptions and levels": levels(),
        "Moves and drains": moves(),
        "Reads over HTTP": reads(),
        "Processes": [*processes("hub", "version"), nodes(), traces("hub")],
    }
    return board("Hubs", words, rows)


def clients() -> list[Panel]:
    return [
        lines(
            "Connections",
            "short",
            [
                Query("sum by (instance) (stockwire_hub_connections)", "{{instance}}"),
                Query("sum by (instance) (stockwire_hub_event_streams)", "{{instance}}: event streams"),
            ],
            "By worker. An even share each is what a balancer aims at.",
            stacked=True,
        ),
        lines(
            "Connections by state",
            "short",
            [
                Query("sum by (state) (stockwire_hub_connections_by_state)", "{{state}}"),
                Query("sum(stockwire_hub_unauthenticated)", "no key yet, stream port"),
            ],
            "connecting: no key or token yet. slow: over its write limit.",
        ),
        lines(
            "Come",
            "ops",
            [Query(rate("stockwire_hub_upgrades_total", "status"), "{{status}}")],
            "Upgrades by HTTP status; 101 is a connection, 503 one that found no place.",
            stacked=True,
        ),
        lines(
            "Gone",
            "ops",
            [
                Query(rate("stockwire_hub_closes_total", "code"), "{{code}}"),
                Query(rate("stockwire_hub_cut_off_total"), "did not answer the close"),
            ],
            "Connections that hubs ended, by close code: docs/reference/protocol.md.",
            stacked=True,
            alert="StockwireClientsGone",
        ),
        lines(
            "Turned away",
            "ops",
            [
                Query(rate("stockwire_hub_turned_away_total", "limit"), "{{limit}}"),
                Query(rate("stockwire_hub_visitors_turned_away_total", "reason"), "visitors: {{reason}}"),
            ],
            "places and rate rise in a flood or a launch: another hub helps. address alone: a few greedy ones, or "
            "a proxy that is not named.",
            alert="StockwireClientsTurnedAway",
        ),
        lines(
            "Visitors",
            "short",
            [Query("sum by (port) (stockwire_hub_visitors)", "{{port}}")],
            "People without a key who are here, of all hubs.",
            stacked=True,
        ),
        lines(
            "Keys",
            "ops",
            [
                Query(rate("stockwire_hub_key_checks_total"), "asked of the ledger"),
                Query(rate("stockwire_hub_token_refusals_total"), "turned down"),
                Query(rate("stockwire_hub_revocations_total"), "revocations heard"),
            ],
            "Keys and tokens that clients show.",
        ),
        lines(
            "Errors to clients",
            "ops",
            [Query(rate("stockwire_hub_errors_total", "code"), "{{code}}")],
            "Requests of clients answered with an error, by its code.",
        ),
    ]


def deliveries() -> list[Panel]:
    frames = rate("stockwire_hub_deliveries_total")
    return [
        lines(
            "Deliveries",
            "ops",
            [
                Query(frames, "level frames"),
                Query(rate("stockwire_hub_writes_total"), "writes"),
                Query(rate("stockwire_hub_conflated_total"), "skipped for slow readers"),
            ],
            "Who reads too slowly gets the newest state instead of each change.",
        ),
        lines(
            "Frames in a write",
            "short",
            [Query(share(frames, rate("stockwire_hub_writes_total")), "on average")],
            "How well deliveries are joined.",
        ),
        lines(
            "Bytes",
            "Bps",
            [Query(f"sum by (instance) (rate(stockwire_hub_level_bytes_total[{WINDOW}]))", "{{instance}}")],
            "Of level frames, snapshots left out.",
            stacked=True,
        ),
        lines(
            "Hub to screens",
            "s",
            quantiles("stockwire_hub_flush_seconds"),
            "From the first change that came in until it was written to all who can be written to.",
        ),
        heat("Hub to screens, all", "stockwire_hub_flush_seconds", "How these times are spread."),
        lines(
            "Slow readers",
            "short",
            [
                Query("sum by (instance) (stockwire_hub_behind_sessions)", "{{instance}}: sessions"),
                Query("sum by (instance) (stockwire_hub_dirty_levels)", "{{instance}}: levels they are owed"),
            ],
            "Who is owed something and cannot be written to now.",
            alert="StockwireClientsSlow",
        ),
    ]


def moves() -> list[Panel]:
    return [
        lines(
            "Sent elsewhere",
            "ops",
            [Query(rate("stockwire_hub_moved_total", "reason"), "{{reason}}")],
            "share: asked by POST /drain?share=. age: older than connections may become.",
        ),
        lines(
            "Still to go",
            "short",
            [
                Query("sum by (instance) (stockwire_hub_moving)", "{{instance}}"),
                Query("max by (instance) (stockwire_hub_draining)", "{{instance}}: drains"),
            ],
            "Clients of a share whose turn has not come; 1 while a hub drains.",
        ),
        lines(
            "How long that takes",
            "s",
            [Query(quantile(0.99, "stockwire_hub_drain_seconds", "kind"), "p99: {{kind}}")],
            "all: until nobody was left. share: until the last of it was told.",
        ),
    ]


def reads() -> list[Panel]:
    return [
        lines(
            "Requests by route",
            "reqps",
            [Query(rate(f"{REQUEST}_count", "method", "route"), "{{method}} {{route}}")],
            "Of the read port.",
            stacked=True,
        ),
        lines(
            "p99 by route",
            "s",
            [Query(quantile(0.99, REQUEST, "method", "route"), "{{method}} {{route}}")],
            "Until the answer begins.",
        ),
        lines(
            "Requests by outcome",
            "reqps",
            [
                Query(rate(f"{REQUEST}_count", "outcome"), "{{outcome}}"),
                Query(rate("stockwire_hub_problems_total", "type"), "problem: {{type}}"),
            ],
            "And the problem documents among the answers, by type.",
        ),
        lines(
            "Rate limits",
            "reqps",
            [
                Query(rate("stockwire_hub_rate_limited_total"), "refused"),
                Query(rate("stockwire_hub_rate_leases_total"), "blocks asked for"),
                Query(rate("stockwire_hub_rate_failed_total"), "blocks not answered"),
                Query("min(stockwire_hub_rate_limits_shared)", "counted for all hubs together"),
            ],
            "Not answered: the limits are each hub's own meanwhile.",
        ),
    ]


def nodes() -> Panel:
    return table("Nodes", {"workers": ("none", "count by (node) (stockwire_hub_node)")}, "Workers of each.")
