"""Runs and drift as the API shows them."""

from dataclasses import asdict
from typing import Any

from followers.marketplaces.reconciling.drifts import Row
from followers.marketplaces.reconciling.runs import Run


def shown_run(run: Run) -> dict[str, Any]:
    return asdict(run)


def shown_drift(row: Row) -> dict[str, Any]:
    kind, _, identifier = row.subject.partition(":")
    return {
        "id": row.id,
        "class": row.kind,
        kind: identifier,
        "sku": row.sku or None,
        "ours": row.ours,
        "theirs": row.theirs,
        "cause": row.cause,
        "repair": row.repair,
        "repair_sku": row.repair_sku or None,
        "state": row.state,
        "first_seen": row.first_seen,
        "last_seen": row.last_seen,
        "decided_by": row.decided_by,
        "why": row.why,
        "outcome": row.outcome,
    }
