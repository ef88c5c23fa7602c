"""What a feed is built from, and whom it tells what."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.fanout.fanout import Bounds, Fanout
from hub.feed.feed_spans import FeedSpans
from hub.feed.ledger_client import LedgerClient
from wire.trace import Trace


@dataclass(frozen=True, slots=True)
class FeedParts:
    """``redis_url`` and ``channel_prefix``: of the broker. ``bounds``: of every fan-out that the feed makes.

    The others are called. ``schedule_flush``: when there may be something to flush. ``applied``: after each batch, with
    the number of its events, the seconds since their commit, and the trace of one of them. ``revoked``: with the id of
    an API key. ``doubted``: when revocations may have been missed. ``rewritten``: with the fan-out that is given up.

    ``spans``: where something is traced.
    """

    ledger: LedgerClient
    redis_url: str = field(repr=False)
    channel_prefix: str
    bounds: Bounds
    schedule_flush: Callable[[], None]
    applied: Callable[[int, float, Trace | None], None]
    revoked: Callable[[str], None]
    doubted: Callable[[], None]
    rewritten: Callable[[Fanout], None]
    spans: FeedSpans | None = None
