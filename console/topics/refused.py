"""Who and what was refused, over all ledgers: from the short lists that they keep."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from console.following.nodes import Node
from console.topics.figures import NO_LEDGER, TWO_READINGS, answering
from console.topics.watch import Watch

NO_LIST = "no ledger keeps a list of refusals: they are of an older version"
CROWDED_OUT = "a ledger's list of refusals was full: those of this level may have made room in it"
Names = tuple[str, ...]


class Refused:
    """``levels`` by (sku, location, type), ``owners`` by (owner, type): counts since the ledgers started, and rates,
    None where a ledger was read once only. ``why_not``: why there is nothing."""

    def __init__(self, watch: Watch) -> None:
        self._ledgers = [node for node, _ in answering(watch, "ledger")]
        self.levels, self.levels_per_s = _merged(self._ledgers, "levels", ("sku", "location", "type"))
        self.owners, self.owners_per_s = _merged(self._ledgers, "owners", ("owner", "type"))
        listed = any(node.refusals is not None for node in self._ledgers)
        self.why_not = None if listed else (NO_LIST if self._ledgers else NO_LEDGER)

    def of_level(self, sku: str, location: str) -> tuple[tuple[int | None, str], tuple[float | None, str]]:
        """How many and how many a second, each None with the reason."""
        why = self.why_not or (CROWDED_OUT if self._may_be_crowded_out(sku, location) else "")
        if why:
            return (None, why), (None, why)
        keys = [key for key in self.levels if key[:2] == (sku, location)]
        rates = [self.levels_per_s[key] for key in keys]
        known = [one for one in rates if one is not None]
        per_s = round(sum(known), 2) if len(known) == len(rates) else None
        return (sum(self.levels[key] for key in keys), ""), (per_s, TWO_READINGS)

    def _may_be_crowded_out(self, sku: str, location: str) -> bool:
        return any(
            node.refusals is not None
            and node.refusals.get("others", 0) > 0
            and not any((one["sku"], one["location"]) == (sku, location) for one in node.refusals.get("levels", ()))
            for node in self._ledgers
        )


def with_rate(row: dict[str, Any], per_s: float | None) -> dict[str, Any]:
    """A row of counts."""
    known = per_s is not None
    rounded = None if per_s is None else round(per_s, 2)
    return {**row, "per_s": rounded, "unknown": {} if known else {"per_s": TWO_READINGS}}


def added(rates: dict[Any, float | None], key: object, per_s: float | None) -> None:
    """What is not known of one process is not known of all."""
    before = rates.get(key, 0.0)
    rates[key] = None if before is None or per_s is None else before + per_s


def _merged(
    ledgers: Sequence[Node], field: str, names: Sequence[str]
) -> tuple[Counter[Names], dict[Names, float | None]]:
    counts: Counter[Names] = Counter()
    rates: dict[Names, float | None] = {}
    for node in ledgers:
        now, before = _counts(node.refusals, field, names), _counts(node.refusals_before, field, names)
        span_s = node.refusals_s[1] - node.refusals_s[0]
        known = node.refusals_before is not None and span_s > 0
        for key, count in now.items():
            counts[key] += count
            added(rates, key, max(0, count - before.get(key, 0)) / span_s if known else None)
    return counts, rates


def _counts(refusals: Mapping[str, Any] | None, field: str, names: Sequence[str]) -> dict[Names, int]:
    listed = refusals.get(field, []) if refusals else []
    return {tuple(str(one[name]) for name in names): int(one["count"]) for one in listed}
