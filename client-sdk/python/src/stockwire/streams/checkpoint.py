"""How far a follower has come in one shard: what it stores with the consumer's own transaction."""

from dataclasses import dataclass, replace

import orjson

from stockwire.level import Malformed, fields, flag, optional_integer, rows, text
from stockwire.streams.errors import Unreadable

LEFT_MAX = 16
"""Epochs that are remembered as left: repeats come of the last one or two."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``seq``: everything up to it is known; None: only levels, of which some may be missing. ``told_from``: history
    was rewritten at this head, and its levels are being told. ``left``: epochs that were before, the newest first.
    ``joined``: begun at levels from elsewhere, and no message of the epoch has come yet."""

    epoch: str
    seq: int | None = None
    told_from: int | None = None
    left: tuple[str, ...] = ()
    joined: bool = False

    def next(self, epoch: str) -> "Checkpoint":
        """Where another epoch begins. One that was joined may be told from its beginning after it, so is not left."""
        return Checkpoint(epoch, left=self.left if self.joined else self.without(self.epoch).left)

    def without(self, epoch: str) -> "Checkpoint":
        """What comes of ``epoch`` is nothing from now on."""
        return replace(self, left=(epoch, *self.left)[:LEFT_MAX])

    def __str__(self) -> str:
        """At most a kilobyte or so, ASCII unless an epoch is not."""
        return orjson.dumps(
            {
                **{"epoch": self.epoch, "seq": self.seq, "told_from": self.told_from, "left": self.left},
                **({"joined": True} if self.joined else {}),
            }
        ).decode()

    @classmethod
    def parse(cls, stored: str) -> "Checkpoint":
        """Raises Unreadable."""
        try:
            data = fields(orjson.loads(stored), "checkpoint")
            left = [text({"left": epoch}, "left") for epoch in rows(data, "left")]
            seq, told_from = optional_integer(data, "seq"), optional_integer(data, "told_from")
            return cls(text(data, "epoch"), seq, told_from, (*left,), "joined" in data and flag(data, "joined"))
        except orjson.JSONDecodeError as error:
            raise Unreadable("checkpoint", f"is no JSON: {error}") from None
        except Malformed as error:
            raise Unreadable("checkpoint", f"has a wrong {error.field}: {error.reason}") from None
