"""What librdkafka says of its connections, beside its answers: of a wrong password or a certificate calls tell nothing,
they just time out.
"""

import re
import time
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import ClusterMetadata

from followers.brokers.broker import CA_FILE, CERT_FILE, KEY_FILE, PASSWORD, SASL, USER, Broker
from followers.brokers.kafka_client import REQUEST_TIMEOUT_S
from followers.brokers.tls import tried

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
UNANSWERED = frozenset({KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN})
TLS_ALERT = "tls alert"
"""By which a broker says behind the handshake that it does not take our certificate."""
CUT_OFF = "Send failed"
LOOK_S, AGAIN_S = 1.0, 0.1
WITHOUT_A_WORD = f"connections end without a word: where it wants TLS or a user, see the URL's scheme and {USER}"
_SERVER = re.compile(r"^\w+://(?P<host>[^/]+):(?P<port>\d+)/")
_CIRCUMSTANCES = re.compile(r" \(after \d+ ?ms[^)]*\)")
"""Of each try others, and so the same trouble would be news each time."""


class Heard:
    """``__call__`` is an ``error_cb``."""

    def __init__(self, broker: Broker, needs: Mapping[int, str]) -> None:
        """``needs``: which right the user needs where the broker answers with one of ``RIGHTS``."""
        self._broker = broker
        self._needs = needs
        self._last: KafkaError | None = None
        self._all_down = False

    def __call__(self, error: KafkaError) -> None:
        """What says more is kept: that all brokers are away says least."""
        self._all_down |= error.code() == KafkaError._ALL_BROKERS_DOWN
        if self._last is None or _says(error) >= _says(self._last):
            self._last = error

    def forget(self) -> None:
        self._last = None
        self._all_down = False

    @property
    def anything(self) -> str:
        """What was heard since, empty where nothing was."""
        return "" if self._last is None else self._last.name()

    @property
    def refusal(self) -> KafkaError | None:
        """Why a broker does not take us, or we do not believe it, where no other one is left."""
        return self._last if self._all_down and self._last is not None and is_refusal(self._last) else None

    def cause_of(self, error: KafkaError) -> KafkaError:
        """What was heard where the answer says nothing, else the answer."""
        heard = self._last
        return heard if heard is not None and (is_refusal(heard) or error.code() in UNANSWERED) else error

    def words_of(self, error: KafkaError) -> str:
        """The same for the same trouble, with the fix. Blocks, where it has to find out what is wrong with TLS."""
        code, text = error.code(), _CIRCUMSTANCES.sub("", error.str())
        if code == KafkaError._ALL_BROKERS_DOWN:
            return WITHOUT_A_WORD
        if code == KafkaError._TRANSPORT and CUT_OFF in text:
            return f"{text}: {WITHOUT_A_WORD}"
        if TLS_ALERT in text:
            return f"{text}: it does not take our certificate: see {CERT_FILE} and {KEY_FILE}"
        if "SSL" in text and (server := _SERVER.match(text)):
            why = tried(self._broker, server["host"].strip("[]"), int(server["port"]))
            if why is not None:
                return f"{server['host']}:{server['port']}: {why}"
        if code == KafkaError._SSL:
            return f"{text}: see {CA_FILE}"
        said = f"{text} ({error.name()})"
        if code in CREDENTIALS:
            return f"{said}: see {USER}, {PASSWORD}_FILE and {SASL}"
        return f"{said}: the user needs {self._needs[code]}" if code in self._needs else said

    def metadata(self, client: AdminClient | Consumer) -> ClusterMetadata:
        """Of all topics; asked no longer than until it is heard that nobody takes us. Raises KafkaException."""
        ends_s = time.monotonic() + REQUEST_TIMEOUT_S
        while True:
            try:
                return client.list_topics(timeout=LOOK_S)
            except KafkaException:
                client.poll(0)
                if self.refusal is not None or time.monotonic() > ends_s:
                    raise
                time.sleep(AGAIN_S)


def is_refusal(error: KafkaError) -> bool:
    return error.code() in CREDENTIALS or TLS_ALERT in error.str()


def _says(error: KafkaError) -> int:
    return 2 if is_refusal(error) else 0 if error.code() == KafkaError._ALL_BROKERS_DOWN else 1
