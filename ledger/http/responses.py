"""The answer to a committed operation."""

from typing import Any

from ledger.commit.level import level_of_event
from ledger.commit.operation import Outcome
from ledger.errors import REPLAYED
from server.http.json import Json

RESERVATION, TRANSFER = "reservation", "transfer"
"""What a hold is called in the answer."""


def committed(outcome: Outcome, status: int, about: str = RESERVATION) -> Json:
    """The answer to a committed operation: the same whether now or replayed, but for the header."""
    return Json(content_of(outcome, about), status, REPLAYED if outcome.replayed else None)


def content_of(outcome: Outcome, about: str = RESERVATION) -> dict[str, Any]:
    """With the reservation or transfer first, if it was ``about`` one."""
    return {
        **({} if outcome.hold is None else {about: outcome.hold}),
        "operation": outcome.operation,
        "events": outcome.events,
        "levels": [level_of_event(event) for event in outcome.events],
    }
