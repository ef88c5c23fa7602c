"""RabbitMQ with TLS, users and rights: with those of the pages relay and intake work, and what lacks is named."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from followers.intake.source import SourceAway, SourceRefused
from followers.relay.sink import SinkAway, SinkRefused
from tests.followers.brokers.secured.asked import sink, sink_says, source, source_fails, source_says
from tests.followers.brokers.secured.certificates import Certificates
from tests.followers.brokers.secured.rabbitmq import ANOTHER_HOST, NAMED, PASSWORD, SecuredRabbitMQ
from tests.followers.brokers.secured.rights import Permissions, rabbitmq_rights
from tests.followers.intake import running as intake
from tests.followers.intake.queues import RabbitMQQueue
from tests.followers.relay import running as relay
from tests.harness.brokers.broker import HOST
from tests.harness.brokers.rabbitmq import need_rabbitmq
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api

PREFIX, VHOST = "stockwire", "shop"
WRONG, NOTHING = "hunter2", "^$"
UNREADABLE = intake.Sent({"id": "4711"}, b"nonsense")

WITHIN_S = 5 * PATIENCE_S
"""RabbitMQ takes its time to start beside a busy machine."""

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.timeout(WITHIN_S)]


@pytest.fixture(scope="module")
def certificates(server_folder: Path) -> Certificates:
    return Certificates(server_folder / "rabbitmq-certificates")


@pytest.fixture(scope="module")
def rabbitmq(server_folder: Path, processes: None, certificates: Certificates) -> Iterator[SecuredRabbitMQ]:
    need_rabbitmq()
    with SecuredRabbitMQ(server_folder / "secured-rabbitmq", certificates, users()) as broker:
        yield broker


def users() -> dict[str, Permissions]:
    """With the rights of the pages, and for each right one who lacks it."""
    found = {name: rabbitmq_rights("rabbitmq.md", name) for name in ("relay", "exchange")}
    found["intake"] = rabbitmq_rights("commands.md", "intake")
    lacking = {
        f"{name}-{right}": rights._replace(**{right: NOTHING})
        for name, rights in found.items()
        for right in Permissions._fields
    }
    return {**found, **lacking}


def user(name: str, password: str = PASSWORD) -> dict[str, object]:
    return {"STOCKWIRE_BROKER_USER": name, "STOCKWIRE_BROKER_PASSWORD": password}


async def test_with_the_rights_of_the_pages_relays_write_and_an_intake_takes_commands(
    system: ResidentSystem, rabbitmq: SecuredRabbitMQ, certificates: Certificates
) -> None:
    """In a vhost of their own."""
    await system.start_ledger()
    queue = RabbitMQQueue(rabbitmq.address, PREFIX, VHOST)
    ours = certificates.settings()
    to_take: dict[str, object] = {"STOCKWIRE_INTAKE_FROM": rabbitmq.amqp(vhost=VHOST), **ours, **user("intake")}
    async with (
        Api(system.ledger_url, await system.admin_key()) as api,
        relay.running(system, rabbitmq.streams(vhost=VHOST), PREFIX, **ours, **user("relay")) as streams,
        relay.running(system, rabbitmq.exchange(vhost=VHOST), PREFIX, **ours, **user("exchange")) as exchange,
        intake.running(system, **to_take) as taking,
    ):
        await api.stock("berlin", "A", 10)
        await intake.until_ready(taking)
        await queue.send([intake.sale("1", "berlin", "A"), UNREADABLE])
        for written in (streams, exchange):
            await written.has_written(2)
            await written.is_ready()

        async def told() -> bool:
            return len(await queue.results()) == 1 and len(await queue.dead()) == 1

        await wait_until(told, what="one result and one dead message")
    assert [orjson.loads(one.value)["status"] for one in await queue.results()] == [201]


@pytest.mark.parametrize("right", Permissions._fields)
@pytest.mark.parametrize("name", ["relay", "exchange"])
async def test_a_right_that_a_relay_lacks_is_named(
    rabbitmq: SecuredRabbitMQ, certificates: Certificates, name: str, right: str
) -> None:
    """Where streams are asked for; of the exchange RabbitMQ says what it was, and the page which rights."""
    url = rabbitmq.streams() if name == "relay" else rabbitmq.exchange()
    async with sink(PREFIX, url, {**certificates.settings(), **user(name)}) as whole:
        assert await sink_says(whole) is None
    async with sink(PREFIX, url, {**certificates.settings(), **user(f"{name}-{right}")}) as one:
        said = await sink_says(one)
    assert isinstance(said, SinkRefused)
    said_of = f"the user may not {right} the stream {PREFIX}-0" if name == "relay" else "refused for user"
    assert said_of in str(said)
    assert "docs/how-to/rabbitmq.md has the rabbitmqctl line" in str(said)


@pytest.mark.parametrize(
    ("right", "on"),
    [
        ("configure", f"queue '{PREFIX}.results'"),
        ("write", "exchange 'amq.default'"),
        ("read", f"queue '{PREFIX}.commands'"),
    ],
)
async def test_a_right_that_an_intake_lacks_is_named(
    rabbitmq: SecuredRabbitMQ, certificates: Certificates, right: str, on: str
) -> None:
    assert await source_says(source(PREFIX, rabbitmq.amqp(), {**certificates.settings(), **user("intake")})) is None
    await RabbitMQQueue(rabbitmq.address, PREFIX).send([UNREADABLE])
    settings = {**certificates.settings(), **user(f"intake-{right}")}
    said = await source_fails(source(PREFIX, rabbitmq.amqp(), settings))
    assert isinstance(said, SourceRefused)
    assert f"access to {on} in vhost '/' refused for user 'intake-{right}'" in str(said)
    assert "docs/how-to/commands.md has the rabbitmqctl line" in str(said)


class Refusal(NamedTuple):
    """``where``: host and vhost. ``may_end``: RabbitMQ may close a connection of streams before it has said why."""

    where: tuple[str, ...]
    settings: Callable[[Certificates], Mapping[str, object]]
    said: str
    may_end: bool = False


REFUSALS = {
    "a wrong password": Refusal(
        (HOST,), lambda files: {**files.settings(), **user("relay", WRONG)}, "STOCKWIRE_BROKER_USER", may_end=True
    ),
    "a vhost that is not there": Refusal(
        (HOST, "nowhere"),
        lambda files: {**files.settings(), **user("relay")},
        "the vhost in the URL",
        may_end=True,
    ),
    "no certificate of ours": Refusal(
        (HOST,),
        lambda files: {"STOCKWIRE_BROKER_CA_FILE": files.good.file, **user("relay", WRONG)},
        "see STOCKWIRE_BROKER_CERT_FILE and STOCKWIRE_BROKER_KEY_FILE",
    ),
    "a stranger's certificate": Refusal(
        (HOST,),
        lambda files: {**files.settings(shown=files.stranger), **user("relay", WRONG)},
        "see STOCKWIRE_BROKER_CERT_FILE and STOCKWIRE_BROKER_KEY_FILE",
    ),
    "an authority that is not believed": Refusal(
        (HOST,),
        lambda files: {**files.settings(believed=files.stranger), **user("relay", WRONG)},
        "name who signed it in STOCKWIRE_BROKER_CA_FILE",
    ),
    "a certificate that has expired": Refusal(
        (NAMED,),
        lambda files: {**files.settings(believed=files.expired), **user("relay", WRONG)},
        "its certificate is not valid now (certificate has expired)",
    ),
    "another host's certificate": Refusal(
        (ANOTHER_HOST,),
        lambda files: {**files.settings(), **user("relay", WRONG)},
        "its certificate is of another host (IP address mismatch, certificate is not valid for '127.0.0.2')",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_what_is_refused_is_said_with_the_fix_and_without_the_password(
    rabbitmq: SecuredRabbitMQ, certificates: Certificates, refusal: Refusal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = refusal.settings(certificates)
    async with (
        sink(PREFIX, rabbitmq.streams(*refusal.where), settings) as streams,
        sink(PREFIX, rabbitmq.exchange(*refusal.where), settings) as exchange,
    ):
        taking = source(PREFIX, rabbitmq.amqp(*refusal.where), settings)
        said = await asyncio.gather(sink_says(streams), sink_says(exchange), source_says(taking))
    assert isinstance(said[0], (SinkRefused, SinkAway) if refusal.may_end else SinkRefused), said
    assert [type(error) for error in said[1:]] == [SinkRefused, SourceRefused], said
    for error in said:
        assert error is not None
        assert refusal.said in str(error)
        assert WRONG not in str(error) + repr(error.__cause__)
    assert WRONG not in caplog.text


async def test_a_url_with_the_wrong_scheme_is_said(rabbitmq: SecuredRabbitMQ, certificates: Certificates) -> None:
    ours = {**certificates.settings(), **user("relay", WRONG)}
    async with sink(PREFIX, f"rabbitmqs://{HOST}:{rabbitmq.stream_port}", ours) as streams:
        taking = source(PREFIX, f"rabbitmqs://{rabbitmq.address}", ours)
        said = await asyncio.gather(sink_says(streams), source_says(taking))
    assert [type(error) for error in said] == [SinkAway, SourceAway], said
    assert all("it speaks no TLS" in str(error) for error in said), said


async def test_a_certificate_that_was_renewed_is_taken_without_a_restart(
    rabbitmq: SecuredRabbitMQ, certificates: Certificates
) -> None:
    taking = source(PREFIX, rabbitmq.amqp(), {**certificates.settings(), **user("intake")})
    async with sink(PREFIX, rabbitmq.streams(), {**certificates.settings(), **user("relay")}) as one:
        certificates.ours.issue(days=-1)
        try:
            said = await asyncio.gather(sink_says(one), source_says(taking))
        finally:
            certificates.ours.issue()
        assert all("it does not take our certificate" in str(error) for error in said), said
        assert await sink_says(one) is None
    assert await source_says(taking) is None
