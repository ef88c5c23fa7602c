"""Whether a position that a client brings back can be served. Pure.

Never silently wrong: what is not certain is asked (``ASK``) or answered with a whole snapshot.
"""

import hashlib
from collections.abc import Iterable, Mapping
from enum import Enum

from wire.messages import Position


class Resume(Enum):
    """What a client is given that brings a position, or none."""

    SNAPSHOT = "snapshot"
    CHANGES = "changes"
    ASK = "ask"  # the position is ahead of this hub: only the ledger knows whether it is of this history


def decide(
    since: Position | None, epoch: str, heads: Mapping[int, int], selection: str, *, asked: bool = False
) -> Resume:
    """``heads``: of every shard that the selection touches, what this hub has applied, or the ledger's (``asked``)."""
    if since is None or since.epoch != epoch or since.selection not in (None, selection):
        return Resume.SNAPSHOT
    if any(str(shard) not in since.seq for shard in heads):
        return Resume.SNAPSHOT
    if all(since.seq[str(shard)] <= head for shard, head in heads.items()):
        return Resume.CHANGES
    return Resume.SNAPSHOT if asked else Resume.ASK


def fingerprint(location: str, skus: Iterable[str] | None) -> str:
    """The same for the same selection, whatever the order of its skus. Names have no line breaks."""
    text = location if skus is None else "\n".join([location, *sorted(set(skus))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
