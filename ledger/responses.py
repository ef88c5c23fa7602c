"""What a request is answered with: JSON."""

from typing import Any

import orjson
from starlette.responses import Response

from ledger.level import level_of_event
from ledger.operation import Outcome

REPLAYED = {"Idempotency-Replayed": "true"}
"""On every answer that was stored when its key was first used."""


class Json(Response):
    """``content`` is anything that orjson takes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


class Problem(Json):
    """RFC 9457."""

    media_type = "application/problem+json"


def committed(outcome: Outcome, status: int) -> Json:
    """The answer to a committed operation: the same whether now or replayed, but for the header."""
    content = {
        "operation": str(outcome.operation),
        "events": outcome.events,
        "levels": [level_of_event(event) for event in outcome.events],
    }
    return Json(content, status, REPLAYED if outcome.replayed else None)
