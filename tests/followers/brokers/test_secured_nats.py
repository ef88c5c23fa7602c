"""NATS with TLS, users and rights: with those of the pages relay and intake work, and what lacks is named."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import nats
import pytest
from nats.aio.client import Client

from followers.intake.source import SourceRefused
from followers.relay.sink import SinkRefused
from tests.followers.brokers.secured.asked import sink, sink_says, source, source_fails, source_says
from tests.followers.brokers.secured.certificates import Certificates
from tests.followers.brokers.secured.nats import EVERYTHING, PASSWORD, SecuredNats
from tests.followers.brokers.secured.rights import Subjects, nats_rights
from tests.followers.intake import running as intake
from tests.followers.relay import running as relay
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api
from wire.bindings import nats_headers

PREFIX, SHARDS = "stockwire", range(4)
WRONG = "hunter2"
RELAYS = ("stockwire.0.>", "$JS.API.STREAM.INFO.stockwire-0", "$JS.API.STREAM.MSG.GET.stockwire-0")
INTAKES = (
    "$JS.API.CONSUMER.DURABLE.CREATE.stockwire-commands.intake",
    "$JS.API.CONSUMER.MSG.NEXT.stockwire-commands.intake",
    "$JS.ACK.stockwire-commands.>",
    "stockwire.dead",
)

pytestmark = pytest.mark.usefixtures("processes")


class Servers(NamedTuple):
    """URLs."""

    secured: str
    expired: str
    elsewhere: str
    open: str


@pytest.fixture(scope="module")
def certificates(server_folder: Path) -> Certificates:
    return Certificates(server_folder / "nats-certificates")


@pytest.fixture(scope="module")
def servers(server_folder: Path, processes: None, certificates: Certificates) -> Iterator[Servers]:
    """Each shows another certificate, and the last one none."""
    folder, ours = server_folder / "secured-nats", certificates.ours
    with ExitStack() as stack:
        secured = stack.enter_context(SecuredNats(folder / "0", certificates.good, ours, users()))
        expired = stack.enter_context(SecuredNats(folder / "1", certificates.expired, ours, {}))
        elsewhere = stack.enter_context(SecuredNats(folder / "2", certificates.elsewhere, ours, {}))
        plain = stack.enter_context(NatsServer(folder / "3"))
        yield Servers(secured.secured, expired.secured, elsewhere.secured, f"tls://{plain.address}")


def users() -> dict[str, Subjects]:
    """With the rights of the pages, the relay's for all shards; and for each right one who lacks it."""
    one_shard, commands = nats_rights("nats.md", "relay"), nats_rights("commands.md", "intake")
    shards = [subject.replace("0", str(shard)) for subject in one_shard.publish for shard in SHARDS]
    found = {"relay": one_shard._replace(publish=shards), "intake": commands}
    for name, lacks in (("relay", RELAYS), ("intake", INTAKES)):
        for lack in lacks:
            left = [subject for subject in found[name].publish if subject != lack]
            assert len(left) == len(found[name].publish) - 1, "what is left out is not on the page"
            found[f"{name} {lack}"] = found[name]._replace(publish=left)
    return found


def user(name: str, password: str = PASSWORD) -> dict[str, object]:
    return {"STOCKWIRE_BROKER_USER": name, "STOCKWIRE_BROKER_PASSWORD": password}


@pytest.fixture
async def client(servers: Servers, certificates: Certificates) -> AsyncIterator[Client]:
    """Of who may do everything; streams of tests before are gone."""
    context = certificates.good.trusting()
    context.load_cert_chain(certificates.ours.chain, certificates.ours.key)
    client = await nats.connect(
        servers.secured, tls=context, user=EVERYTHING, password=PASSWORD, connect_timeout=int(PATIENCE_S)
    )
    for info in await client.jetstream().streams_info():
        await client.jetstream().delete_stream(info.config.name or "")
    yield client
    await client.close()


async def test_with_the_rights_of_the_pages_a_relay_writes_and_an_intake_takes_commands(
    system: ResidentSystem, servers: Servers, certificates: Certificates, client: Client
) -> None:
    await system.start_ledger()
    jetstream = client.jetstream(timeout=PATIENCE_S)
    unreadable, sale = intake.Sent({"id": "4711"}, b"nonsense"), intake.sale("1", "berlin", "A")
    async with (
        Api(system.ledger_url, await system.admin_key()) as api,
        relay.running(system, servers.secured, PREFIX, **certificates.settings(), **user("relay")) as written,
        intake.running(
            system, STOCKWIRE_INTAKE_FROM=servers.secured, **certificates.settings(), **user("intake")
        ) as taking,
    ):
        await api.stock("berlin", "A", 10)
        await intake.until_ready(taking)
        for one in (sale, unreadable):
            await jetstream.publish(f"{PREFIX}.commands", one.data, headers=dict(nats_headers(one.attributes)))
        await written.has_written(2)
        await written.is_ready()

        async def told() -> bool:
            streams = [await jetstream.stream_info(f"{PREFIX}-{name}") for name in ("results", "dead")]
            return [stream.state.messages for stream in streams] == [1, 1]

        await wait_until(told, what="one result and one dead message")


@pytest.mark.parametrize("lack", RELAYS)
async def test_a_right_that_a_relay_lacks_is_named(
    servers: Servers, certificates: Certificates, client: Client, lack: str
) -> None:
    async with sink(PREFIX, servers.secured, {**certificates.settings(), **user(f"relay {lack}")}) as one:
        said = await sink_says(one)
    assert isinstance(said, SinkRefused)
    assert f'permissions violation for publish to "{lack.removesuffix(">").lower()}' in str(said)
    assert "docs/how-to/nats.md has the rights" in str(said)


@pytest.mark.parametrize("lack", INTAKES)
async def test_a_right_that_an_intake_lacks_is_named(
    servers: Servers, certificates: Certificates, client: Client, lack: str
) -> None:
    assert await source_says(source(PREFIX, servers.secured, {**certificates.settings(), **user("intake")})) is None
    await client.jetstream().publish(f"{PREFIX}.commands", b"nonsense")
    said = await source_fails(source(PREFIX, servers.secured, {**certificates.settings(), **user(f"intake {lack}")}))
    assert isinstance(said, SourceRefused)
    assert f'permissions violation for publish to "{lack.removesuffix(">").lower()}' in str(said)
    assert "docs/how-to/commands.md has the rights" in str(said)


class Refusal(NamedTuple):
    server: str
    settings: Callable[[Certificates], Mapping[str, object]]
    said: str


REFUSALS = {
    "a wrong password": Refusal(
        "secured",
        lambda files: {**files.settings(), **user("relay", WRONG)},
        "see STOCKWIRE_BROKER_USER and STOCKWIRE_BROKER_PASSWORD_FILE",
    ),
    "no user": Refusal("secured", Certificates.settings, "see STOCKWIRE_BROKER_USER"),
    "encryption where there is none": Refusal(
        "open", lambda files: {**files.settings(), **user("relay", WRONG)}, "it offers no TLS, and the URL asks for it"
    ),
    "no certificate of ours": Refusal(
        "secured",
        lambda files: {"STOCKWIRE_BROKER_CA_FILE": files.good.file, **user("relay")},
        "see STOCKWIRE_BROKER_CERT_FILE and STOCKWIRE_BROKER_KEY_FILE",
    ),
    "a stranger's certificate": Refusal(
        "secured",
        lambda files: {**files.settings(shown=files.stranger), **user("relay")},
        "see STOCKWIRE_BROKER_CERT_FILE and STOCKWIRE_BROKER_KEY_FILE",
    ),
    "an authority that is not believed": Refusal(
        "secured",
        lambda files: {**files.settings(believed=files.stranger), **user("relay")},
        "name who signed it in STOCKWIRE_BROKER_CA_FILE",
    ),
    "a certificate that has expired": Refusal(
        "expired",
        lambda files: {**files.settings(believed=files.expired), **user("relay")},
        "its certificate is not valid now (certificate has expired)",
    ),
    "another host's certificate": Refusal(
        "elsewhere",
        lambda files: {**files.settings(believed=files.elsewhere), **user("relay")},
        "its certificate is of another host (IP address mismatch, certificate is not valid for '127.0.0.1')",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_what_is_refused_is_said_with_the_fix_and_without_the_password(
    servers: Servers, certificates: Certificates, refusal: Refusal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url, settings = getattr(servers, refusal.server), refusal.settings(certificates)
    async with sink(PREFIX, url, settings) as one:
        relays, intakes = await asyncio.gather(sink_says(one), source_says(source(PREFIX, url, settings)))
    assert isinstance(relays, SinkRefused), relays
    assert isinstance(intakes, SourceRefused), intakes
    for error in (relays, intakes):
        assert refusal.said in str(error)
        assert WRONG not in str(error) + repr(error.__cause__)
    assert WRONG not in caplog.text


async def test_a_certificate_that_was_renewed_is_taken_without_a_restart(
    servers: Servers, certificates: Certificates, client: Client
) -> None:
    taking = source(PREFIX, servers.secured, {**certificates.settings(), **user("intake")})
    async with sink(PREFIX, servers.secured, {**certificates.settings(), **user("relay")}) as one:
        certificates.ours.issue(days=-1)
        try:
            said = await asyncio.gather(sink_says(one), source_says(taking))
        finally:
            certificates.ours.issue()
        assert all("it does not take our certificate" in str(error) for error in said)
        assert await sink_says(one) is None
    assert await source_says(taking) is None
