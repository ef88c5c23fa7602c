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


def level_seq_of(attributes: Mapping[str, str], epoch: str) -> int:
    """Of the last message where levels are kept apart: they are there as they were at this seq, or newer. 0 if it is
    none of this epoch."""
    type_, id_, sequence = (attributes.get(name, "") for name in ("type", "id", "sequence"))
    of_epoch = type_ == LEVEL and _before_last_word(id_, type_).rpartition(".")[0] == epoch
    return int(sequence) if of_epoch and sequence.isascii() and sequence.isdecimal() else 0


def standing_in_all(
    checkpoint: Checkpoint | None, told: Checkpoint | None, last_level: Mapping[str, str]
) -> Checkpoint | None:
    """Where to go on in a sink that keeps checkpoints and levels beside its messages: behind the last one that readers
    see. ``told``: what that one says, None where none is kept any more; ``last_level``: attributes of the last level.

    They are written together, and differ where a broker shows a part of that alone, or has lost one of them.

    >>> standing_in_all(Checkpoint("e1", 7, levels=7), Checkpoint("e1", 6), {})
    Checkpoint(epoch='e1', seq=6, complete=True, levels=7, told=0, levels_whole=True)
    """
    if told is not None:
        if checkpoint is None:
            checkpoint = told._replace(told=0)
        elif checkpoint.complete and (told.epoch != checkpoint.epoch or not told.complete):
            checkpoint = checkpoint._replace(complete=False)  # history was to be told, and its end is not there
        elif checkpoint.complete:
            checkpoint = checkpoint._replace(seq=told.seq)
    if checkpoint is None or not checkpoint.complete:
        return checkpoint
    levels = max(checkpoint.levels, level_seq_of(last_level, checkpoint.epoch))
    return checkpoint._replace(levels_whole=checkpoint.levels_whole and levels >= checkpoint.seq)


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
