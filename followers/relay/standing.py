"""What the last message in a sink says about where to go on. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from followers.relay.message import Checkpoint
from wire.envelope import COMPLETE, LEVEL, REWRITTEN, parse_id


def checkpoint_of(attributes: Mapping[str, str], position: int) -> Checkpoint | None:
    """Of the last message, for sinks that keep no checkpoint beside their messages; None if no relay wrote it.
    ``position``: where it stands in the sink, which grows with each.

    A change stands behind all changes before it, and ``COMPLETE`` behind all levels: both are whole. Whatever else
    comes last is part of a history that is being told.

    >>> checkpoint_of({"id": "e1.0.7", "type": "stockwire.stock.adjust.v1", "sequence": "00000000000000000007"}, 9)
    Checkpoint(epoch='e1', seq=7, complete=True, levels=0, told=0)
    """
    id_, type_, sequence = (attributes.get(name, "") for name in ("id", "type", "sequence"))
    if not (sequence.isascii() and sequence.isdecimal()):
        return None
    if type_ in (REWRITTEN, COMPLETE, LEVEL):
        epoch, dot, _ = _before_last_word(id_, type_).rpartition(".")
        complete = type_ == COMPLETE
        return Checkpoint(epoch, int(sequence), complete, told=0 if complete else position) if dot else None
    change = parse_id(id_)
    return None if change is None else Checkpoint(change.epoch, change.seq)


def attributes_in(body: bytes) -> dict[str, str]:
    """Of a structured message; none of what is none."""
    try:
        event: Any = json.loads(body)
    except ValueError:
        return {}
    return {name: value for name, value in event.items() if isinstance(value, str)} if isinstance(event, dict) else {}


def _before_last_word(id_: str, type_: str) -> str:
    """Epoch and shard. Of a level the rest is ``level/...``, whose names may hold dots."""
    return id_.partition(".level/")[0] if type_ == LEVEL else id_.rpartition(".")[0]
