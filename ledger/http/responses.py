"""The answer to a committed operation."""

from typing import Any

from ledger.commit.level import level_of_event
from ledger.commit.operation import Outcome
from ledger.errors import REPLAYED
from server.http.json import Json


def committed(outcome: Outcome, status: int) -> Json:
    """The answer to a committed operation: the same whether now or replayed, but for the header."""
    return Json(content_of(outcome), status, REPLAYED if outcome.replayed else None)


def content_of(outcome: Outcome) -> dict[str, Any]:
    """With the reservation first, if it was about one."""
    return {
        **({} if outcome.hold is None else {"reservation": outcome.hold}),
        "operation": outcome.operation,
        "events": outcome.events,
        "levels": [level_of_event(event) for event in outcome.events],
    }
