"""What stands in a relay's topics, as readers of what is committed see it."""

import logging

from followers.brokers.broker import Broker
from followers.relay.message import Checkpoint
from followers.relay.sinks.kafka_checkpoints import Checkpoints
from followers.relay.sinks.kafka_tail import Tail
from followers.relay.sinks.kafka_told import Told
from followers.relay.sinks.kafka_topics import Topics
from followers.relay.standing import checkpoint_of, standing_in_all

log = logging.getLogger(__name__)


class Reading:
    """Blocks; to be used by one thread."""

    def __init__(self, broker: Broker, topics: Topics) -> None:
        self._tail = Tail(broker, topics)
        self.checkpoints = Checkpoints(self._tail, topics.checkpoints)
        self._events = Told(self._tail, topics.events)
        self._levels = Told(self._tail, topics.levels)

    def close(self) -> None:
        self._tail.close()

    def standing(self, shard: int, claim: bytes) -> Checkpoint | None:
        """Where whoever has claimed a shard goes on; ``claim``: see ``Checkpoints``. A broker that was killed may
        show of one page a part alone: what readers see of events is what counts. Raises SinkError."""
        record = self.checkpoints.newest(shard, claim)
        checkpoint = None if record is None else record.checkpoint
        told, (last_level, _) = checkpoint_of(*self._events.last(shard)), self._levels.last(shard)
        stands = standing_in_all(checkpoint, told, last_level)
        if stands != checkpoint:
            log.warning("a page is not whole shard=%d checkpoint=%s stands=%s", shard, checkpoint, stands)
        return stands
