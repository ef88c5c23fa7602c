"""What `stockwire top` says of each process, and of all together. Pure.

Nothing is shown that was not measured: None is a dash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from cli.scrape import MEMORY, Scrape, rate


class Kind(StrEnum):
    LEDGER = "ledger"
    HUB = "hub"
    CHANNELS = "channels"
    EXPORTER = "exporter"
    RELAY = "relay"
    INTAKE = "intake"


class NodeState(StrEnum):
    """``FRESH``, ``BEHIND``: of a hub that is ready. ``UNREADY``: answers, and says that it cannot serve now.
    ``TOO_BIG``: sends more than a page of metrics has; ``FOREIGN``: its metrics are no process's of ours.
    """

    READY = "ready"
    FRESH = "fresh"
    BEHIND = "behind"
    UNREADY = "unready"
    AWAY = "away"
    TOO_BIG = "too big"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """``clients``: WebSockets and event streams. ``queued``: lines that wait for a writer; of a hub, sessions that are
    owed something; of channels, levels that wait to be sent; of a relay, events that its broker lacks; of an intake,
    commands in hand. ``conflicts`` since the process started. ``lag_ms`` as the hub tells its clients.

    Of holds, as a ledger tells: ``holds_open`` in the whole database; ``holds_expired_per_s`` that it swept;
    ``holds_released_before_refusal`` since it started: overdue ones whose units somebody needed; ``sweeper_delay_s``:
    how long the oldest overdue one of its last look has been overdue; 0 if there was none.
    """

    name: str
    kind: Kind | None
    state: NodeState
    clients: int | None = None
    changes_per_s: float | None = None
    deliveries_per_s: float | None = None
    lag_ms: float | None = None
    conflicts: int | None = None
    queued: int | None = None
    memory_bytes: int | None = None
    holds_open: int | None = None
    holds_expired_per_s: float | None = None
    holds_released_before_refusal: int | None = None
    sweeper_delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """``up``: processes that were read. ``queued``: at ledgers and hubs. ``changes_per_s``: committed by all ledgers;
    where none is looked at, applied by the hub that applied most. ``holds_open``: as the ledger says that knows of
    most: they count the same.
    """

    nodes: int
    up: int
    clients: int | None
    changes_per_s: float | None
    deliveries_per_s: float | None
    lag_ms_max: float | None
    conflicts: int | None
    queued: int | None
    memory_bytes: int | None
    holds_open: int | None
    holds_expired_per_s: float | None
    holds_released_before_refusal: int | None
    sweeper_delay_s_max: float | None


def figures_of(name: str, before: Scrape | None, after: Scrape | NodeState) -> NodeFigures:
    """``after``: what was read just now, or why nothing was. A process is what its metrics are named after."""
    if isinstance(after, NodeState):
        return NodeFigures(name, None, after)
    if after.has("stockwire_hub_"):
        return _hub(name, before, after)
    if after.has("stockwire_ledger_"):
        return _ledger(name, before, after)
    if after.has("stockwire_channels_"):
        return _channels(name, before, after)
    if after.has("stockwire_exporter_"):
        return _exporter(name, before, after)
    if after.has("stockwire_relay_"):
        return _relay(name, before, after)
    if after.has("stockwire_intake_"):
        return _intake(name, after)
    return NodeFigures(name, None, NodeState.FOREIGN)


def _ledger(name: str, before: Scrape | None, after: Scrape) -> NodeFigures:
    return NodeFigures(
        name,
        Kind.LEDGER,
        NodeState.READY if after.ready else NodeState.UNREADY,
        changes_per_s=rate(before, after, "stockwire_ledger_events_total"),
        conflicts=after.whole("stockwire_ledger_conflicts_total"),
        queued=after.whole("stockwire_ledger_queued_lines"),
        memory_bytes=after.whole(MEMORY),
        holds_open=after.whole("stockwire_ledger_holds_open"),
        holds_expired_per_s=rate(before, after, "stockwire_ledger_holds_expired_total"),
        holds_released_before_refusal=after.whole("stockwire_ledger_holds_released_before_refusal_total"),
        sweeper_delay_s=after.value("stockwire_ledger_sweeper_delay_seconds"),
    )


def _hub(name: str, before: Scrape | None, after: Scrape) -> NodeFigures:
    fresh = NodeState.FRESH if after.value("stockwire_hub_fresh") else NodeState.BEHIND
    lag_s = after.value("stockwire_hub_lag_seconds")
    streams = [after.whole(f"stockwire_hub_{name}") for name in ("connections", "event_streams")]
    return NodeFigures(
        name,
        Kind.HUB,
        fresh if after.ready else NodeState.UNREADY,
        clients=_sum(streams),
        changes_per_s=rate(before, after, "stockwire_hub_events_total"),
        deliveries_per_s=rate(before, after, "stockwire_hub_deliveries_total"),
        lag_ms=None if lag_s is None else lag_s * 1_000,
        queued=after.whole("stockwire_hub_behind_sessions"),
        memory_bytes=after.whole(MEMORY),
    )


def _channels(name: str, before: Scrape | None, after: Scrape) -> NodeFigures:
    return NodeFigures(
        name,
        Kind.CHANNELS,
        NodeState.READY if after.ready else NodeState.UNREADY,
        deliveries_per_s=rate(before, after, "stockwire_channels_attempts_total"),
        queued=after.whole("stockwire_channels_behind"),
        memory_bytes=after.whole(MEMORY),
    )


def _exporter(name: str, before: Scrape | None, after: Scrape) -> NodeFigures:
    return NodeFigures(
        name,
        Kind.EXPORTER,
        NodeState.READY if after.ready else NodeState.UNREADY,
        changes_per_s=rate(before, after, "stockwire_audit_events_total"),
        memory_bytes=after.whole(MEMORY),
    )


def _relay(name: str, before: Scrape | None, after: Scrape) -> NodeFigures:
    return NodeFigures(
        name,
        Kind.RELAY,
        NodeState.READY if after.ready else NodeState.UNREADY,
        deliveries_per_s=rate(before, after, "stockwire_relay_messages_total"),
        queued=after.whole("stockwire_relay_behind_events"),
        memory_bytes=after.whole(MEMORY),
    )


def _intake(name: str, after: Scrape) -> NodeFigures:
    return NodeFigures(
        name,
        Kind.INTAKE,
        NodeState.READY if after.ready else NodeState.UNREADY,
        queued=after.whole("stockwire_intake_in_flight"),
        memory_bytes=after.whole(MEMORY),
    )


def totals_of(nodes: Sequence[NodeFigures]) -> Totals:
    committed = _sum(node.changes_per_s for node in nodes if node.kind is Kind.LEDGER)
    applied = _max(node.changes_per_s for node in nodes if node.kind is Kind.HUB)
    return Totals(
        nodes=len(nodes),
        up=sum(node.kind is not None for node in nodes),
        clients=_sum(node.clients for node in nodes),
        changes_per_s=applied if committed is None else committed,
        deliveries_per_s=_sum(node.deliveries_per_s for node in nodes),
        lag_ms_max=_max(node.lag_ms for node in nodes),
        conflicts=_sum(node.conflicts for node in nodes),
        queued=_sum(node.queued for node in nodes if node.kind in (Kind.LEDGER, Kind.HUB)),
        memory_bytes=_sum(node.memory_bytes for node in nodes),
        holds_open=_max(node.holds_open for node in nodes),
        holds_expired_per_s=_sum(node.holds_expired_per_s for node in nodes),
        holds_released_before_refusal=_sum(node.holds_released_before_refusal for node in nodes),
        sweeper_delay_s_max=_max(node.sweeper_delay_s for node in nodes),
    )


def as_fields(nodes: Sequence[NodeFigures], at: str) -> dict[str, Any]:
    """One JSON object. ``at``: RFC 3339."""
    return {"at": at, "totals": asdict(totals_of(nodes)), "nodes": [asdict(node) for node in nodes]}


def _sum(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _max(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)
