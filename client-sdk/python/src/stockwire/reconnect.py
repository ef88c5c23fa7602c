"""Whether and when to connect again. Pure: chance comes in as a number, time goes out as one.

Full jitter: each wait is anywhere between 0 and a bound that doubles up to a cap, so that the thousands of clients of a
hub do not come back in step (Exponential Backoff And Jitter, AWS Architecture Blog, 2015).
"""

from stockwire.close_code import TOKEN_EXPIRED, Return, return_after
from stockwire.errors import StockwireError
from stockwire.session import Ending, refusal_of

BOUND_FIRST_S = 0.25
BOUND_MAX_S = 5.0
"""A client is back within this of the end of an outage, however long that was."""
PAUSE_S = 2.0
"""The least wait after 4100-4199: the hub asked for less of this client."""
AFTER_S_MAX = 120.0
"""No hub can send a client away for longer."""


class Reconnect:
    """``token_changes``: the application gives a fresh token for each connection."""

    def __init__(self, *, token_changes: bool) -> None:
        self._token_changes = token_changes
        self.attempt = 0

    def succeeded(self) -> None:
        """A snapshot was completed: the next loss is the first again."""
        self.attempt = 0

    def after(self, ending: Ending, chance: float) -> float | StockwireError:
        """Seconds to wait before the next try, or the error to raise. ``chance``: anywhere in 0..1."""
        if ending.error is not None:
            return ending.error
        if ending.code is not None:
            if return_after(ending.code) is Return.NEVER:
                return refusal_of(ending.code, ending.reason)
            if ending.code == TOKEN_EXPIRED and not self._token_changes:
                return refusal_of(ending.code, ending.reason)  # the same token again would end the same way, for ever
        bound_s = min(BOUND_MAX_S, BOUND_FIRST_S * 2 ** min(self.attempt, 16))
        self.attempt += 1
        return self._least_s(ending) + float(chance * bound_s)

    def _least_s(self, ending: Ending) -> float:
        if ending.after_s is not None:
            return min(ending.after_s, AFTER_S_MAX)
        if ending.paused or return_after(ending.code) is Return.PAUSED:
            return PAUSE_S
        return 0.0
