"""Problems: what was refused, to whom, and what the doctor says."""

import time
from collections import Counter
from typing import Any

from console.moments import text_of
from console.topics.arguments import Arguments
from console.topics.figures import NO_LEDGER, answering, log_rates, problems_per_s, summed_rate, troubles, with_reasons
from console.topics.nodes import Nothing
from console.topics.refused import Refused, added, with_rate
from console.topics.topic import Topic
from console.watched.metric_page import rate
from console.watched.node import HUB, LEDGER

SHOWN_MAX = 100


class ProblemsPage(Topic[Nothing]):
    name = "problems"

    def read(self, arguments: Arguments) -> Nothing:
        return Nothing()

    async def data(self, asked: Nothing) -> dict[str, Any]:
        watch, now, unknown = self.watch, time.time(), dict[str, str]()
        refused, point = Refused(watch), watch.history.newest
        if refused.why_not:
            unknown |= {"refused_by_owner": refused.why_not, "refused_by_level": refused.why_not}
        if watch.doctor.why_not:
            unknown["doctor"] = watch.doctor.why_not
        if not answering(watch, "ledger"):
            unknown["refused"] = NO_LEDGER
        changes, _ = log_rates(watch, now)
        return {
            "at": text_of(now),
            "refused": None if "refused" in unknown else self._by_type(),
            "refused_by_owner": None if refused.why_not else _by_owner(refused),
            "refused_by_level": None if refused.why_not else self._by_level(refused),
            "problems": self._problems(),
            "rates": with_reasons(
                {
                    "changes_per_s": changes,
                    "refused_per_s": summed_rate(watch, "ledger", f"{LEDGER}refused_total"),
                    "problems_per_s": problems_per_s(watch),
                    "rate_limited_per_s": summed_rate(watch, "ledger", f"{LEDGER}rate_limited_total"),
                }
            ),
            "point": point.fields() if point else None,
            "wrong": troubles(watch),
            "doctor": self._doctor(),
            "unknown": unknown,
        }

    def _by_type(self) -> list[dict[str, Any]]:
        counts: Counter[str] = Counter()
        rates: dict[str, float | None] = {}
        for node, now in answering(self.watch, "ledger"):
            for kind, count in now.by(f"{LEDGER}refused_total", "type").items():
                counts[kind] += round(count)
                added(rates, kind, rate(node.before, now, f"{LEDGER}refused_total", "type", kind))
        ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        return [with_rate({"type": kind, "count": count}, rates[kind]) for kind, count in ordered]

    def _by_level(self, refused: Refused) -> list[dict[str, Any]]:
        return [
            with_rate(
                {"sku": sku, "location": location, "name": self.watch.name_of(sku), "type": kind, "count": count},
                refused.levels_per_s[sku, location, kind],
            )
            for (sku, location, kind), count in refused.levels.most_common(SHOWN_MAX)
        ]

    def _problems(self) -> list[dict[str, Any]]:
        names = {node.admin: watched.name for node, watched in self.watch.nodes.watched()}
        found: list[dict[str, Any]] = []
        for kind, name in (("ledger", f"{LEDGER}problems_total"), ("hub", f"{HUB}problems_total")):
            for (node, now), shown in ((one, names[one[0].admin]) for one in answering(self.watch, kind)):
                for problem, count in now.by(name, "type").items():
                    if count:
                        row = {"node": shown, "type": problem, "count": round(count)}
                        found.append(with_rate(row, rate(node.before, now, name, "type", problem)))
        return sorted(found, key=lambda one: (-int(one["count"]), one["node"], one["type"]))[:SHOWN_MAX]

    def _doctor(self) -> dict[str, Any] | None:
        doctor = self.watch.doctor
        if doctor.found is None or doctor.found_s is None:
            return None
        return {"at": text_of(doctor.found_s), "good": doctor.found["good"], "findings": doctor.found["findings"]}


def _by_owner(refused: Refused) -> list[dict[str, Any]]:
    return [
        with_rate({"owner": owner, "type": kind, "count": count}, refused.owners_per_s[owner, kind])
        for (owner, kind), count in refused.owners.most_common(SHOWN_MAX)
    ]
