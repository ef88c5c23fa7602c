"""Ledger, hub and clients over https and wss, on every port, and what comes to these ports without TLS."""

import asyncio
import contextlib
import re
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from cli import health
from server.tls.certificate import CA_SETTING, HANDSHAKE_S
from stockwire import AsyncClient, Client, ConfigurationError, Unavailable
from tests.faults.watcher import await_agreement, watching
from tests.harness.api_keys import make_token
from tests.harness.metrics import await_metric
from tests.harness.processes import ServerProcess
from tests.harness.servers import free_port
from tests.harness.stream import open_stream
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.server.tls.certificates import Authority, certificate_at

READER = make_token("stock:read:*")
LATE_S = 50.0
AT_ONCE = 20
"""Handshakes: some of them are over a rate of one per second, however busy the machine is."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


async def start(system: ProcessSystem, authority: Authority, *workers: str) -> tuple[ServerProcess, ServerProcess]:
    """A ledger and a hub, both with the authority's certificate."""
    stream, read = free_port(), free_port()
    named = {
        "STOCKWIRE_HUB_STREAM_URLS": f"wss://127.0.0.1:{stream}/v1/stream",
        "STOCKWIRE_HUB_READ_URLS": f"https://127.0.0.1:{read}",
    }
    ports: dict[str, Any] = {"STOCKWIRE_HUB_STREAM_PORT": stream, "STOCKWIRE_HUB_READ_PORT": read}
    ledger = await system.start_ledger(**authority.server, **named)
    hub = await system.start_hub(*workers, **authority.hub, **ports)
    return ledger, hub


@pytest.fixture
async def pair(system: ProcessSystem, authority: Authority) -> tuple[ServerProcess, ServerProcess]:
    return await start(system, authority)


@pytest.fixture
def believing(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    """Clients made in this process believe the authority, and nobody else."""
    monkeypatch.setenv(CA_SETTING, str(authority.file))


async def open_location(client: AsyncClient) -> None:
    await client.items.put("A", "A")
    await client.locations.put("berlin", "Berlin")
    await client.stock.receive("A", "berlin", 9)


@pytest.mark.usefixtures("believing")
async def test_what_is_sold_over_https_is_seen_over_wss(
    pair: tuple[ServerProcess, ServerProcess], system: ProcessSystem, authority: Authority
) -> None:
    ledger, hub = pair
    assert {urlsplit(url).scheme for url in (ledger.url, hub.url)} == {"https"}
    assert {urlsplit(process.admin).scheme for process in pair} == {"http"}, "on loopback, for health checks"
    assert hub.stream.startswith("wss://")
    key = await system.admin_key()
    async with AsyncClient(ledger.url, key) as client:
        await open_location(client)
        assert await client.hubs() == [hub.stream]
        async with watching(client, "berlin") as watcher:
            await client.stock.sell("A", "berlin", 2)
            await await_agreement(client, "berlin", [watcher])
            assert watcher.figures["berlin", "A"][1] == 7
    assert await asyncio.to_thread(sold_and_seen_without_asyncio, ledger.url, key) == 6
    async with httpx.AsyncClient(verify=authority.trusting(), trust_env=False) as http:
        headers = {"Authorization": f"Bearer {READER}"}
        level = await http.get(f"{hub.url}/v1/levels/berlin/A", headers=headers)
        assert level.json()["available"] == 6
        assert (await http.get(f"{ledger.url}/v1/discovery")).json()["hubs"][0]["read"] == hub.url


def sold_and_seen_without_asyncio(url: str, key: str) -> int:
    with Client(url, key) as client, client.subscribe("berlin", ["A"]) as subscription:
        subscription.ready()
        version = client.stock.sell("A", "berlin").level.version
        while subscription.view["berlin", "A"].version < version:
            assert subscription.next_event(PATIENCE_S) is not None
        return subscription.view["berlin", "A"].available


async def test_clients_that_do_not_believe_the_certificate_send_nothing(
    pair: tuple[ServerProcess, ServerProcess], system: ProcessSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, hub = pair
    key = await system.admin_key()
    async with AsyncClient(ledger.url, key, max_retries=0) as client:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await client.stock.receive("A", "berlin", 1)
    with pytest.raises(ssl.SSLCertVerificationError):
        async with open_stream(hub.stream, READER):
            pass
    monkeypatch.setenv(CA_SETTING, str(Authority(tmp_path / "other").file))
    async with AsyncClient(ledger.url, key, max_retries=0, hubs=[hub.stream]) as client:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await client.stock.receive("A", "berlin", 1)
        async with client.subscribe("berlin") as subscription:
            with pytest.raises(Unavailable):
                await subscription.ready(0.5)
    monkeypatch.setenv(CA_SETTING, str(tmp_path / "none"))
    for kind in (AsyncClient, Client):
        with pytest.raises(ConfigurationError, match=f"{CA_SETTING}=.* cannot be used: No such file"):
            kind(ledger.url, key)


async def test_a_hub_that_does_not_believe_the_ledger_says_so_and_where_to_look(
    system: ProcessSystem, authority: Authority, tmp_path: Path
) -> None:
    await system.start_ledger(**authority.server)
    other = Authority(tmp_path / "other")
    hub = await system.start_hub(STOCKWIRE_LEDGER_CA_FILE=other.file)

    async def said() -> bool:
        return f"is not believed: name the one that signed it in {CA_SETTING}" in hub.stderr()

    await wait_until(said)
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{hub.admin}/readyz")).status_code == 503


async def test_whoever_speaks_plain_http_to_these_ports_gets_no_answer_and_hurts_nobody(
    pair: tuple[ServerProcess, ServerProcess], authority: Authority
) -> None:
    ledger, hub = pair
    for url in (ledger.url, hub.url, hub.stream):
        plain = re.sub("^(https|wss)", "http", url)
        async with httpx.AsyncClient(trust_env=False) as http:
            with pytest.raises(httpx.TransportError):
                await http.get(plain, headers={"Authorization": f"Bearer {READER}"})
        assert await certificate_at(url, authority.trusting()) == authority.shown()
    for process in pair:
        process.check_log()
        assert READER not in process.stderr()


async def test_old_versions_of_tls_are_refused(pair: tuple[ServerProcess, ServerProcess], authority: Authority) -> None:
    ledger, hub = pair
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        old = authority.trusting()
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            old.minimum_version = old.maximum_version = version
        for url in (ledger.url, hub.url, hub.stream):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await certificate_at(url, old)


async def test_who_opens_connections_and_never_shakes_hands_is_cut_off(
    pair: tuple[ServerProcess, ServerProcess],
) -> None:
    """Also one that begins to: a client hello of which one byte comes now and then."""
    ledger, hub = pair
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(HANDSHAKE_S + LATE_S), asyncio.TaskGroup() as tasks:
        for url in (ledger.url, hub.url, hub.stream):
            tasks.create_task(cut_off(url, b""))
            tasks.create_task(cut_off(url, b"\x16\x03\x01\x02\x00\x01"))
    assert asyncio.get_running_loop().time() - began > 1, "not before anybody could have"
    for process in pair:
        process.check_log()


async def cut_off(url: str, drips: bytes) -> None:
    """Returns when the connection has been ended by the other side."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        for byte in drips:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.5)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    finally:
        writer.transport.abort()


async def test_a_hub_shakes_no_hands_over_the_rate(system: ProcessSystem, authority: Authority) -> None:
    await system.start_ledger(**authority.server)
    hub = await system.start_hub(**authority.hub, STOCKWIRE_HUB_HANDSHAKES_BURST=1, STOCKWIRE_HUB_HANDSHAKES_PER_S=1)

    async def is_refused() -> bool:
        try:
            async with open_stream(hub.stream, READER, ssl=authority.trusting()):
                return False
        except (OSError, EOFError):
            return True

    refused = sum(await asyncio.gather(*(is_refused() for _ in range(AT_ONCE))))
    assert refused >= 1
    await await_metric(hub, 'stockwire_hub_turned_away_total{limit="rate"}', refused)
    await await_metric(hub, 'stockwire_hub_tls_handshakes_total{outcome="done"}', AT_ONCE - refused)
    await await_metric(hub, 'stockwire_hub_upgrades_total{status="503"}', 0)


async def test_a_renewed_certificate_is_taken_on_sighup_and_what_stands_goes_on(
    pair: tuple[ServerProcess, ServerProcess], system: ProcessSystem, authority: Authority
) -> None:
    ledger, hub = pair
    trust, before = authority.trusting(), authority.shown()
    key = await system.admin_key()
    async with (
        httpx.AsyncClient(verify=trust, trust_env=False, headers={"Authorization": f"Bearer {key}"}) as http,
        open_stream(hub.stream, READER, ssl=trust) as stream,
    ):
        await open_over(http, ledger.url)
        await stream.subscribe("berlin")
        authority.issue()
        assert authority.shown() != before
        await renewed(pair, "certificate renewed")
        for url in (ledger.url, hub.url, hub.stream):
            assert await certificate_at(url, trust) == authority.shown()
        taken = http.build_request("POST", f"{ledger.url}/v1/movements", json=RECEIPT, headers={"Idempotency-Key": "2"})
        assert (await http.send(taken)).status_code == 201
        level = await stream.expect("level", version=2)
        assert level["on_hand"] == 2
        good = authority.shown()
        authority.issue(days=-1)
        await renewed(pair, "was not renewed, the one before stays reason='STOCKWIRE_TLS_CERT_FILE")
        for url in (ledger.url, hub.url, hub.stream):
            assert await certificate_at(url, trust) == good


RECEIPT = {"sku": "A", "location": "berlin", "quantity": 1, "kind": "receipt"}


async def open_over(http: httpx.AsyncClient, url: str) -> None:
    for path in ("items/A", "locations/berlin"):
        assert (await http.put(f"{url}/v1/{path}", json={"name": "A"})).is_success
    first = await http.post(f"{url}/v1/movements", json=RECEIPT, headers={"Idempotency-Key": "1"})
    assert first.status_code == 201


async def renewed(processes: tuple[ServerProcess, ...], says: str) -> None:
    """SIGHUP to each of them; returns when their logs say this."""
    for process in processes:
        process.hang_up()

        async def said(process: ServerProcess = process) -> bool:
            return says in process.stderr()

        await wait_until(said, what=f"{process.name} says {says!r}")


async def test_every_worker_takes_the_renewed_certificate(system: ProcessSystem, authority: Authority) -> None:
    _, hub = await start(system, authority, "--workers", "2")
    assert hub.stream.startswith("wss://")
    assert hub.url.startswith("https://")
    authority.issue()
    hub.hang_up()

    async def both_said() -> bool:
        return hub.stderr().count("certificate renewed") == 2

    await wait_until(both_said)
    trust = authority.trusting()
    assert {await certificate_at(hub.stream, trust) for _ in range(20)} == {authority.shown()}
    assert hub.running


async def test_an_admin_port_that_others_reach_is_encrypted_and_the_health_check_knows(
    system: ProcessSystem, authority: Authority, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = await system.start_ledger(**authority.server, STOCKWIRE_LEDGER_ADMIN_HOST="0.0.0.0")
    assert ledger.admin.startswith("https://0.0.0.0:")
    port = urlsplit(ledger.admin).port
    async with httpx.AsyncClient(verify=authority.trusting(), trust_env=False) as http:
        assert (await http.get(f"https://127.0.0.1:{port}/healthz")).status_code == 200
    monkeypatch.setenv("STOCKWIRE_TLS_CERT_FILE", str(authority.chain))
    monkeypatch.setenv("STOCKWIRE_LEDGER_ADMIN_HOST", "0.0.0.0")
    monkeypatch.setenv("STOCKWIRE_LEDGER_ADMIN_PORT", str(port))
    monkeypatch.setenv("STOCKWIRE_HUB_ADMIN_PORT", str(free_port()))
    assert await asyncio.to_thread(health.main) == 0, capsys.readouterr().err


async def test_a_client_that_never_reads_costs_bounded_memory_over_tls_too(
    system: ProcessSystem, authority: Authority
) -> None:
    """As without TLS: not drained in time, it is cut off."""
    ledger = await system.start_ledger(**authority.server)
    hub = await system.start_hub(**authority.hub, STOCKWIRE_HUB_STALL_S=1)
    trust = authority.trusting()
    key = await system.admin_key()
    async with httpx.AsyncClient(verify=trust, trust_env=False, headers={"Authorization": f"Bearer {key}"}) as http:
        await open_over(http, ledger.url)
        parts = urlsplit(hub.stream)
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, (parts.hostname, parts.port))
        async with open_stream(hub.stream, READER, ssl=trust, sock=raw, server_hostname="127.0.0.1") as stream:
            stream.connection.transport.pause_reading()
            with contextlib.suppress(ConnectionClosed):
                for number in range(120):
                    await stream.send({"type": "subscribe", "id": number + 10, "location": "berlin", "skus": MANY})

            async def cut() -> bool:
                text = (await http.get(f"{hub.admin}/metrics")).text
                return "stockwire_hub_connections 0.0" in text and 'closes_total{code="4101"} 1.0' in text

            await wait_until(cut, what="cut off")
    hub.check_log()


MANY = [f"S{number:060d}" for number in range(1_000)]
