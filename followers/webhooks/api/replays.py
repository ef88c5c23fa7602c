"""What of the log somebody wants once more: spans of it, found by the id of a message or by time, and counted."""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from followers.log.follower import PAGE
from followers.log.ledger import Event, Ledger, LedgerAway
from followers.webhooks.endpoints import Span
from followers.webhooks.planning import Interest, types_of
from server.problems import Invalid
from wire.availability import PublicSteps

PROBE = 100
"""Events that one look into a shard brings: some 50 KB."""
COUNTED_MAX = 50_000
"""Events that are looked at to count: what lies behind them is not counted."""
NO_EVENT = "names no single event: replay by time, with since"
NOT_THERE = "names nothing that this webhook is sent"

Reader = Callable[[int, int], Awaitable[Sequence[tuple[int, datetime]]]]
"""Seqs and moments of the events behind the first number, as many as the second at most; at least one."""


@dataclass(frozen=True, slots=True)
class Log:
    """As it is now. ``heads``: by shard."""

    epoch: str
    heads: dict[int, int]
    steps: PublicSteps


async def log_of(ledger: Ledger) -> Log:
    """Raises LedgerAway."""
    state = await ledger.shards()
    public = state["public"]
    heads = {one["shard"]: one["head"] for one in state["shards"]}
    return Log(state["epoch"], heads, PublicSteps(tuple(public["steps"]), public["low"]))


def span_of_message(log: Log, message: str) -> Span:
    """The event that the message with this id tells of. Raises Invalid."""
    epoch, shard, seq = _place_of(message)
    if epoch != log.epoch.replace(".", "-"):
        raise Invalid("message", "is of a history that was rewritten since")
    if not 0 < seq <= log.heads.get(shard, 0):
        raise Invalid("message", NOT_THERE)
    return Span(log.epoch, shard, seq, seq)


async def spans_between(ledger: Ledger, log: Log, since: datetime, until: datetime | None) -> list[Span]:
    """Of each shard what was committed from ``since`` on and before ``until``. Raises LedgerAway."""
    spans = []
    for shard, head in log.heads.items():

        async def read(after: int, limit: int, shard: int = shard) -> list[tuple[int, datetime]]:
            events = await _events(ledger, log, shard, after, limit)
            return [(event["seq"], datetime.fromisoformat(event["committed_at"])) for event in events]

        first = await first_from(read, 1, head, since)
        last = head if until is None else await first_from(read, first, head, until) - 1
        if first <= last:
            spans.append(Span(log.epoch, shard, first, last))
    return spans


async def first_from(read: Reader, low: int, head: int, moment: datetime) -> int:
    """The first seq from ``low`` on that was committed at ``moment`` or later; ``head + 1`` if there is none.

    Looks at both ends, then where it should be if events came evenly, and every other time in the middle: 3 to 5 looks
    into most logs, and never more than twice what halving needs.
    """
    high = head + 1
    early: datetime | None = None
    late: datetime | None = None
    looks = 0
    while low < high:
        at = low
        if early is not None:
            at = max(low, high - PROBE) if late is None else _guess(low, high, early, late, moment, looks)
        found = await read(at - 1, min(PROBE, high - at))
        moments = [one for _, one in found]
        if moments[0] >= moment:
            high, late = at, moments[0]
        elif moments[-1] < moment:
            low, early = found[-1][0] + 1, moments[-1]
        else:
            return found[bisect_left(moments, moment)][0]
        looks += 1
    return low


async def count(ledger: Ledger, log: Log, spans: Sequence[Span], interest: Interest) -> tuple[int, bool]:
    """How many messages that makes of what ``interest`` is sent, and whether all was looked at. Raises LedgerAway."""
    messages = looked_at = 0
    for span in spans:
        after = span.first - 1
        while after < span.last:
            if looked_at >= COUNTED_MAX:
                return messages, False
            events = await _events(ledger, log, span.shard, after, min(PAGE, span.last - after))
            messages += sum(len(types_of(interest, event, log.steps)) for event in events)
            looked_at += len(events)
            after = events[-1]["seq"]
    return messages, True


def _guess(low: int, high: int, early: datetime, late: datetime, moment: datetime, looks: int) -> int:
    if looks % 2:
        return (low + high) // 2
    share = (moment - early) / (late - early)
    return min(max(low + int(share * (high - low)) - PROBE // 2, low), high - 1)


async def _events(ledger: Ledger, log: Log, shard: int, after: int, limit: int) -> list[Event]:
    answer = await ledger.events(shard, after, limit)
    if answer["epoch"] != log.epoch or not answer["events"]:
        raise LedgerAway("the log was rewritten, or another ledger has not seen all of it yet")
    events: list[Event] = answer["events"]
    return events


def _place_of(message: str) -> tuple[str, int, int]:
    """Epoch, shard and seq, as the id was made of them. Raises Invalid."""
    parts = message.rsplit("_", 3)
    if len(parts) != 4 or not (parts[1] + parts[2]).isascii() or not (parts[1].isdigit() and parts[2].isdigit()):
        raise Invalid("message", NO_EVENT)
    return parts[0], int(parts[1]), int(parts[2])
