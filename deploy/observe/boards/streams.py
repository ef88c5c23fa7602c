"""Of *Database and broker*: what relays write to a broker of yours."""

from deploy.observe.boards.panels import Panel, lines, states
from deploy.observe.boards.queries import Query, rate


def streams() -> list[Panel]:
    return [
        states(
            "Relays reach it",
            Query("min by (sink, instance) (stockwire_relay_sink_up)", "{{sink}}: {{instance}}"),
            "The broker that changes are written to. While it is away, the log keeps what it is owed.",
            one="yes",
            zero="away",
            alert="StockwireStreamAway",
        ),
        states(
            "Relays follow the log",
            Query("min by (instance) (stockwire_relay_feed_up)", "{{instance}}"),
            "Red: no ledger answers the relay.",
            one="yes",
            zero="no",
        ),
        lines(
            "The stream is behind",
            "s",
            [Query("min by (sink, shard) (stockwire_relay_behind_seconds)", "{{sink}}: shard {{shard}}")],
            "How old the oldest event is that is not at the broker.",
            limits={60: "red"},
            alert="StockwireStreamBehind",
        ),
        lines(
            "Events that are not there yet",
            "short",
            [Query("min by (sink, shard) (stockwire_relay_behind_events)", "{{sink}}: shard {{shard}}")],
            "Of each shard. They fall while a relay catches up.",
        ),
        lines(
            "Written",
            "ops",
            [
                Query(rate("stockwire_relay_messages_total", "sink"), "{{sink}}: messages"),
                Query(rate("stockwire_relay_batches_total", "sink"), "{{sink}}: batches"),
            ],
            "A batch is a page of one shard, whole.",
        ),
        lines(
            "Who writes",
            "short",
            [
                Query("sum by (sink, instance) (stockwire_relay_writes)", "{{sink}}: {{instance}}: shards"),
                Query("max by (sink, shard) (stockwire_relay_stopped)", "{{sink}}: shard {{shard}}: stopped"),
                Query(rate("stockwire_relay_claims_total"), "taken, in a second"),
                Query(rate("stockwire_relay_superseded_total"), "taken away, in a second"),
            ],
            "Shards are taken at a start and after a failure; else a relay is too slow. Stopped: /readyz says why.",
            alert="StockwireStreamStopped",
        ),
        lines(
            "Seq at the broker",
            "short",
            [Query("max by (sink, shard) (stockwire_relay_seq)", "{{sink}}: shard {{shard}}")],
            "Of the last event. One that falls: history was rewritten, and all levels are told anew.",
        ),
    ]
