"""What an error of librdkafka means to a relay."""

from confluent_kafka import KafkaError, KafkaException

from followers.relay.sink import SinkAway, SinkEmpty, SinkError, SinkRefused, Superseded

FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})
"""The transactional id is another producer's now; or a transaction took longer than the broker lets it."""
CREDENTIALS = frozenset(
    {
        *(KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED),
        *(KafkaError.UNSUPPORTED_SASL_MECHANISM, KafkaError.ILLEGAL_SASL_STATE),
    }
)
RIGHTS = frozenset(
    {
        *(KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED),
        *(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED),
    }
)
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
CREDENTIALS_FIX = "see STOCKWIRE_BROKER_USER, STOCKWIRE_BROKER_PASSWORD_FILE, STOCKWIRE_BROKER_SASL and ..._CA_FILE"
RIGHTS_FIX = "docs/how-to/kafka.md has the kafka-acls lines"


class Reported:
    """What librdkafka last said beside its answers: a wrong password is told nowhere else, calls just time out."""

    def __init__(self) -> None:
        self._last: KafkaError | None = None

    def __call__(self, error: KafkaError) -> None:
        """As ``error_cb``."""
        if self._last is None or error.code() in CREDENTIALS or self._last.code() not in CREDENTIALS:
            self._last = error

    def forget(self) -> None:
        self._last = None

    def meaning_of(self, exception: KafkaException, doing: str) -> SinkError:
        """``doing``: in a few words."""
        error: KafkaError = exception.args[0]
        if self._last is not None and self._last.code() in CREDENTIALS:
            error = self._last
        return meaning_of(error, doing)


def meaning_of(error: KafkaError, doing: str) -> SinkError:
    code = error.code()
    said = f"{doing}: {error.str()} ({error.name()})"
    if code in FENCED:
        return Superseded(said)
    if code in CREDENTIALS:
        return SinkRefused(f"{said}: {CREDENTIALS_FIX}")
    if code in RIGHTS:
        return SinkRefused(f"{said}: {RIGHTS_FIX}")
    if code in NO_TRANSACTIONS:
        return SinkRefused(f"{said}: for a broker without transactions set STOCKWIRE_RELAY_DELIVERY=at-least-once")
    if code in SET_UP:
        return SinkRefused(said)
    if code in NOT_THERE:
        return SinkEmpty(said)
    return SinkAway(said)
