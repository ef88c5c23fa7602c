"""One sale is one trace from a till to the screens, also where a gateway stands between them and us."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from stockwire import AsyncClient, AsyncSubscription, LevelChanged
from stockwire.level import Level
from tests.deploy.load_balancer import Addresses, Behind, address, connections, envoy
from tests.harness.otlp import PATH, OtlpReceiver
from tests.harness.servers import free_port
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.test_traces import HUB, LEDGER, LOCATION, SKU, only, start_traced

TILL, GATEWAY = "till", "gateway"
SPANS = 10
"""Two of the till (the sale, the client's request), the gateway's, five of the ledger (request, wait, batch, statement,
publish), one of each hub. And one more where each screen takes it."""
SCREENS_MAX = 20


@asynccontextmanager
async def through_envoy(system: ResidentSystem, own: Addresses, collector: str, folder: Path) -> AsyncIterator[None]:
    """The system's one ledger, and its two hubs, behind deploy/envoy.yaml."""
    behind = Behind(
        ledgers=[address(system.ledger_url)] * 2,
        streams=[address(hub.stream) for hub in system.hubs],
        reads=[address(hub.url) for hub in system.hubs],
        admin_ports=[int(urlsplit(hub.admin).port or 0) for hub in system.hubs],
        console="127.0.0.1:1",
    )
    front = envoy(folder, own, behind, collector)

    async def passes_on() -> bool:
        front.assert_runs()
        async with httpx.AsyncClient(trust_env=False) as http:
            answers = [await http.get(url) for url in (f"{own.api}/readyz", f"{own.reads}/v1/levels")]
        return [answer.status_code for answer in answers] == [200, 401]

    try:
        await wait_until(passes_on, swallow=httpx.HTTPError, what="Envoy passes on")
        yield
    finally:
        front.stop()


def traced_till(receiver: OtlpReceiver) -> TracerProvider:
    """Of an application that traces, and sends its spans where ours go."""
    provider = TracerProvider(resource=Resource.create({"service.name": TILL}))
    exporter = OTLPSpanExporter(endpoint=f"{receiver.url}{PATH}")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=50))
    return provider


@pytest.mark.usefixtures("processes")
async def test_a_tills_sale_is_one_trace_through_envoy_ledger_broker_and_both_hubs_to_each_screen(
    system: ResidentSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Addresses(free_port(), free_port(), free_port())
    async with AsyncExitStack() as stack:
        receiver = stack.enter_context(OtlpReceiver())
        await start_traced(system, receiver, **own.settings)
        await stack.enter_async_context(through_envoy(system, own, address(receiver.url), tmp_path))
        provider = traced_till(receiver)
        stack.callback(provider.shutdown)
        monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)  # as set_tracer_provider, which is for once
        client = await stack.enter_async_context(AsyncClient(own.api, await system.key("watcher", "stock:read:*")))
        screens: list[AsyncSubscription[Level, LevelChanged]] = []
        while not all([await connections(hub) for hub in system.hubs]):  # Envoy may know one of them to be ready first
            assert len(screens) < SCREENS_MAX
            screen = await stack.enter_async_context(client.subscribe(LOCATION, [SKU]))
            await screen.ready(PATIENCE_S)
            screens.append(screen)
        till = await stack.enter_async_context(AsyncClient(own.api, await system.admin_key()))
        with provider.get_tracer(TILL).start_as_current_span("sale") as sale:
            sold = await till.stock.sell(SKU, LOCATION)
        told = [await change_on(screen) for screen in screens]
        found = f"{sale.get_span_context().trace_id:032x}"
        count = SPANS + len(screens)
        received = await receiver.wait_for(lambda received: len(received.of_trace(found)) >= count, f"{count} spans")

    spans = received.of_trace(found)
    assert len(spans) == count, [(span.service, span.name) for span in spans]
    begun, asked = only(spans, TILL, "sale"), only(spans, TILL, "POST /v1/movements")
    (gateway,) = (span for span in spans if span.service == GATEWAY)
    server, batch = only(spans, LEDGER, "POST /v1/movements"), only(spans, LEDGER, "commit batch")
    (publish,) = (span for span in spans if span.kind == "PRODUCER")
    shown = [span for span in spans if span.service == HUB]
    taken = [span for span in spans if span.name == "receive level"]
    way = [begun, asked, gateway, server, batch, publish]
    assert [span.parent for span in way] == ["", *(span.id for span in way[:-1])]
    assert [span.parent for span in shown] == [publish.id] * 2
    assert len(taken) == len(screens)
    assert {span.parent for span in taken} == {span.id for span in shown}, "each hub has told somebody"
    assert asked.start_ns <= gateway.start_ns <= server.start_ns
    assert gateway.end_ns <= asked.end_ns, (
        "a ledger's ends when its answer was written, which Envoy may have passed on before"
    )
    assert server.attributes["stockwire.operation.id"] == sold.operation
    assert [event.level.version for event in told] == [sold.levels[0].version] * len(screens)


async def change_on(screen: AsyncSubscription[Level, LevelChanged]) -> LevelChanged:
    """What was there before comes first."""
    async with asyncio.timeout(PATIENCE_S):
        async for event in screen:
            if isinstance(event, LevelChanged):
                return event
    raise AssertionError("the stream has ended")
