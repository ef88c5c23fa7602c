"""What the console says of one process, of two readings of its metrics. Pure.

Nothing is shown that was not measured: None, and `unknown` says why.
"""

from dataclasses import dataclass
from typing import Any

from console.moments import text_of
from console.watched.metric_page import STARTED, Reading, rate

LEDGER, HUB = "stockwire_ledger_", "stockwire_hub_"
AWAY_WHY = "the process does not answer"
ONE_READING = "it takes two readings, a second apart"
NOT_STATED = "this process does not state it: it is of another version"
OF_A_LEDGER = {
    "lag_ms": "a ledger has none: it is what others lag behind",
    "draining": "a ledger is stopped, not drained",
    "deliveries_per_s": "a ledger delivers nothing to screens",
    "conflated": "a ledger skips nothing",
    "slow_readers": "a ledger waits for no reader",
}
OF_A_HUB = {"schema": "a hub has no database", "conflicts": "a hub commits nothing"}
_RESYNCS = (
    ("clients came back with a position and got what they had missed", "resumes_total", "recovered", "true"),
    ("clients came back with a position and had to begin anew", "resumes_total", "recovered", "false"),
    ("the log was read to fill a gap or to follow it", "log_reads_total", "", ""),
    ("the broker was subscribed to", "broker_subscriptions_total", "", ""),
    ("history was rewritten and everything dropped", "rewrites_total", "", ""),
    ("subscriptions ended because the ledger gave nothing in time", "given_up_total", "", ""),
)


@dataclass(frozen=True, slots=True)
class Watched:
    """``admin``: the URL of its admin port, by which it is found. ``newest`` and ``before``: its last two readings;
    None if it does not answer."""

    name: str
    admin: str
    newest: Reading | None
    before: Reading | None

    @property
    def kind(self) -> str | None:
        if self.newest is None:
            return None
        if f"{LEDGER}version" in self.newest.samples:
            return "ledger"
        return "hub" if f"{HUB}version" in self.newest.samples else None


def shown_name(admin: str, reading: Reading | None) -> str:
    """Its own, else its address."""
    own = reading and (reading.label(f"{HUB}node", "node") or reading.label(f"{LEDGER}node", "node"))
    return own or admin.split("://", 1)[-1]


def node_of(watched: Watched) -> dict[str, Any]:
    """As `console/contract/nodes.json` has it."""
    now, kind = watched.newest, watched.kind
    if now is None or kind is None:
        why = AWAY_WHY if now is None else "it is no ledger and no hub"
        return {
            **_nothing(watched),
            "state": "away" if now is None else "foreign",
            "unknown": dict.fromkeys(_NUMBERS, why),
        }
    node = {
        **_nothing(watched),
        **_of_any(now, watched.before),
        **(_ledger if kind == "ledger" else _hub)(now, watched.before),
    }
    reasons = OF_A_LEDGER if kind == "ledger" else OF_A_HUB
    waiting = ONE_READING if watched.before is None else NOT_STATED
    unknown = {name: reasons.get(name, waiting) for name in _NUMBERS if node[name] is None}
    return {**node, "kind": kind, "unknown": unknown}


_NUMBERS = (
    *("version", "schema", "started_at", "lag_ms", "broker_up", "draining", "clients", "changes_per_s"),
    *("deliveries_per_s", "conflated", "slow_readers", "conflicts", "memory_bytes", "cpu_percent"),
)


def _nothing(watched: Watched) -> dict[str, Any]:
    return {
        "name": watched.name,
        "kind": None,
        "state": "away",
        "admin": watched.admin,
        **dict.fromkeys(_NUMBERS),
        "queues": [],
        "resyncs": [],
        "may_drain": False,
    }


def _of_any(now: Reading, before: Reading | None) -> dict[str, Any]:
    started, cpu_s = now.value(STARTED), rate(before, now, "process_cpu_seconds_total")
    return {
        "started_at": None if started is None else text_of(started),
        "memory_bytes": now.whole("process_resident_memory_bytes"),
        "cpu_percent": None if cpu_s is None else round(cpu_s * 100, 1),
    }


def _ledger(now: Reading, before: Reading | None) -> dict[str, Any]:
    return {
        "state": "ready" if now.ready else "unready",
        "version": now.label(f"{LEDGER}version", "version"),
        "schema": now.label(f"{LEDGER}version", "schema"),
        "broker_up": _flag(now, f"{LEDGER}broker_up"),
        "clients": now.whole(f"{LEDGER}connections"),
        "changes_per_s": _rounded(rate(before, now, f"{LEDGER}events_total")),
        "conflicts": now.whole(f"{LEDGER}conflicts_total"),
        "queues": _queues(
            now,
            ("lines that wait for a writer", f"{LEDGER}queued_lines"),
            ("messages that wait for the broker", f"{LEDGER}queued_messages"),
            ("requests under way", f"{LEDGER}in_flight"),
        ),
    }


def _hub(now: Reading, before: Reading | None) -> dict[str, Any]:
    fresh = _flag(now, f"{HUB}fresh")
    lag_s = now.value(f"{HUB}lag_seconds")
    streams = [now.whole(f"{HUB}connections"), now.whole(f"{HUB}event_streams")]
    return {
        "state": ("fresh" if fresh else "behind") if now.ready else "unready",
        "version": now.label(f"{HUB}version", "version"),
        "lag_ms": None if lag_s is None else round(lag_s * 1_000),
        "broker_up": _flag(now, f"{HUB}broker_up"),
        "draining": _flag(now, f"{HUB}draining"),
        "may_drain": True,
        "clients": None if None in streams else sum(count or 0 for count in streams),
        "changes_per_s": _rounded(rate(before, now, f"{HUB}events_total")),
        "deliveries_per_s": _rounded(rate(before, now, f"{HUB}deliveries_total")),
        "conflated": now.whole(f"{HUB}conflated_total"),
        "slow_readers": now.whole(f"{HUB}behind_sessions"),
        "queues": _queues(
            now,
            ("levels that wait for slow readers", f"{HUB}dirty_levels"),
            ("events that wait for what is missing before them", f"{HUB}waiting_events"),
        ),
        "resyncs": [
            {"reason": reason, "count": count}
            for reason, name, label, value in _RESYNCS
            if (count := _count(now, f"{HUB}{name}", label, value)) is not None
        ],
    }


def _queues(now: Reading, *named: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"what": what, "length": length} for what, name in named if (length := now.whole(name)) is not None]


def _count(now: Reading, name: str, label: str, value: str) -> int | None:
    if name not in now.samples:
        return None
    return round(now.by(name, label).get(value, 0.0)) if label else now.whole(name)


def _flag(now: Reading, name: str) -> bool | None:
    value = now.value(name)
    return None if value is None else value > 0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
