"""*Database and broker*: PostgreSQL and Valkey, as ledgers and hubs meet them; what is written, audited and relayed."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.observe.boards.board import board
from deploy.observe.boards.panels import Panel, lines, states
from deploy.observe.boards.processes import processes
from deploy.observe.boards.queries import WINDOW, Query, quantile, quantiles, rate
from deploy.observe.boards.streams import streams

NO_SLOT = 'label_replace(vector(0), "slot", "none", "", "")'


def database_and_broker() -> Dashboard:
    words = "PostgreSQL and Valkey as ledgers and hubs meet them, the audit of what is written, and who relays it."
    rows = {
        "Database": database(),
        "Broker": broker(),
        "Audit": audit(),
        "The exporter's process": processes("exporter", "version"),
        "Streams": streams(),
    }
    return board("Database and broker", words, rows)


def database() -> list[Panel]:
    return [
        lines(
            "Oldest snapshot",
            "s",
            [Query("max(stockwire_ledger_oldest_snapshot_seconds)", "oldest")],
            "A report, a dump or a forgotten session keeps dead versions of hot rows: above 10 s hot levels get slow.",
            limits={10: "red"},
            alert="StockwireSnapshotHeldOpen",
        ),
        lines(
            "How long a statement takes",
            "s",
            quantiles("stockwire_ledger_statement_seconds"),
            "The commit statement of a batch, each try, until the database answered.",
        ),
        lines(
            "Locks",
            "ops",
            [
                Query(rate("stockwire_ledger_lock_timeouts_total"), "waited too long"),
                Query(rate("stockwire_ledger_locked_batches_total"), "batches under locks"),
            ],
            "Waited too long: somebody else holds rows of levels.",
        ),
        lines(
            "Away",
            "ops",
            [
                Query(rate("stockwire_ledger_lost_connections_total"), "batches that lost their connection"),
                Query(rate("stockwire_ledger_head_failures_total"), "heads that could not be read"),
            ],
            "No heartbeat goes out while heads cannot be read, and hubs say that they are behind.",
            alert="StockwireDatabaseAway",
        ),
        lines(
            "Log kept for slots",
            "bytes",
            [Query(f"max by (slot) (stockwire_ledger_slot_retained_bytes) or {NO_SLOT}", "{{slot}}")],
            "Of PostgreSQL, until Debezium has read it; 0 where nobody reads that way.",
            alert="StockwireSlotRetainsLog",
        ),
        lines(
            "Events of each shard",
            "ops",
            [Query(f"max by (shard) (rate(stockwire_ledger_head[{WINDOW}]))", "shard {{shard}}")],
            "How fast its head moves.",
            stacked=True,
        ),
        lines(
            "Heads",
            "short",
            [Query("max by (shard) (stockwire_ledger_head)", "shard {{shard}}")],
            "Seq of the last event. One that falls: an older database was put back.",
        ),
        lines(
            "History rewritten",
            "short",
            [
                Query("sum(stockwire_ledger_history_rewritten_total)", "seen by ledgers"),
                Query("sum(stockwire_hub_rewrites_total)", "seen by hubs"),
                Query("sum(stockwire_exporter_history_rewritten_total)", "seen by the exporter"),
                Query("sum(stockwire_relay_history_rewritten_total)", "seen by relays"),
            ],
            "Since the processes started. Any: an older database was put back, and everybody began anew.",
            limits={1: "red"},
            alert="StockwireHistoryRewritten",
        ),
    ]


def broker() -> list[Panel]:
    return [
        states(
            "Ledgers reach it",
            Query("min by (instance) (stockwire_ledger_broker_up)", "{{instance}}"),
            "While the broker is away, sales go on and hubs read the log.",
            one="yes",
            zero="away",
            alert="StockwireBrokerAway",
        ),
        states(
            "Hubs are subscribed",
            Query("min by (instance) (stockwire_hub_broker_up)", "{{instance}}"),
            "While the broker is away, hubs follow the log.",
            one="yes",
            zero="away",
            alert="StockwireBrokerAway",
        ),
        lines(
            "Subscribed",
            "ops",
            [Query(rate("stockwire_hub_broker_subscriptions_total", "instance"), "{{instance}}")],
            "Each after the first follows an interruption.",
        ),
        lines(
            "Messages published",
            "ops",
            [
                Query(rate("stockwire_ledger_messages_published_total"), "all"),
                Query(rate("stockwire_ledger_messages_heartbeats_total"), "heartbeats"),
                Query(rate("stockwire_ledger_messages_failed_total"), "not taken"),
                Query(rate("stockwire_ledger_messages_dropped_total"), "dropped, too many wait"),
            ],
            "What is not taken or dropped, hubs read from the log.",
            alert="StockwireMessagesLost",
        ),
        lines(
            "Messages that wait",
            "short",
            [Query("sum by (instance) (stockwire_ledger_queued_messages)", "{{instance}}")],
            "For the broker.",
        ),
        lines(
            "How long a message takes",
            "s",
            [
                *quantiles("stockwire_ledger_publish_seconds"),
                Query(quantile(0.99, "stockwire_hub_transit_seconds"), "p99 from the commit to a hub"),
            ],
            "Until the broker took it.",
        ),
        lines(
            "Heartbeats heard",
            "ops",
            [Query(rate("stockwire_hub_heartbeats_total", "instance"), "{{instance}}")],
            "A few a second for each shard. None: the broker, or all ledgers.",
        ),
        lines(
            "Rates counted in it",
            "ops",
            [
                Query(rate("stockwire_ledger_rate_leases_total"), "asked for by ledgers"),
                Query(rate("stockwire_hub_rate_leases_total"), "asked for by hubs"),
                Query(rate("stockwire_ledger_rate_failed_total"), "not answered to ledgers"),
                Query(rate("stockwire_hub_rate_failed_total"), "not answered to hubs"),
            ],
            "Not answered: each process counts alone meanwhile.",
        ),
    ]


def audit() -> list[Panel]:
    return [
        lines(
            "Violations",
            "short",
            [Query("sum by (invariant) (stockwire_audit_violations_total)", "{{invariant}}")],
            "Since the exporter started. What each means: docs/how-to/when-things-break.md.",
            limits={1: "red"},
            alert="StockwireAuditViolation",
        ),
        states(
            "The log is followed",
            Query("min by (instance) (stockwire_exporter_feed_up)", "{{instance}}"),
            "Red: no ledger answers the exporter, and nobody audits.",
            one="yes",
            zero="no",
            alert="StockwireAuditBehind",
        ),
        lines(
            "Behind",
            "s",
            [Query("max by (instance) (stockwire_audit_behind_seconds)", "{{instance}}")],
            "How old what was audited last is, while there is more.",
            limits={5: "red"},
            alert="StockwireAuditBehind",
        ),
        lines(
            "Events that wait for their audit",
            "short",
            [Query("sum by (shard) (stockwire_audit_head - stockwire_audit_seq)", "shard {{shard}}")],
            "By shard, when the log was last read.",
        ),
        lines(
            "Audited",
            "ops",
            [
                Query(rate("stockwire_audit_events_total"), "events"),
                Query(rate("stockwire_audit_first_sights_total"), "of levels not known before"),
                Query(rate("stockwire_audit_events_again_total"), "events a second time"),
                Query(rate("stockwire_audit_rows_total"), "rows of levels"),
            ],
            "Rows are compared with the last event of their level.",
        ),
        lines(
            "Levels known",
            "short",
            [
                Query("sum(stockwire_audit_levels)", "known"),
                Query("sum(stockwire_audit_levels_let_go_total)", "forgotten"),
                Query("sum(stockwire_audit_walks_total)", "times that all were read"),
            ],
            "Forgotten above 0: STOCKWIRE_EXPORTER_LEVELS_MAX is too small for this shop.",
        ),
    ]
