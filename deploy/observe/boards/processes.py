"""How our processes of one kind are: the same panels for each."""

from deploy.observe.boards.panels import Panel, lines, table
from deploy.observe.boards.queries import WINDOW, Query, of, rate


def processes(kind: str, labels: str) -> list[Panel]:
    """``kind``: ledger, hub, channels or exporter. ``labels``: those of its version, beside where it runs."""
    own = f"stockwire_{kind}"
    return [
        lines(
            "Memory",
            "bytes",
            [Query(of(kind, "process_resident_memory_bytes"), "{{instance}}")],
            "Resident. What only grows leaks.",
        ),
        lines(
            "Processor",
            "percentunit",
            [Query(of(kind, f"rate(process_cpu_seconds_total[{WINDOW}])"), "{{instance}}")],
            "Of one core: at 100 % the process is full, and another one helps.",
            limits={0.8: "orange"},
        ),
        lines(
            "Tasks",
            "short",
            [Query(f"{own}_tasks", "{{instance}}")],
            "Some of the process, some for each connection and request. A leak grows for ever.",
        ),
        lines(
            "Open files",
            "percentunit",
            [Query(of(kind, "process_open_fds / process_max_fds"), "{{instance}}")],
            "Of those that the process may open: each connection is one.",
            limits={0.8: "red"},
        ),
        lines(
            "TLS",
            "ops",
            [
                Query(rate(f"{own}_tls_handshakes_total", "outcome"), "{{outcome}}"),
                Query(f"sum({own}_tls_under_way)", "under way"),
            ],
            "Handshakes that ended, in a second, and those under way. None where a proxy encrypts.",
        ),
        table("Versions", {"processes": ("none", f"count by ({labels}) ({own}_version)")}, "Two during an upgrade."),
    ]


def traces(kind: str) -> Panel:
    """``kind``: ledger or hub."""
    return lines(
        "Traces",
        "ops",
        [
            Query(rate(f"stockwire_{kind}_spans_total", "outcome"), "spans {{outcome}}"),
            Query(rate(f"stockwire_{kind}_traces_limited_total"), "not traced, for others were"),
        ],
        "Failed: no collector takes them. Dropped: too many wait for it. All are 0 where no collector is named.",
    )
