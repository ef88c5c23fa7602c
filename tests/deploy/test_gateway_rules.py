"""What a gateway passes on and what not, before a server that counts: nothing twice, no address of clients' making."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.deploy.front import Front
from tests.deploy.load_balancer import GATEWAYS, Addresses, Behind, Launch, envoy, nginx
from tests.harness.otlp import OtlpReceiver
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

BROKEN = "/v1/broken"


class Server:
    """Stands for ledgers, hubs and console at once. What it is asked at /v1/broken it takes and does not answer.

    ``heads``: the last one of each path. ``taken``: how many requests for each method and path.
    """

    def __init__(self) -> None:
        self.heads: dict[str, dict[str, list[str]]] = {}
        self.taken: Counter[tuple[str, str]] = Counter()
        self._open = 0

    async def left(self) -> bool:
        return not self._open

    async def serve(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        self._open += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                lines = (await reading.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, path, _ = lines[0].split()
                self.taken[method, path] += 1
                head: dict[str, list[str]] = {}
                for name, _, value in (line.partition(": ") for line in lines[1:] if line):
                    head.setdefault(name.lower(), []).append(value)
                self.heads[path] = head
                if path == BROKEN:
                    break
                writing.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writing.close()
        self._open -= 1


@asynccontextmanager
async def before_a_server(
    launch: Callable[[Path, Addresses, Behind], Front], folder: Path, before: str = "255.255.255.255"
) -> AsyncIterator[tuple[Server, Addresses, httpx.AsyncClient]]:
    """A gateway before it, and beside each a place where nobody listens."""
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    place, nobody = f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}"
    own = Addresses(free_port(), free_port(), free_port())
    both = (nobody, place)
    front = launch(folder, own, Behind(both, both, both, (int(nobody.rpartition(":")[2]), port), place, before))
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:

            async def passes_on() -> bool:
                front.assert_runs()
                urls = (own.api, own.reads, own.console)
                return all([(await http.get(f"{url}/v1/begin")).status_code == 200 for url in urls])

            await wait_until(passes_on, swallow=httpx.TransportError)
            yield server, own, http
    finally:
        front.stop()
        listening.close()
        await wait_until(server.left)


@pytest.mark.parametrize("launch", GATEWAYS.values(), ids=GATEWAYS)
async def test_what_was_sent_is_never_sent_again_whatever_clients_ask_for(launch: Launch, tmp_path: Path) -> None:
    """Nor is what clients say of their address passed on. A place where nobody listens is noticed by nobody."""
    asking = {"x-envoy-retry-on": "5xx,reset", "x-envoy-max-retries": "3", "Content-Length": "0"}
    said = {"X-Forwarded-For": "6.6.6.6", **asking}
    async with before_a_server(launch, tmp_path) as (server, own, http):
        for number in range(8):
            assert (await http.get(f"{own.api}/v1/levels?{number}")).status_code == 200
        for method in ("POST", "PUT", "DELETE"):
            while not server.taken[method, BROKEN]:  # nginx tries some nowhere else: the place where nobody listens
                with contextlib.suppress(httpx.RemoteProtocolError):  # cut off, as HAProxy was
                    answer = await http.request(method, f"{own.api}{BROKEN}", headers=said)
                    assert answer.status_code in (502, 503)
            assert server.taken[method, BROKEN] == 1
        reads = (f"{own.reads}/v1/stream", f"{own.reads}/v1/levels/stream")
        for url in (f"{own.api}/v1/levels", *reads, f"{own.console}/api"):

            async def passed_on(url: str = url) -> bool:  # nginx leaves those alone for a second that have failed
                return (await http.get(url, headers=said)).status_code == 200

            await wait_until(passed_on)
            (told,) = server.heads[urlsplit(url).path]["x-forwarded-for"]
            assert ip_address(told), "Envoy tells the machine's own address of what comes from the machine"
            assert told != "6.6.6.6", url


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
async def test_a_named_proxy_is_believed(name: str, tmp_path: Path) -> None:
    """HAProxy adds to what it says, nginx repeats it. Envoy counts proxies instead of naming them."""
    async with before_a_server(GATEWAYS[name], tmp_path, "127.0.0.0/8") as (server, own, http):
        await http.get(f"{own.api}/v1/levels", headers={"X-Forwarded-For": "6.6.6.6"})
        assert ", ".join(server.heads["/v1/levels"]["x-forwarded-for"]) in ("6.6.6.6, 127.0.0.1", "6.6.6.6")


@pytest.mark.parametrize(
    ("launch", "bounds"),
    [
        (envoy, {"max_tokens: 4000, tokens_per_fill: 2000, fill_interval: 1s": "max_tokens: 50, fill_interval: 3600s"}),
        (nginx, {"rate=2000r/s": "rate=1r/m", "burst=4000": "burst=50"}),
    ],
    ids=["envoy", "nginx"],
)
async def test_one_address_may_not_ask_without_end(
    launch: Callable[..., Front], bounds: dict[str, str], tmp_path: Path
) -> None:
    """With a bound that is met sooner."""
    async with before_a_server(partial(launch, bounds=bounds), tmp_path) as (_, own, noisy):
        statuses = {(await noisy.get(f"{own.api}/v1/levels")).status_code for _ in range(60)}
        assert 429 in statuses
        assert statuses <= {200, 429}
        elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx.AsyncClient(transport=elsewhere, timeout=PATIENCE_S) as quiet:
            assert (await quiet.get(f"{own.api}/v1/levels")).status_code == 200


async def test_traces_are_begun_by_envoy_and_go_through_nginx(tmp_path: Path) -> None:
    trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    told = {"traceparent": f"00-{trace}-{caller}-01"}
    with OtlpReceiver() as collector:
        launch = partial(envoy, collector=urlsplit(collector.url).netloc)
        async with before_a_server(launch, tmp_path) as (server, own, http):
            assert (await http.get(f"{own.api}/v1/levels", headers=told)).status_code == 200
            (parent,) = server.heads["/v1/levels"]["traceparent"]

            async def begun() -> bool:
                spans = collector.received.of_trace(trace)
                return [(span.service, span.parent) for span in spans] == [("gateway", caller)]

            await wait_until(begun, what="the gateway's span at the collector")
            (span,) = collector.received.of_trace(trace)
            assert parent == f"00-{trace}-{span.id}-01"
    async with before_a_server(GATEWAYS["nginx"], tmp_path) as (server, own, http):
        assert (await http.get(f"{own.api}/v1/levels", headers=told)).status_code == 200
        assert server.heads["/v1/levels"]["traceparent"] == [told["traceparent"]]
