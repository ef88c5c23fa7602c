"""What of the log somebody wants once more: spans of it, found by the id of a message or by time."""

from datetime import datetime
from typing import Any

from followers.log.ledger import Ledger, LedgerAway
from followers.webhooks.endpoints import Span
from server.problems import Invalid

NO_EVENT = "names no single event: replay by time, with since"


async def span_of_message(ledger: Ledger, message: str) -> list[Span]:
    """The event that the message with this id tells of. Raises Invalid, LedgerAway."""
    epoch, shard, seq = _place_of(message)
    state = await ledger.shards()
    if epoch != state["epoch"].replace(".", "-"):
        raise Invalid("message", "is of a history that was rewritten since")
    if not 0 < seq <= _heads(state).get(shard, 0):
        raise Invalid("message", "is not in the log")
    return [Span(state["epoch"], shard, seq, seq)]


async def spans_between(ledger: Ledger, since: datetime, until: datetime | None) -> list[Span]:
    """Of each shard what was committed from ``since`` on and before ``until``. Raises LedgerAway."""
    state = await ledger.shards()
    epoch: str = state["epoch"]
    spans = []
    for shard, head in _heads(state).items():
        first = await _first_from(ledger, epoch, shard, head, since)
        last = head if until is None else await _first_from(ledger, epoch, shard, head, until) - 1
        if first <= last:
            spans.append(Span(epoch, shard, first, last))
    return spans


async def _first_from(ledger: Ledger, epoch: str, shard: int, head: int, moment: datetime) -> int:
    """The first seq that was committed at ``moment`` or later, by halving; ``head + 1`` if there is none."""
    low, high = 1, head + 1
    while low < high:
        middle = (low + high) // 2
        answer = await ledger.events(shard, middle - 1, 1)
        if answer["epoch"] != epoch or not answer["events"]:
            raise LedgerAway("the log was rewritten, or another ledger has not seen all of it yet")
        committed = datetime.fromisoformat(answer["events"][0]["committed_at"])
        if committed >= moment:
            high = middle
        else:
            low = middle + 1
    return low


def _place_of(message: str) -> tuple[str, int, int]:
    """Epoch, shard and seq, as the id was made of them. Raises Invalid."""
    parts = message.rsplit("_", 3)
    if len(parts) != 4 or not (parts[1] + parts[2]).isascii() or not (parts[1].isdigit() and parts[2].isdigit()):
        raise Invalid("message", NO_EVENT)
    return parts[0], int(parts[1]), int(parts[2])


def _heads(state: dict[str, Any]) -> dict[int, int]:
    return {one["shard"]: one["head"] for one in state["shards"]}
