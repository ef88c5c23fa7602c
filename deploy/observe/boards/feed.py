"""Of *Hubs*: how they follow the ledger, and what they hold of it."""

from deploy.observe.boards.panels import Panel, heat, lines, states
from deploy.observe.boards.queries import WINDOW, Query, quantiles, rate


def following() -> list[Panel]:
    behind = (
        "max by (shard) (stockwire_ledger_head) - on (shard) group_right () "
        "max by (instance, shard) (stockwire_hub_applied_seq)"
    )
    return [
        states(
            "Fresh",
            Query("min by (instance) (stockwire_hub_fresh)", "{{instance}}"),
            "Red: this hub is behind, and its clients are told.",
            one="fresh",
            zero="behind",
            alert="StockwireHubNotFresh",
        ),
        lines(
            "Commit to hub",
            "s",
            quantiles("stockwire_hub_transit_seconds"),
            "From the commit of a batch until a hub applied it. Compares the clocks of two machines.",
            limits={0.25: "orange"},
            alert="StockwireCommitToHubBurnFast",
        ),
        heat("Commit to hub, all", "stockwire_hub_transit_seconds", "How these times are spread."),
        lines(
            "Behind",
            "s",
            [
                Query("max by (instance) (stockwire_hub_lag_seconds)", "{{instance}}: lag"),
                Query(
                    f"sum by (instance) (rate(stockwire_hub_behind_seconds_total[{WINDOW}]))",
                    "{{instance}}: of each second",
                ),
                Query(rate("stockwire_hub_behind_total"), "times a second"),
            ],
            "Lag as clients are told it; and the share of time in which a hub was not fresh.",
            limits={1: "red"},
            alert="StockwireHubLate",
        ),
        lines("Events behind the ledger", "short", [Query(behind, "{{instance}}, shard {{shard}}")], "By shard."),
        lines(
            "Events",
            "ops",
            [
                Query(rate("stockwire_hub_events_total", "instance"), "{{instance}}"),
                Query(rate("stockwire_hub_log_events_total", "instance"), "{{instance}}: from the log"),
            ],
            "From the log: the broker had lost them.",
        ),
        lines(
            "What the broker did not do",
            "ops",
            [
                Query(rate("stockwire_hub_log_reads_total"), "reads of the log"),
                Query(rate("stockwire_hub_duplicates_total"), "batches known already"),
                Query(rate("stockwire_hub_unreadable_messages_total"), "messages that cannot be read"),
                Query("sum(stockwire_hub_waiting_events)", "events that wait for one before them"),
            ],
            "A few after each reconnection. Messages that cannot be read: two versions that do not fit.",
        ),
        lines(
            "History",
            "ops",
            [
                Query(rate("stockwire_hub_confirmations_total"), "asked whether it is the same"),
                Query(rate("stockwire_hub_rewrites_total"), "rewritten"),
            ],
            "Rewritten: an older database was put back.",
        ),
    ]


def levels() -> list[Panel]:
    return [
        lines(
            "Subscriptions",
            "short",
            [Query("sum by (instance) (stockwire_hub_subscriptions)", "{{instance}}")],
            "That are served.",
            stacked=True,
        ),
        lines(
            "Subscribed",
            "ops",
            [
                Query(rate("stockwire_hub_subscribed_total"), "all"),
                Query(rate("stockwire_hub_resumes_total", "recovered"), "with a position, recovered: {{recovered}}"),
                Query(rate("stockwire_hub_given_up_total"), "given up"),
            ],
            "Recovered: goes on where it was, without a snapshot. Given up: the ledger gave nothing in time.",
        ),
        lines(
            "How long a snapshot takes",
            "s",
            quantiles("stockwire_hub_snapshot_seconds"),
            "From the request until the last part was written.",
        ),
        lines(
            "Snapshots",
            "ops",
            [
                Query(rate("stockwire_hub_snapshot_levels_total"), "levels"),
                Query(rate("stockwire_hub_snapshot_parts_total"), "parts"),
            ],
            "Written to clients.",
        ),
        lines(
            "Levels held",
            "short",
            [
                Query("sum by (instance) (stockwire_hub_levels)", "{{instance}}"),
                Query("sum by (instance) (stockwire_hub_idle_levels)", "{{instance}}: nobody watches"),
            ],
            "In memory.",
        ),
        lines(
            "Levels loaded",
            "ops",
            [
                Query(rate("stockwire_hub_loaded_levels_total"), "levels"),
                Query(rate("stockwire_hub_loads_total"), "answers of the ledger"),
                Query(rate("stockwire_hub_load_retries_total"), "asked again"),
                Query(rate("stockwire_hub_levels_let_go_total"), "let go of"),
            ],
            "Let go of and loaded again and again: there is room for too few.",
        ),
    ]
