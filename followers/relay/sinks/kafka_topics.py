"""The three topics of a relay: made where they are missing, refused where they would lose or mix up something."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from followers.brokers.kafka_heard import RIGHTS
from followers.relay.sink import SinkAway, SinkRefused
from followers.relay.sinks.kafka_errors import Reported

REQUEST_S = 10.0
LOOK_S = 0.1
POLICY, SIZE = "cleanup.policy", "max.message.bytes"
DELETE, COMPACT = "delete", "compact"
BROKER_DEFAULT = -1
"""Of the replication factor: ``default.replication.factor`` of the broker."""
MESSAGE_BYTES_MAX = 1_000_000
"""Where the broker does not say: librdkafka's own default."""
MESSAGE_BYTES_MIN = 1_000
"""It takes no less for ``message.max.bytes``."""


class Topics(NamedTuple):
    """``partition``: the shard, in all of them."""

    events: str
    levels: str
    checkpoints: str

    @property
    def policies(self) -> dict[str, str]:
        return {self.events: DELETE, self.levels: COMPACT, self.checkpoints: COMPACT}


def topics_of(prefix: str) -> Topics:
    return Topics(f"{prefix}.events", f"{prefix}.levels", f"{prefix}.checkpoints")


def prepared(admin: AdminClient, reported: Reported, topics: Topics, shards: int, servers: str) -> int:
    """Blocks. ``servers``: as the fix shall name them. Returns how large a message may be, in bytes.

    Raises SinkError.
    """
    try:
        partitions = _partitions(admin, reported)
        missing = [topic for topic in topics if topic not in partitions]
        for topic in missing:
            _make(admin, reported, topic, topics.policies[topic], shards, servers)
        for topic in topics:
            if topic not in missing and (wrong := too_few(topic, partitions[topic], shards, servers)):
                raise SinkRefused(wrong)
        if missing:
            _await_leaders(admin, topics)
        configs = _configs(admin, topics)
    except KafkaException as exception:
        admin.poll(0)
        raise reported.meaning_of(exception, "topics cannot be looked at") from exception
    for topic, config in configs.items():
        if wrong := wrong_policy(topic, config.get(POLICY), topics.policies[topic], servers):
            raise SinkRefused(wrong)
    sizes = [int(size) for config in configs.values() if (size := config.get(SIZE))]
    return max(min(sizes, default=MESSAGE_BYTES_MAX), MESSAGE_BYTES_MIN)


def too_few(topic: str, partitions: int, shards: int, servers: str) -> str | None:
    """What is wrong, with the fix. More of them than shards do no harm: those stay empty."""
    if partitions >= shards:
        return None
    return (
        f"the topic {topic} has {partitions} partitions, and there are {shards} shards: "
        f"kafka-topics.sh --bootstrap-server {servers} --alter --topic {topic} --partitions {shards}"
    )


def wrong_policy(topic: str, policy: str | None, wanted: str, servers: str) -> str | None:
    """None: the broker does not say. Events are never compacted, which would make gaps; what is compacted is never
    deleted by age, or a shard in which nothing is sold would begin anew."""
    if policy is None or policy == wanted:
        return None
    return (
        f"the topic {topic} has {POLICY}={policy}, and that has to be {wanted}: "
        f"kafka-configs.sh --bootstrap-server {servers} --alter --entity-type topics --entity-name {topic} "
        f"--add-config {POLICY}={wanted}"
    )


def _partitions(admin: AdminClient, reported: Reported) -> dict[str, int]:
    return {name: len(topic.partitions) for name, topic in reported.metadata(admin).topics.items()}


def _make(admin: AdminClient, reported: Reported, topic: str, policy: str, shards: int, servers: str) -> None:
    new = NewTopic(topic, num_partitions=shards, replication_factor=BROKER_DEFAULT, config={POLICY: policy})
    try:
        admin.create_topics([new], operation_timeout=REQUEST_S, request_timeout=REQUEST_S)[topic].result(REQUEST_S)
    except KafkaException as exception:
        error: KafkaError = exception.args[0]
        if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:  # another relay was quicker
            return
        if error.code() in RIGHTS:
            raise SinkRefused(
                f"the topic {topic} is missing, and this user may not make it: kafka-topics.sh --bootstrap-server "
                f"{servers} --create --topic {topic} --partitions {shards} --config {POLICY}={policy}"
            ) from exception
        raise reported.meaning_of(exception, f"the topic {topic} cannot be made") from exception


def _await_leaders(admin: AdminClient, topics: Topics) -> None:
    """What was just made is known to all brokers only a moment later. Raises SinkAway."""
    ends_s = time.monotonic() + REQUEST_S
    while time.monotonic() < ends_s:
        known = admin.list_topics(timeout=REQUEST_S).topics
        partitions = [one for topic in topics if topic in known for one in known[topic].partitions.values()]
        if all(topic in known for topic in topics) and all(one.leader >= 0 for one in partitions):
            return
        time.sleep(LOOK_S)
    raise SinkAway(f"topics that were just made have no leaders within {REQUEST_S:g} s")


def _configs(admin: AdminClient, topics: Topics) -> dict[str, Mapping[str, str | None]]:
    """Empty where this user may not read them."""
    asked = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
    found: dict[str, Mapping[str, str | None]] = {}
    for resource, answer in admin.describe_configs(asked, request_timeout=REQUEST_S).items():
        try:
            found[resource.name] = {name: entry.value for name, entry in answer.result(REQUEST_S).items()}
        except KafkaException as exception:
            if exception.args[0].code() not in RIGHTS:
                raise
    return found
