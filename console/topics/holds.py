"""Holds: who holds what, until when."""

import time
from dataclasses import dataclass
from typing import Any

from console.moments import text_of
from console.topics.arguments import Arguments
from console.topics.figures import NO_LEDGER, answering, holds_open, summed_rate, with_reasons
from console.topics.topic import Topic
from console.topics.watch import Watch
from console.watched.node import LEDGER
from server.http.ledger_api import LedgerAway

STATES = ("open", "pending", "committed", "fulfilled", "cancelled", "expired", "")
ROWS_MAX = 200
_FIELDS = ("id", "state", "owner", "customer", "reference", "version", "created_at", "expires_at")


@dataclass(frozen=True, slots=True)
class Asked:
    state: str
    location: str
    sku: str
    owner: str
    customer: str
    reference: str
    after: str
    limit: int


class Holds(Topic[Asked]):
    name = "holds"

    def read(self, arguments: Arguments) -> Asked:
        return Asked(
            state=arguments.choice("state", STATES),
            location=arguments.text("location"),
            sku=arguments.text("sku"),
            owner=arguments.text("owner"),
            customer=arguments.text("customer"),
            reference=arguments.text("reference"),
            after=arguments.optional_text("after") or "",
            limit=arguments.whole("limit", 100, 1, ROWS_MAX),
        )

    async def data(self, asked: Asked) -> dict[str, Any]:
        names = ("state", "location", "sku", "owner", "customer", "reference", "after")
        parameters: dict[str, str | int] = {name: getattr(asked, name) for name in names if getattr(asked, name)}
        try:
            if asked.sku and not asked.location:
                raise LedgerAway("the ledger finds those of a sku at one location only: choose one")
            answer = await self.watch.ledger.reservations({**parameters, "limit": asked.limit})
            holds: list[dict[str, Any]] | None = [hold_of(self.watch, one) for one in answer["reservations"]]
            following, unknown = answer["next"], {}
        except LedgerAway as error:
            holds, following, unknown = None, None, {"holds": str(error)}
        return {
            "at": text_of(time.time()),
            "totals": self._totals(),
            "holds": holds,
            "next": following,
            "unknown": unknown,
        }

    def _totals(self) -> dict[str, Any]:
        states, ledgers = holds_open(self.watch), [now for _, now in answering(self.watch, "ledger")]
        why = "no ledger counted them yet" if ledgers else NO_LEDGER
        released = [now.whole(f"{LEDGER}holds_released_before_refusal_total") for now in ledgers]
        delays = [now.value(f"{LEDGER}sweeper_delay_seconds") for now in ledgers]
        return with_reasons(
            {
                "pending": (round(states.get("pending", 0)) if states else None, why),
                "committed": (round(states.get("committed", 0)) if states else None, why),
                "expired_per_s": summed_rate(self.watch, "ledger", f"{LEDGER}holds_expired_total"),
                "released_before_refusal": (sum(count or 0 for count in released) if released else None, why),
                "sweeper_delay_s": (max((delay or 0.0 for delay in delays), default=None), why),
            }
        )


def hold_of(watch: Watch, reservation: dict[str, Any]) -> dict[str, Any]:
    lines = [{**line, "name": watch.name_of(line["sku"])} for line in reservation["lines"]]
    return {**{name: reservation.get(name) for name in _FIELDS}, "lines": lines}
