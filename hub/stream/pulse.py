"""The deadlines of one connection: authenticate, answer pings, drain, close. Pure; ask it a few times a second."""

from enum import Enum

from hub.endings import Ending
from hub.errors import Ended
from hub.limits import Limits

CLOSE_S = 2.0  # for the other side to read the close frame and answer it; then the transport is aborted


class Act(Enum):
    """What is to be done with a connection, short of ending it for a reason."""

    PING = "ping"
    ABORT = "abort"


class Pulse:
    """Times are seconds of any monotonic clock.

    ``waiting_for_us``: the client cannot authenticate sooner, since this hub is still checking its token, or has not
    reached a ledger yet. Once it has authenticated, this stays true.
    """

    __slots__ = ("blocked_at", "closing_at", "expires_at", "heard_at", "opened_at", "pinged_at", "waiting_for_us")

    def __init__(self, now: float) -> None:
        self.opened_at = now
        self.heard_at = now
        self.pinged_at = now
        self.waiting_for_us = False
        self.expires_at: float | None = None
        self.blocked_at: float | None = None
        self.closing_at: float | None = None

    def due(self, now: float, wall: float, limits: Limits) -> Act | Ended | None:
        """What to do now. ``wall``: Unix time in seconds, since that is what tokens end by."""
        if self.closing_at is not None:
            return Act.ABORT if now - self.closing_at >= CLOSE_S else None
        if self.blocked_at is not None and now - self.blocked_at >= limits.stall_s:
            return Ended(Ending.NOT_READING, seconds=limits.stall_s)
        if self.expires_at is not None and wall >= self.expires_at:
            return Ended(Ending.TOKEN_EXPIRED_SINCE)
        if not self.waiting_for_us and now - self.opened_at >= limits.authenticate_s:
            return Ended(Ending.CONNECT_LATE, seconds=limits.authenticate_s)
        if self.heard_at < self.pinged_at and now - self.pinged_at >= limits.pong_s:
            return Ended(Ending.NOT_ANSWERING, seconds=limits.pong_s)
        answered = self.heard_at >= self.pinged_at  # another ping would begin its time to answer anew
        if answered and now - self.pinged_at >= limits.ping_s and self.blocked_at is None:
            self.pinged_at = now
            return Act.PING
        return None
