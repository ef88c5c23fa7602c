"""All shards of one history (epoch): what is applied, what is missing, how fresh it is. Pure."""

from collections.abc import Mapping, Sequence

from hub.errors import Rewritten
from hub.stock.sequence import Asked, ShardSequence
from wire.messages import Batch, Event

FRESH_S = 2.0  # heartbeats come every 250 to 500 ms; longer without one, nobody knows what is missing


class Shards:
    """``suspicious``: a message spoke of another history; ``confirm`` with an answer of the ledger decides."""

    def __init__(self, epoch: str, heads: Mapping[int, int], now: float) -> None:
        self.epoch = epoch
        self.sequences = [ShardSequence(shard, heads[shard], now) for shard in range(len(heads))]
        self.suspicious = False
        self._applied: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.sequences)

    def broker(self, batch: Batch, now: float) -> Sequence[Event]:
        """A message of a shard's channel. Returns the events to apply, in order."""
        if not 0 <= batch.shard < len(self.sequences) or batch.epoch != self.epoch:
            self.suspicious = True
            return ()
        sequence = self.sequences[batch.shard]
        if batch.head is not None and sequence.heard(batch.head, now):
            self.suspicious = True
        return self._apply(sequence, batch.events, now) if batch.events else ()

    def log(self, shard: int, head: int, events: Sequence[Event], asked: Asked, now: float) -> Sequence[Event]:
        """A page of the log. Returns the events to apply, in order."""
        sequence = self.sequences[shard]
        ready = self._apply(sequence, events, now) if events else ()
        sequence.read(head, asked, now)
        return ready

    def confirm(self, epoch: str, heads: Mapping[int, int], asked: Sequence[int]) -> None:
        """An answer read from the database after ``asked`` (``lasts()``) had been applied here.

        Raises Rewritten if the answer is of another history: another epoch, or a head below what had been committed.
        """
        if epoch != self.epoch:
            raise Rewritten(f"epoch {self.epoch} became {epoch}")
        for shard, head in heads.items():
            if shard < len(asked) and head < asked[shard]:
                raise Rewritten(f"the head of shard {shard} fell from {asked[shard]} to {head}")

    def doubt(self) -> None:
        for sequence in self.sequences:
            sequence.doubt()

    def lasts(self) -> list[int]:
        return [sequence.last for sequence in self.sequences]

    def applied(self) -> dict[str, int]:
        """The seqs of a position. The same object until something is applied; never changed, so it can be shared."""
        if self._applied is None:
            self._applied = {str(sequence.shard): sequence.last for sequence in self.sequences}
        return self._applied

    def known_at(self) -> float:
        """When the hub last knew that it had everything, over all shards."""
        return min(sequence.known_at for sequence in self.sequences)

    def silent(self, now: float, silence_s: float = FRESH_S) -> bool:
        return now - self.known_at() > silence_s

    def _apply(self, sequence: ShardSequence, events: Sequence[Event], now: float) -> Sequence[Event]:
        ready = sequence.batch(events, now)
        if ready:
            self._applied = None
        return ready
