"""The database: a history that grows, falls back to an older state, and gets a new epoch."""

from random import Random

from tests.simulation.history import History
from wire.messages import Batch, Event, encode

SHARDS = 3
LOCATIONS = ("berlin", "paris", "rome", "oslo")
SKUS = tuple(f"sku-{number}" for number in range(5))
GHOSTS = ("ghost-1", "ghost-2", "ghost-3")
"""Never committed, and watched all the same."""


class Stock:
    """``truths``: per epoch, everything that was ever committed in it, also what a restore took back."""

    def __init__(self) -> None:
        self.history = History(SHARDS, "e1")
        self.truths = {"e1": self.history}
        self.fallen = False

    def commit(self, random: Random) -> list[list[Event]]:
        """One operation. Returns its batches: one for each location."""
        batches = []
        for location in random.sample(LOCATIONS, random.choice((1, 1, 1, 2))):
            skus = [random.choice(SKUS) for _ in range(random.choice((1, 1, 1, 2, 3)))]
            batches.append(self.history.commit(location, *skus))
        return batches

    def fall(self, random: Random) -> bool:
        """An older database is put back. For a moment it still bears the epoch; nothing is committed on it until then.

        Returns whether any head fell by it.
        """
        heads = self.history.heads()
        older = {shard: max(0, head - random.choice((0, 0, 1, 3, 10))) for shard, head in heads.items()}
        self.history = self.history.back_to(older)
        self.fallen = True
        return older != heads

    def renew(self) -> None:
        """A new epoch: a ledger has noticed that heads fell, or somebody gave the order."""
        self.history = self.history.renewed(f"e{self.history.era + 2}")
        self.truths[self.history.epoch] = self.history
        self.fallen = False

    def message(self, events: list[Event]) -> bytes:
        """What a ledger publishes after a commit."""
        return encode(Batch(self.history.epoch, events[0].shard, events[0].seq, events))

    def heartbeats(self) -> list[tuple[int, bytes]]:
        return [
            (shard, encode(Batch(self.history.epoch, shard, head=head))) for shard, head in self.history.heads().items()
        ]
