"""Who and what was refused, over all ledgers: from the short lists that they keep."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from console.topics.figures import NO_LEDGER, answering
from console.topics.watch import Watch

NO_LIST = "no ledger keeps a list of refusals: they are of an older version"


class Refused:
    """``levels`` by (sku, location, type), ``owners`` by (owner, type): counts and rates since the ledgers started.
    ``why_not``: why there is nothing."""

    def __init__(self, watch: Watch) -> None:
        self.levels, self.levels_per_s = _merged(watch, "levels", ("sku", "location", "type"))
        self.owners, self.owners_per_s = _merged(watch, "owners", ("owner", "type"))
        ledgers = answering(watch, "ledger")
        listed = any(node.refusals is not None for node, _ in ledgers)
        self.why_not = None if listed else (NO_LIST if ledgers else NO_LEDGER)

    def of_level(self, sku: str, location: str) -> tuple[int, float]:
        keys = [key for key in self.levels if key[:2] == (sku, location)]
        return sum(self.levels[key] for key in keys), sum((self.levels_per_s[key] for key in keys), 0.0)


def _merged(
    watch: Watch, field: str, names: Sequence[str]
) -> tuple[Counter[tuple[str, ...]], defaultdict[tuple[str, ...], float]]:
    counts: Counter[tuple[str, ...]] = Counter()
    rates: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for node, _ in answering(watch, "ledger"):
        now, before = _counts(node.refusals, field, names), _counts(node.refusals_before, field, names)
        span_s = node.refusals_s[1] - node.refusals_s[0]
        for key, count in now.items():
            counts[key] += count
            known = node.refusals_before is not None and span_s > 0
            rates[key] += max(0, count - before.get(key, 0)) / span_s if known else 0.0
    return counts, rates


def _counts(refusals: Mapping[str, Any] | None, field: str, names: Sequence[str]) -> dict[tuple[str, ...], int]:
    listed = refusals.get(field, []) if refusals else []
    return {tuple(str(one[name]) for name in names): int(one["count"]) for one in listed}
