"""Figures of the whole system, as several topics show them."""

import math
import time
from collections.abc import Iterable
from typing import Any

from console.following.nodes import Node
from console.topics.watch import Watch
from console.watched.history import Point
from console.watched.metric_page import Reading, rate
from console.watched.node import HUB, LEDGER
from console.watched.percentiles import of_buckets, since, together
from console.watched.trouble import Trouble, of_node, of_versions

NO_LEDGER, NO_HUB = "no ledger's admin port answers (STOCKWIRE_ADMIN_URLS)", "no hub's admin port answers"
TWO_READINGS = "it takes two readings, a second apart"
NOTHING_LATELY = "nothing was committed in the last minute"
BEYOND = "longer than the histogram's last bucket"
CLOCKS = "the clocks of the database and of the console differ"
NOT_STATED = "no process states it: they are of another version"
SEGMENTS = (
    ("commit", "a ledger takes a batch", "it is committed", f"{LEDGER}batch_seconds", "ledger"),
    ("publish", "it is committed", "a hub has it", f"{HUB}transit_seconds", "hub"),
    ("hub", "a hub has it", "it is written to the screens", f"{HUB}flush_seconds", "hub"),
)


def answering(watch: Watch, kind: str) -> list[tuple[Node, Reading]]:
    return [
        (node, watched.newest)
        for node, watched in watch.nodes.watched()
        if watched.kind == kind and watched.newest is not None
    ]


def summed_rate(watch: Watch, kind: str, name: str) -> tuple[float | None, str]:
    """Per second over all processes of a kind, or why not."""
    nodes = answering(watch, kind)
    if not nodes:
        return None, NO_LEDGER if kind == "ledger" else NO_HUB
    rates = [rate(node.before, now, name) for node, now in nodes]
    known = [one for one in rates if one is not None]
    return (round(sum(known), 2), "") if known else (None, TWO_READINGS)


def with_reasons(figures: dict[str, tuple[Any, str]]) -> dict[str, Any]:
    """Each value, and in ``unknown`` why those are None that are."""
    values = {name: value for name, (value, _) in figures.items()}
    return {**values, "unknown": {name: why for name, (value, why) in figures.items() if value is None}}


def log_rates(watch: Watch, now: float) -> tuple[tuple[float | None, str], tuple[float | None, str]]:
    """Changes and units sold a second, or why they are not known."""
    if watch.log.away is not None:
        return (None, watch.log.away), (None, watch.log.away)
    if (clocks_differ_s(watch, now) or 0.0) > 0:  # what is new looks as if it had been before the console began
        return (None, CLOCKS), (None, CLOCKS)
    changes, sold = watch.log.throughput.per_s(now)
    return (round(changes, 2), ""), (round(sold, 2), "")


def screens(watch: Watch) -> tuple[int | None, str]:
    hubs = answering(watch, "hub")
    counts = [now.whole(f"{HUB}{name}") or 0 for _, now in hubs for name in ("connections", "event_streams")]
    return (sum(counts), "") if hubs else (None, NO_HUB)


def holds_open(watch: Watch) -> dict[str, float]:
    """By state, as the ledger says that counted last: they count the same."""
    found = [now.by(f"{LEDGER}holds_open", "state") for _, now in answering(watch, "ledger")]
    return max(found, key=lambda states: sum(states.values()), default={})


def segments(watch: Watch) -> list[dict[str, Any]]:
    """From commit to this process. The rest of the way, to the screen, is the browser's to measure."""
    found = [_segment(watch, *segment) for segment in SEGMENTS]
    now = time.time()
    p50_ms, p99_ms, count = watch.levels.arrivals.figures(now)
    why = "" if clocks_differ_s(watch, now) is None else CLOCKS
    ends = "this console has it from a hub"
    return [*found, _segment_of("console", "it is committed", ends, p50_ms, p99_ms, count, why)]


def clocks_differ_s(watch: Watch, now: float) -> float | None:
    return watch.levels.arrivals.clocks_differ_s(now)


def _segment(watch: Watch, name: str, begins: str, ends: str, metric: str, kind: str) -> dict[str, Any]:
    nodes = answering(watch, kind)
    counted = [
        since(node.oldest.buckets(metric), now.buckets(metric))
        for node, now in nodes
        if node.oldest and now.buckets(metric)
    ]
    buckets = together(counted)
    count = round(buckets.get(math.inf, 0))
    p50_s, p99_s = of_buckets(buckets, 0.50), of_buckets(buckets, 0.99)
    why = ""
    if not nodes:
        why = NO_LEDGER if kind == "ledger" else NO_HUB
    elif not counted:
        stated = any(now.buckets(metric) for _, now in nodes)
        why = TWO_READINGS if stated else NOT_STATED
    return _segment_of(name, begins, ends, _ms(p50_s), _ms(p99_s), count, why)


def _segment_of(
    name: str, begins: str, ends: str, p50_ms: float | None, p99_ms: float | None, count: int, why: str = ""
) -> dict[str, Any]:
    why = why or (BEYOND if count else NOTHING_LATELY)
    figures = with_reasons({"p50_ms": (_rounded(p50_ms), why), "p99_ms": (_rounded(p99_ms), why)})
    unknown = figures.pop("unknown")
    return {"name": name, "from": begins, "to": ends, **figures, "samples": count, "unknown": unknown}


def point_of(watch: Watch, at: str, now: float) -> Point:
    (changes, _), (sold, _) = log_rates(watch, now)
    refused, _ = summed_rate(watch, "ledger", f"{LEDGER}refused_total")
    problems = problems_per_s(watch)[0]
    p50_ms, p99_ms, _ = watch.levels.arrivals.figures(now)
    return Point(at, sold, changes, refused, problems, _rounded(p50_ms), _rounded(p99_ms))


def problems_per_s(watch: Watch) -> tuple[float | None, str]:
    """Of ledgers and hubs together."""
    parts = [summed_rate(watch, "ledger", f"{LEDGER}problems_total"), summed_rate(watch, "hub", f"{HUB}problems_total")]
    known = [value for value, _ in parts if value is not None]
    return (round(sum(known), 2), "") if known else (None, parts[0][1])


def troubles(watch: Watch) -> list[dict[str, Any]]:
    """What is wrong now, the worst first."""
    found = list(_of_watching(watch))
    nodes = watch.nodes.fields()
    for fields, node in zip(nodes, watch.nodes.nodes, strict=True):
        if watch.nodes.rounds:
            found += of_node(fields, node.now)
    found += of_versions(nodes)
    return [trouble.fields() for trouble in sorted(found, key=lambda one: one.severity != "failed")]


def _of_watching(watch: Watch) -> Iterable[Trouble]:
    if watch.log.audit.oversold:
        (sku, location), reason = watch.log.audit.wrong[0]
        yield Trouble(
            "failed", f"the log does not add up: {sku} at {location}: {reason}", "run `stockwire doctor --audit`"
        )
    if watch.log.away is not None:
        yield Trouble("failed", f"the log is not followed: {watch.log.away}", "is the ledger there? (STOCKWIRE_URL)")
    if (behind_s := clocks_differ_s(watch, time.time())) is not None:
        side = "behind" if behind_s > 0 else "ahead of"
        seems = "is" if behind_s < 0 else "seems to be"  # else everything takes so long, though the hub is live
        what = f"the database's clock {seems} {abs(behind_s):.1f} s {side} the console's: latencies are not known"
        yield Trouble("warning", what, "set both machines' clocks by NTP")
    if watch.levels.state != "live":
        what = {"connecting": "no hub is connected to", "stale": "the hub says that it is behind"}[watch.levels.state]
        yield Trouble("failed", f"{what}: levels shown here are old", "is a hub there, and does it reach the ledger?")
    if not watch.nodes.nodes:
        yield Trouble("warning", "no admin ports are known: most figures are missing", "set STOCKWIRE_ADMIN_URLS")


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1_000


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
