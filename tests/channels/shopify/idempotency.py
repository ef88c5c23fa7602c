"""Keys of @idempotent: what was asked under each, and whether it has been answered."""

import json
import time
from dataclasses import dataclass
from typing import Any

KEPT_S = 24 * 3600


@dataclass(slots=True)
class _Use:
    body: str
    at: float
    answer: dict[str, Any] | None = None


class Keys:
    def __init__(self) -> None:
        self._uses: dict[str, _Use] = {}

    def begin(self, key: str, body: Any) -> str | dict[str, Any] | None:
        """None: it is new, and its ``end`` has to come. Else the answer of before, or the rule that is broken."""
        now = time.monotonic()
        asked = json.dumps(body, sort_keys=True)
        use = self._uses.get(key)
        if use is None or now - use.at > KEPT_S:
            self._uses[key] = _Use(asked, now)
            return None
        if use.body != asked:
            return "same-key-other-body"
        if use.answer is None:
            return "key-in-flight"
        return "key-of-failed" if use.answer["userErrors"] else use.answer

    def end(self, key: str, answer: dict[str, Any]) -> None:
        self._uses[key].answer = answer
