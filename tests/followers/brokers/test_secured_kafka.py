"""Apache Kafka with TLS, users and rights: with those of the pages relay and intake work, and what lacks is named."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest
from confluent_kafka.admin._acl import AclBinding, AclOperation
from confluent_kafka.admin._resource import ResourceType

from followers.intake.source import SourceAway, SourceRefused
from followers.relay.sink import SinkAway, SinkRefused
from tests.followers.brokers.secured.asked import sink, sink_says, source, source_fails, source_says
from tests.followers.brokers.secured.certificates import Certificates
from tests.followers.brokers.secured.kafka import PASSWORD, SecuredKafka
from tests.followers.brokers.secured.rights import kafka_rights
from tests.followers.intake import running as intake
from tests.followers.intake.queues import KafkaQueue
from tests.followers.relay import running as relay
from tests.followers.relay.sinks.kafka_reading import read
from tests.harness.brokers.apache_kafka import need_apache_kafka
from tests.harness.system import ResidentSystem
from tests.ledger.api import Api

WRONG = "hunter2"
UNREADABLE = intake.Sent({"id": "4711"}, b"nonsense")
"""A command that is dead without a ledger."""

pytestmark = pytest.mark.usefixtures("processes")


@pytest.fixture(scope="module")
def certificates(server_folder: Path) -> Certificates:
    return Certificates(server_folder / "kafka-certificates")


@pytest.fixture(scope="module")
def kafka(server_folder: Path, processes: None, certificates: Certificates) -> Iterator[SecuredKafka]:
    need_apache_kafka()
    with SecuredKafka(server_folder / "secured-kafka", certificates) as broker:
        broker.make_user("relay")
        broker.make_user("intake")
        yield broker


def user(name: str, password: str = PASSWORD) -> dict[str, object]:
    return {"STOCKWIRE_BROKER_USER": name, "STOCKWIRE_BROKER_PASSWORD": password}


async def test_with_the_rights_of_the_pages_a_relay_writes_and_an_intake_takes_commands(
    system: ResidentSystem, kafka: SecuredKafka, certificates: Certificates, stream_prefix: str
) -> None:
    kafka.allow(kafka_rights("kafka.md", "relay", stream_prefix))
    kafka.allow(kafka_rights("commands.md", "intake", stream_prefix))
    await system.start_ledger()
    queue = KafkaQueue(kafka.address, stream_prefix)
    await queue.make()
    to_take: dict[str, object] = {"STOCKWIRE_INTAKE_FROM": kafka.secured, "STOCKWIRE_INTAKE_PREFIX": stream_prefix}
    async with (
        Api(system.ledger_url, await system.admin_key()) as api,
        relay.running(system, kafka.secured, stream_prefix, **certificates.settings(), **user("relay")) as written,
        intake.running(system, **to_take, **certificates.settings(), **user("intake")) as taking,
    ):
        await api.stock("berlin", "A", 10)
        await queue.send([intake.sale("1", "berlin", "A"), UNREADABLE])
        await written.has_written(2)
        await written.is_ready()
        await intake.until_ready(taking)
    (result,) = await queue.results()
    assert orjson.loads(result.value)["status"] == 201
    assert [one.value for one in await queue.dead()] == [UNREADABLE.data]
    assert len(await asyncio.to_thread(read, kafka.address, f"{stream_prefix}.events")) == 2


class Lack(NamedTuple):
    """Of one right, and what is said then."""

    operation: AclOperation
    kind: ResourceType
    name: str
    said: str


RELAYS = [
    Lack(AclOperation.CREATE, ResourceType.TOPIC, ".events", "the topic {}.events is missing, and this user may not"),
    *(
        Lack(AclOperation.READ, ResourceType.TOPIC, topic, "the user needs Read of the topics {}.events, {}.levels, ")
        for topic in (".events", ".levels", ".checkpoints")
    ),
    Lack(AclOperation.WRITE, ResourceType.TOPIC, ".checkpoints", "the user needs Write of the topics {}.events, "),
    Lack(AclOperation.WRITE, ResourceType.TOPIC, ".levels", "the user needs Write of the topics {}.events, {}.levels"),
    Lack(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, "-0", "the user needs Write of the transactional id {}-0"),
]
INTAKES = [
    Lack(AclOperation.READ, ResourceType.TOPIC, ".commands", "the user needs Read of {}.commands, Write of"),
    Lack(AclOperation.WRITE, ResourceType.TOPIC, ".dead", "Write of {}.results and {}.dead"),
    Lack(AclOperation.READ, ResourceType.GROUP, "-intake", "the user needs Read of the group {}-intake"),
    Lack(AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, "-intake-", "Write of the transactional ids {}-intake-"),
]


def without(lack: Lack, rights: list[AclBinding], prefix: str, own_user: str) -> list[AclBinding]:
    """Given to ``own_user``."""
    left = [
        right
        for right in rights
        if (right.operation, right.restype, right.name) != (lack.operation, lack.kind, prefix + lack.name)
    ]
    assert len(left) == len(rights) - 1, "what is left out is not on the page"
    names = ("restype", "name", "resource_pattern_type", "host", "operation", "permission_type")
    return [AclBinding(**{name: getattr(one, name) for name in names}, principal=f"User:{own_user}") for one in left]


@pytest.mark.parametrize("lack", RELAYS, ids=lambda lack: f"{lack.operation.name} {lack.name}")
async def test_a_right_that_a_relay_lacks_is_named(
    kafka: SecuredKafka, certificates: Certificates, stream_prefix: str, lack: Lack
) -> None:
    kafka.make_user(stream_prefix)
    kafka.allow(without(lack, kafka_rights("kafka.md", "relay", stream_prefix), stream_prefix, stream_prefix))
    async with sink(stream_prefix, kafka.secured, {**certificates.settings(), **user(stream_prefix)}) as one:
        said = await sink_says(one)
    assert isinstance(said, SinkRefused)
    assert lack.said.replace("{}", stream_prefix) in str(said)


@pytest.mark.parametrize("lack", INTAKES, ids=lambda lack: f"{lack.operation.name} {lack.name}")
async def test_a_right_that_an_intake_lacks_is_named(
    kafka: SecuredKafka, certificates: Certificates, stream_prefix: str, lack: Lack
) -> None:
    kafka.make_user(stream_prefix)
    kafka.allow(without(lack, kafka_rights("commands.md", "intake", stream_prefix), stream_prefix, stream_prefix))
    queue = KafkaQueue(kafka.address, stream_prefix)
    await queue.make()
    await queue.send([UNREADABLE])
    said = await source_fails(source(stream_prefix, kafka.secured, {**certificates.settings(), **user(stream_prefix)}))
    assert isinstance(said, SourceRefused)
    assert lack.said.replace("{}", stream_prefix) in str(said)


class Refusal(NamedTuple):
    """``away``: it may yet come right by itself."""

    url: Callable[[SecuredKafka], str]
    settings: Callable[[Certificates], Mapping[str, object]]
    said: str
    away: bool = False


def secured(kafka: SecuredKafka) -> str:
    return kafka.secured


REFUSALS = {
    "a wrong password": Refusal(
        secured, lambda files: {**files.settings(), **user("relay", WRONG)}, "see STOCKWIRE_BROKER_USER, STOCKWIRE_"
    ),
    "a mechanism that does not know the user": Refusal(
        secured,
        lambda files: {**files.settings(), **user("relay", WRONG), "STOCKWIRE_BROKER_SASL": "PLAIN"},
        "STOCKWIRE_BROKER_PASSWORD_FILE and STOCKWIRE_BROKER_SASL",
    ),
    "no user": Refusal(secured, Certificates.settings, "see the URL's scheme and STOCKWIRE_BROKER_USER", away=True),
    "no encryption": Refusal(
        lambda kafka: kafka.secured.replace("kafkas", "kafka"),
        lambda _: user("relay", WRONG),
        "see the URL's scheme",
        away=True,
    ),
    "encryption where there is none": Refusal(
        lambda kafka: f"kafkas://{kafka.address}",
        lambda files: {**files.settings(), **user("relay", WRONG)},
        "it speaks no TLS",
        away=True,
    ),
    "no certificate of ours": Refusal(
        secured,
        lambda files: {"STOCKWIRE_BROKER_CA_FILE": files.good.file, **user("relay")},
        "it does not take our certificate: see STOCKWIRE_BROKER_CERT_FILE and STOCKWIRE_BROKER_KEY_FILE",
    ),
    "a stranger's certificate": Refusal(
        secured,
        lambda files: {**files.settings(shown=files.stranger), **user("relay")},
        "it does not take our certificate: see STOCKWIRE_BROKER_CERT_FILE and STOCKWIRE_BROKER_KEY_FILE",
    ),
    "an authority that is not believed": Refusal(
        secured,
        lambda files: {**files.settings(believed=files.stranger), **user("relay")},
        "name who signed it in STOCKWIRE_BROKER_CA_FILE",
    ),
    "a certificate that has expired": Refusal(
        lambda kafka: kafka.expired,
        lambda files: {**files.settings(believed=files.expired), **user("relay")},
        "its certificate is not valid now (certificate has expired)",
    ),
    "another host's certificate": Refusal(
        lambda kafka: kafka.elsewhere,
        lambda files: {**files.settings(believed=files.elsewhere), **user("relay")},
        "its certificate is of another host (IP address mismatch, certificate is not valid for '127.0.0.1')",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_what_is_refused_is_said_with_the_fix_and_without_the_password(
    kafka: SecuredKafka,
    certificates: Certificates,
    stream_prefix: str,
    refusal: Refusal,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    url, settings = refusal.url(kafka), refusal.settings(certificates)
    async with sink(stream_prefix, url, settings) as one:
        relays, intakes = await asyncio.gather(sink_says(one), source_says(source(stream_prefix, url, settings)))
    assert isinstance(relays, SinkAway if refusal.away else SinkRefused), relays
    assert isinstance(intakes, SourceAway if refusal.away else SourceRefused), intakes
    for error in (relays, intakes):
        assert refusal.said in str(error)
        assert WRONG not in str(error) + repr(error.__cause__)
    assert WRONG not in caplog.text


async def test_a_certificate_that_was_renewed_is_taken_without_a_restart(
    kafka: SecuredKafka, certificates: Certificates, stream_prefix: str
) -> None:
    kafka.allow(kafka_rights("kafka.md", "relay", stream_prefix))
    kafka.allow(kafka_rights("commands.md", "intake", stream_prefix))
    taking = source(stream_prefix, kafka.secured, {**certificates.settings(), **user("intake")})
    async with sink(stream_prefix, kafka.secured, {**certificates.settings(), **user("relay")}) as one:
        certificates.ours.issue(days=-1)
        try:
            said = await asyncio.gather(sink_says(one), source_says(taking))
        finally:
            certificates.ours.issue()
        assert all("it does not take our certificate" in str(error) for error in said)
        assert await sink_says(one) is None
    assert await source_says(taking) is None
