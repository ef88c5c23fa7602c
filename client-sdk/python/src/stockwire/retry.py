"""When a failed call is sent again: pure decisions, for the async and the sync client alike.

Only `errors.Later` is worth another try. Waits are exponential with full jitter (each anywhere between 0 and the bound,
so that many clients do not come back in step) and never shorter than the server's Retry-After.
"""

import math
from dataclasses import dataclass

from stockwire import argument
from stockwire.argument import RETRIES_MAX
from stockwire.errors import Later, OutcomeUnknown, StockwireError, Unavailable

WAIT_FIRST_S = 0.1
WAIT_MAX_S = 5.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most ``max_retries`` tries after the first, none begun later than ``retry_for_s`` seconds after it."""

    max_retries: int = 5
    retry_for_s: float = 30.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_retries", argument.whole("max_retries", self.max_retries, 0, RETRIES_MAX))
        object.__setattr__(self, "retry_for_s", argument.seconds("retry_for_s", self.retry_for_s, most=math.inf))


class Tries:
    """One call and its tries. Not shared between calls."""

    def __init__(self, policy: RetryPolicy, *, writes: bool) -> None:
        self._policy = policy
        self._writes = writes
        self._failed = 0
        self._unknown: OutcomeUnknown | None = None

    def wait_s(self, error: StockwireError, elapsed_s: float, chance: float) -> float | None:
        """Seconds to wait before the next try, or None: raise `verdict`.

        ``elapsed_s``: since the first try began. ``chance``: anywhere in 0..1.
        """
        if isinstance(error, OutcomeUnknown):
            self._unknown = error
        if not isinstance(error, Later) or self._failed >= self._policy.max_retries:
            return None
        bound_s = min(WAIT_MAX_S, WAIT_FIRST_S * 2 ** min(self._failed, 16))
        self._failed += 1
        wait = (error.retry_after_s or 0.0) + chance * bound_s
        return wait if elapsed_s + wait <= self._policy.retry_for_s else None

    def verdict(self, error: StockwireError) -> StockwireError:
        """What to raise after the last try.

        Once a try may have been written, "unavailable" would be a lie; a read has no outcome to be unsure of.
        """
        if isinstance(error, OutcomeUnknown) and not self._writes:
            return Unavailable(str(error), error.retry_after_s)
        if (
            self._writes
            and self._unknown is not None
            and isinstance(error, Later)
            and not isinstance(error, OutcomeUnknown)
        ):
            return self._unknown
        return error
