"""*Ledger*: requests, commits, races, holds."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.observe.boards.board import board
from deploy.observe.boards.panels import Panel, lines, table
from deploy.observe.boards.processes import processes, traces
from deploy.observe.boards.queries import WINDOW, Query, mean, quantile, quantiles, rate, share

REQUEST = "stockwire_ledger_request_seconds"
WITHOUT_POLLS = '{route!="/v1/events"}'
"""These wait on purpose."""


def ledger() -> Dashboard:
    words = "Requests and their answers, how batches are committed, and what holds them up."
    rows = {
        "Requests": requests(),
        "Commits": commits(),
        "Races": races(),
        "Holds": holds(),
        "Rate limits": rates(),
        "Processes": [*processes("ledger", "version, schema"), nodes(), traces("ledger")],
    }
    return board("Ledger", words, rows)


def requests() -> list[Panel]:
    return [
        lines(
            "Requests by outcome",
            "reqps",
            [Query(rate(f"{REQUEST}_count", "outcome"), "{{outcome}}")],
            "failed is the only one that is the ledger's fault.",
            stacked=True,
            alert="StockwireWritesBurnFast",
        ),
        lines(
            "Requests by route",
            "reqps",
            [Query(rate(f"{REQUEST}_count", "method", "route"), "{{method}} {{route}}")],
            "other: paths and methods that there are not.",
            stacked=True,
        ),
        lines(
            "p99 by route",
            "s",
            [Query(quantile(0.99, REQUEST, "method", "route", where=WITHOUT_POLLS), "{{method}} {{route}}")],
            "From the read request until its answer begins.",
        ),
        lines(
            "All requests", "s", quantiles(REQUEST, where=WITHOUT_POLLS), "Without long polls, which wait on purpose."
        ),
        lines(
            "Problems",
            "reqps",
            [Query(rate("stockwire_ledger_problems_total", "type"), "{{type}}")],
            "Problem documents answered, by type: docs/reference/problems.md.",
            stacked=True,
        ),
        lines(
            "Turned away unseen",
            "reqps",
            [Query(rate("stockwire_ledger_turned_away_total", "reason"), "{{reason}}")],
            "Nothing of these was read. in_flight: another ledger helps.",
            alert="StockwireClientsTurnedAway",
        ),
        lines(
            "Under way",
            "short",
            [
                Query("sum by (instance) (stockwire_ledger_in_flight)", "{{instance}}: requests"),
                Query("sum by (instance) (stockwire_ledger_long_polls)", "{{instance}}: long polls"),
                Query("sum by (instance) (stockwire_ledger_connections)", "{{instance}}: connections"),
            ],
            "By ledger.",
        ),
        lines(
            "Said again",
            "reqps",
            [
                Query(rate("stockwire_ledger_replays_total"), "answered from what was stored"),
                Query(rate("stockwire_ledger_joined_total"), "joined one under way"),
            ],
            "Requests that came a second time with their key. Many: callers do not get their answers.",
        ),
    ]


def commits() -> list[Panel]:
    batches = rate("stockwire_ledger_batches_total")
    return [
        lines(
            "Committed",
            "ops",
            [
                Query(rate("stockwire_ledger_operations_total"), "operations"),
                Query(rate("stockwire_ledger_events_total"), "events"),
                Query(batches, "batches"),
            ],
            "An event is a change of one level by one operation.",
        ),
        lines(
            "Operations in a batch",
            "short",
            [Query(share(rate("stockwire_ledger_operations_total"), batches), "on average")],
            "They share a commit: more under load is as it should be.",
        ),
        lines(
            "How long a batch takes",
            "s",
            quantiles("stockwire_ledger_batch_seconds"),
            "Until it was committed, refused or given up, retries included.",
        ),
        lines(
            "Where the time goes",
            "s",
            [
                Query(mean("stockwire_ledger_wait_seconds"), "an operation waits for a writer"),
                Query(mean("stockwire_ledger_batch_seconds"), "a batch"),
                Query(mean("stockwire_ledger_statement_seconds"), "its statement, in the database"),
                Query(mean("stockwire_ledger_publish_seconds"), "a message, to the broker"),
            ],
            "Means. Statement large: the database. Wait large and statement small: the ledger has too much to do.",
        ),
        lines(
            "p99 of each",
            "s",
            [
                Query(quantile(0.99, "stockwire_ledger_wait_seconds"), "wait"),
                Query(quantile(0.99, "stockwire_ledger_batch_seconds"), "batch"),
                Query(quantile(0.99, "stockwire_ledger_statement_seconds"), "statement"),
                Query(quantile(0.99, "stockwire_ledger_publish_seconds"), "publish"),
            ],
            "The same, of the slowest in a hundred.",
        ),
        lines(
            "Writers at work",
            "percentunit",
            [
                Query(
                    f"sum by (instance) (rate(stockwire_ledger_commit_seconds_total[{WINDOW}]))",
                    "{{instance}}",
                )
            ],
            "Of all their time: one writer for each shard, so 100 % is one writer that never rests.",
        ),
        lines(
            "Lines that wait for a writer",
            "short",
            [Query("sum by (instance) (stockwire_ledger_queued_lines)", "{{instance}}")],
            "Stays above 0: commits do not keep up. At 20,000 for one writer callers get 503.",
            alert="StockwireQueueGrowing",
        ),
        lines(
            "Refused",
            "ops",
            [Query(rate("stockwire_ledger_refused_total", "type"), "{{type}}")],
            "Operations refused on a level, by problem type.",
            stacked=True,
        ),
    ]


def races() -> list[Panel]:
    batches = rate("stockwire_ledger_batches_total")
    return [
        lines(
            "Batches that met another",
            "percentunit",
            [
                Query(share(rate("stockwire_ledger_conflicts_total"), batches), "decided again under locks"),
                Query(share(rate("stockwire_ledger_locked_batches_total"), batches), "under locks at all"),
                Query(share(rate("stockwire_ledger_turns_total"), batches), "waited for their turn"),
            ],
            "Conflicts in a tenth of batches or more: ledgers do not hear of each other. Look at the broker.",
            limits={0.1: "red"},
            alert="StockwireConflicts",
        ),
        lines(
            "What went wrong",
            "ops",
            [
                Query(rate("stockwire_ledger_missed_turns_total"), "turns that nobody took"),
                Query(rate("stockwire_ledger_lock_timeouts_total"), "lock timeouts"),
                Query(rate("stockwire_ledger_bisections_total"), "bisections"),
                Query(rate("stockwire_ledger_lost_connections_total"), "connections lost"),
            ],
            "Any is worth a look. Bisections: one operation holds up its neighbours; the log names the reason.",
            alert="StockwireBisections",
        ),
        lines(
            "What writers remember",
            "short",
            [
                Query("sum by (instance) (stockwire_ledger_remembered_levels)", "{{instance}}: levels"),
                Query("sum by (instance) (stockwire_ledger_listened_shards)", "{{instance}}: shards listened to"),
            ],
            "Levels whose version is known are decided without reading them.",
        ),
    ]


def holds() -> list[Panel]:
    return [
        lines(
            "Open",
            "short",
            [Query("max by (state) (stockwire_ledger_holds_open)", "{{state}}")],
            "Reservations in the database. All ledgers say the same.",
        ),
        lines(
            "Let go",
            "ops",
            [
                Query(rate("stockwire_ledger_holds_expired_total"), "their time was over"),
                Query(rate("stockwire_ledger_holds_released_before_refusal_total"), "and somebody needed the units"),
            ],
            "Of baskets that nobody paid for.",
        ),
        lines(
            "Overdue",
            "s",
            [Query("max by (instance) (stockwire_ledger_sweeper_delay_seconds)", "{{instance}}")],
            "Units go back to the shelf late above 5 s: the ledger is overloaded, or its database was away.",
            limits={5: "red"},
            alert="StockwireHoldsReleasedLate",
        ),
    ]


def rates() -> list[Panel]:
    return [
        lines(
            "Rate limits",
            "reqps",
            [
                Query(rate("stockwire_ledger_rate_limited_total"), "refused"),
                Query(rate("stockwire_ledger_rate_leases_total"), "blocks asked for"),
                Query(rate("stockwire_ledger_rate_failed_total"), "blocks not answered"),
            ],
            "Of owners that sent too many requests. Not answered: the limits are each ledger's own meanwhile.",
        ),
        lines(
            "Counted together",
            "short",
            [Query("min by (instance) (stockwire_ledger_rate_limits_shared)", "{{instance}}")],
            "1: for all ledgers, in Redis. 0: each counts alone.",
        ),
    ]


def nodes() -> Panel:
    columns = {"processes": ("none", "count by (node, instance) (stockwire_ledger_node)")}
    return table("Machines", columns, "Which ledger runs where.")
