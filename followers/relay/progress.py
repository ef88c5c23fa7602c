"""How far one shard is in the sink, and what keeps it: what operators see of it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from followers.relay.logged import Event
from wire.messages import LevelState


class State(StrEnum):
    STARTING = "starting"
    STANDING_BY = "standing by"
    WRITING = "writing"
    LEDGER_AWAY = "the ledger is away"
    SINK_AWAY = "the sink is away"
    STOPPED = "stopped"


class Progress:
    """``head``: of the shard, when it was read last; ``seq``: up to it everything is in the sink, as far as this relay
    knows. ``why``: it is not written, None if it is, here or by another relay. Counters from the start."""

    def __init__(self, shard: int) -> None:
        self.shard = shard
        self.state = State.STARTING
        self.why: str | None = "nothing was asked yet"
        self.head = self.seq = 0
        self.batches = self.messages = 0
        self.claims = self.superseded = self.rewritten = 0
        self._behind_since_s: float | None = None

    @property
    def behind(self) -> int:
        """Events that are not in the sink."""
        return max(0, self.head - self.seq)

    def behind_s(self, now_s: float) -> float:
        """``now_s``: of the world's clock. How old the first event is that is not in the sink, or how long ago it was
        seen that there is one; 0 without."""
        return 0.0 if self._behind_since_s is None else max(0.0, now_s - self._behind_since_s)

    def are(self, state: State, why: str | None = None) -> bool:
        """Whether that is news."""
        news = state is not self.state or why != self.why
        self.state, self.why = state, why
        return news

    def seen(self, seq: int, head: int, now_s: float) -> None:
        """By whoever stands by, of what another relay writes."""
        moved = seq != self.seq
        self.seq, self.head = seq, head
        if not self.behind:
            self._behind_since_s = None
        elif moved or self._behind_since_s is None:
            self._behind_since_s = now_s

    def waits(self, head: int, now_s: float) -> None:
        """For a sink that is away; what stands there is what was last seen."""
        self.head = head
        if self.behind and self._behind_since_s is None:
            self._behind_since_s = now_s

    def read(self, events: Sequence[Event], head: int) -> None:
        """A page that is not in the sink yet."""
        self.head = head
        self._behind_since_s = _committed_s(events[0].level) if events else None

    def wrote(self, messages: int, seq: int, last: LevelState | None) -> None:
        """``last``: event of a page; what comes behind it is as old as that at most."""
        self.batches += 1
        self.messages += messages
        self.seq = seq
        self._behind_since_s = _committed_s(last) if last and self.behind else None


def _committed_s(event: LevelState) -> float:
    return datetime.fromisoformat(event.committed_at or "").timestamp()
