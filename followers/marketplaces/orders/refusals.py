"""What is said of notices that are turned away: anybody can send some, and nobody's log is to be filled by them."""

import logging
import time
from collections.abc import Callable

EVERY_S = 60.0
CHANNELS_MAX = 1_000
"""That are told apart: where the database is slow, nobody knows yet whether there is a channel of that name."""
OTHERS = "(others)"

log = logging.getLogger(__name__)


class Refusals:
    """``clock``: in seconds, never goes back. It keeps two numbers for each of ``CHANNELS_MAX`` channels; those
    beyond are one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def add(self, channel: str, why: str) -> None:
        """The first one of a channel is said at once, then at most one in ``EVERY_S``, with the number of those in
        between."""
        if channel not in self._said and len(self._said) >= CHANNELS_MAX:
            channel = OTHERS
        now_s = self._clock()
        said_s, unsaid = self._said.get(channel, (float("-inf"), 0))
        if now_s - said_s < EVERY_S:
            self._said[channel] = said_s, unsaid + 1
            return
        self._said[channel] = now_s, 0
        log.warning("a notice is turned away channel=%r reason=%r unsaid=%d", channel, why, unsaid)
