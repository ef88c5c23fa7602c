"""What became of attempts since the process started, and how long they took."""

from followers.webhooks import schedule
from followers.webhooks.sender import Outcome
from server.histogram import Histogram

BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)
TAKEN, REFUSED, SLOWED, UNANSWERED, CUT_OFF = "taken", "refused", "slowed", "unanswered", "cut_off"


class Attempts:
    """``in_flight``: now."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.by_outcome = dict.fromkeys((TAKEN, REFUSED, SLOWED, UNANSWERED, CUT_OFF), 0)
        self.seconds = Histogram(BUCKETS_S)

    def begun(self) -> None:
        self.in_flight += 1

    def ended(self, outcome: Outcome | None) -> None:
        """None: the lease ran out before there was an answer."""
        self.in_flight -= 1
        self.by_outcome[_named(outcome)] += 1
        if outcome is not None:
            self.seconds.observe(outcome.elapsed_ms / 1_000)


def _named(outcome: Outcome | None) -> str:
    if outcome is None:
        return CUT_OFF
    if outcome.status is None:
        return UNANSWERED
    if schedule.is_success(outcome.status):
        return TAKEN
    return SLOWED if schedule.slows(outcome.status) else REFUSED
