"""How far a follower has come in one shard: what it stores with the consumer's own transaction."""

from dataclasses import dataclass

import orjson

from stockwire.level import Malformed, fields, optional_integer, rows, text
from stockwire.streams.errors import Unreadable

LEFT_MAX = 16
"""Epochs that are remembered as left: repeats come of the last one or two."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``seq``: everything up to it is known; None: only levels, of which some may be missing. ``told_from``: history
    was rewritten at this head, and its levels are being told. ``left``: epochs that were before, the newest first."""

    epoch: str
    seq: int | None = None
    told_from: int | None = None
    left: tuple[str, ...] = ()

    def next(self, epoch: str) -> "Checkpoint":
        """Where another epoch begins."""
        return Checkpoint(epoch, left=(self.epoch, *self.left)[:LEFT_MAX])

    def __str__(self) -> str:
        """At most a kilobyte or so, ASCII unless an epoch is not."""
        return orjson.dumps(
            {"epoch": self.epoch, "seq": self.seq, "told_from": self.told_from, "left": self.left}
        ).decode()

    @classmethod
    def parse(cls, stored: str) -> "Checkpoint":
        """Raises Unreadable."""
        try:
            data = fields(orjson.loads(stored), "checkpoint")
            left = [text({"left": epoch}, "left") for epoch in rows(data, "left")]
            return cls(
                text(data, "epoch"), optional_integer(data, "seq"), optional_integer(data, "told_from"), (*left,)
            )
        except orjson.JSONDecodeError as error:
            raise Unreadable("checkpoint", f"is no JSON: {error}") from None
        except Malformed as error:
            raise Unreadable("checkpoint", f"has a wrong {error.field}: {error.reason}") from None
