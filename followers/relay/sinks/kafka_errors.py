"""What an error of librdkafka means to a relay."""

from confluent_kafka import KafkaError, KafkaException

from followers.brokers.kafka_heard import RIGHTS, Heard, is_refusal
from followers.relay.sink import SinkAway, SinkEmpty, SinkError, SinkRefused, Superseded

FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})
"""The transactional id is another producer's now; or a transaction took longer than the broker lets it."""
NO_TRANSACTIONS = frozenset({KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION})
# INVALID_REPLICATION_FACTOR is none of these: so says a cluster of which too few brokers are back yet.
SET_UP = frozenset(
    {
        *(KafkaError.POLICY_VIOLATION, KafkaError.INVALID_CONFIG),
        *(KafkaError.INVALID_TRANSACTION_TIMEOUT, KafkaError._INVALID_ARG, KafkaError.TOPIC_EXCEPTION),
    }
)
NOT_THERE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})
"""So says a broker for a moment after its start, before it has read of which topics there are."""
RIGHTS_FIX = "docs/how-to/kafka.md has the kafka-acls lines"


class Reported(Heard):
    def meaning_of(self, exception: KafkaException, doing: str) -> SinkError:
        """``doing``: in a few words. Blocks, as ``words_of`` does."""
        error = self.cause_of(exception.args[0])
        return meaning_of(error, f"{doing}: {self.words_of(error)}")


def meaning_of(error: KafkaError, said: str) -> SinkError:
    code = error.code()
    if code in FENCED:
        return Superseded(said)
    if is_refusal(error):
        return SinkRefused(said)
    if code in RIGHTS:
        return SinkRefused(f"{said} ({RIGHTS_FIX})")
    if code in NO_TRANSACTIONS:
        return SinkRefused(f"{said}: for a broker without transactions set STOCKWIRE_RELAY_DELIVERY=at-least-once")
    if code in SET_UP:
        return SinkRefused(said)
    if code in NOT_THERE:
        return SinkEmpty(said)
    return SinkAway(said)
