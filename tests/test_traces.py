"""One sale is one trace, from whoever asked for it to whoever sees it: in what a collector was sent."""

import re
import socket
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from stockwire import AsyncClient
from tests.harness.metrics import metric_of
from tests.harness.otlp import OtlpReceiver, Received, Span
from tests.harness.shown import shown_by_hubs
from tests.harness.stream import open_stream
from tests.harness.system import ResidentSystem, System
from tests.harness.waiting import wait_until

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = (f"00-{TRACE}-{CALLER}-{flags}" for flags in ("01", "00"))
SKU, LOCATION = "shoe", "shop"
LEDGER, HUB = "stockwire-ledger", "stockwire-hub"


async def start_traced(system: ResidentSystem, receiver: OtlpReceiver, **settings: object) -> System:
    """One ledger and two hubs that trace nothing but what callers say, and one item to sell."""
    traced: dict[str, Any] = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        **settings,
    }
    system.plan_hubs(2)
    await system.start_ledger(**traced)
    await system.start_hub(**traced)
    await system.start_hub(**traced)
    await system.await_fresh()
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        await client.items.put(SKU, "a shoe")
        await client.locations.put(LOCATION, "a shop")
        received = await client.stock.receive(SKU, LOCATION, 10)
        await shown_by_hubs(system, LOCATION, SKU, received.level.version)
    return system


@dataclass(frozen=True)
class Till:
    """Somebody who asks over HTTP, with a header of their own."""

    http: httpx.AsyncClient
    key: str

    async def sell(self, key: str, traceparent: str | None, units: int = 1, **headers: str) -> httpx.Response:
        given = {} if traceparent is None else {"traceparent": traceparent}
        return await self.http.post(
            "/v1/movements",
            json={"sku": SKU, "location": LOCATION, "quantity": -units, "kind": "sale"},
            headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": key, **given, **headers},
        )


def only(spans: list[Span], service: str, name: str) -> Span:
    (found,) = (span for span in spans if span.service == service and span.name == name)
    return found


async def test_a_sale_is_one_trace_from_the_till_to_every_screen(system: ResidentSystem) -> None:
    with OtlpReceiver() as receiver:
        await start_traced(system, receiver)
        watcher = await system.key("watcher", f"stock:read:{LOCATION}")
        first, second = system.stream_urls
        async with (
            open_stream(first, watcher) as one,
            open_stream(second, watcher) as other,
            httpx.AsyncClient(base_url=system.ledger_url) as http,
        ):
            for stream in (one, other):
                await stream.subscribe(LOCATION, [SKU])
            sold = await Till(http, await system.admin_key()).sell("sale", SAMPLED)
            assert sold.status_code == 201
            told = [await stream.expect("level", sku=SKU) for stream in (one, other)]

        received = await receiver.wait_for(
            lambda received: len(received.of_trace(TRACE)) == 7, "five spans and one a hub"
        )
        spans = received.of_trace(TRACE)
        server = only(spans, LEDGER, "POST /v1/movements")
        wait = only(spans, LEDGER, "wait for the writer")
        batch = only(spans, LEDGER, "commit batch")
        write = only(spans, LEDGER, "write batch")
        (publish,) = (span for span in spans if span.kind == "PRODUCER")
        flushes = [span for span in spans if span.service == HUB]

        assert server.parent == CALLER
        assert (wait.parent, batch.parent) == (server.id, server.id)
        assert (write.parent, publish.parent) == (batch.id, batch.id)
        assert [flush.parent for flush in flushes] == [publish.id, publish.id]
        assert (server.kind, write.kind, flushes[0].kind) == ("SERVER", "CLIENT", "CONSUMER")
        assert batch.links == (server.where,)
        assert [flush.links for flush in flushes] == [(publish.where,), (publish.where,)]
        assert sorted(level["traceparent"] for level in told) == sorted(f"00-{TRACE}-{span.id}-01" for span in flushes)
        assert server.start_ns <= wait.start_ns <= wait.end_ns <= batch.start_ns <= write.start_ns <= write.end_ns
        assert write.end_ns <= publish.start_ns <= batch.end_ns <= server.end_ns
        assert server.attributes == {
            "http.request.method": "POST",
            "http.route": "/v1/movements",
            "http.response.status_code": 201,
            "url.path": "/v1/movements",
            "url.scheme": "http",
            "network.protocol.version": "1.1",
            "stockwire.operation.id": sold.json()["operation"],
        }
        assert flushes[0].attributes["stockwire.levels"] == 1
        assert flushes[0].attributes["stockwire.deliveries"] == 1
        assert not any(span.failed for span in spans)
        assert received.resources[LEDGER]["service.instance.id"] == socket.gethostname()


async def test_histograms_name_the_trace_of_a_sale_whichever_way_it_was_answered(system: ResidentSystem) -> None:
    """To who asks for OpenMetrics. Its hubs, too."""
    with OtlpReceiver() as receiver:
        await start_traced(system, receiver)
        async with httpx.AsyncClient(base_url=system.ledger_url) as http:
            till = Till(http, await system.admin_key())
            of_route = 'method="POST",outcome="ok",route="/v1/movements"'
            for number, headers in enumerate(({}, {"Origin": "https://elsewhere.example"})):
                trace = f"{number + 1:032x}"
                sold = await till.sell(f"sale-{number}", SAMPLED.replace(TRACE, trace), 1, **headers)
                assert sold.status_code == 201
                await shown_by_hubs(system, LOCATION, SKU, sold.json()["levels"][0]["version"])
                ledger = await exemplars_of(system.ledgers[0].admin)
                assert trace in ledger["request_seconds", of_route]
                assert all(trace in ledger[f"{part}_seconds", ""] for part in ("wait", "batch", "statement"))
                for hub in system.hubs:
                    told = await exemplars_of(hub.admin)
                    assert trace in told["transit_seconds", ""] & told["flush_seconds", ""]


async def exemplars_of(admin: str) -> dict[tuple[str, str], set[str]]:
    """Traces by histogram and by what labels it has beside its bounds."""
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{admin}/metrics", headers={"Accept": "application/openmetrics-text"})).text
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    line = re.compile(r'stockwire_[a-z]+_(\w+)_bucket\{le="[^"]+",?([^}]*)\} \S+ # \{trace_id="(\w+)"\} .*')
    for match in filter(None, map(line.fullmatch, text.splitlines())):
        found[match[1], match[2]].add(match[3])
    return found


async def test_who_says_that_it_is_not_sampled_or_nothing_costs_no_span(system: ResidentSystem) -> None:
    with OtlpReceiver() as receiver:
        await start_traced(system, receiver)
        async with httpx.AsyncClient(base_url=system.ledger_url) as http:
            till = Till(http, await system.admin_key())
            assert [
                (await till.sell(key, traceparent)).status_code
                for key, traceparent in {"unsampled": UNSAMPLED, "none": None, "bad": SAMPLED.upper()}.items()
            ] == [201, 201, 201]
            keyless = {"traceparent": SAMPLED.replace(TRACE, "e" * 32)}
            assert (await http.get(f"/v1/levels/{LOCATION}/{SKU}", headers=keyless)).status_code == 401
            await till.sell("sampled", SAMPLED)
        received = await receiver.wait_for(has_served(1))
        assert {span.trace for span in received.spans if span.service == LEDGER and not is_slow(span)} == {TRACE}


async def test_refusals_are_answers_and_are_traced_whichever_way_they_are_answered(system: ResidentSystem) -> None:
    with OtlpReceiver() as receiver:
        await start_traced(system, receiver)
        async with httpx.AsyncClient(base_url=system.ledger_url) as http:
            till, nobody = Till(http, await system.admin_key()), Till(http, "sw_nobody")
            refused = [
                await till.sell("too-many", SAMPLED, 11),
                await till.sell("routed", SAMPLED, 11, Origin="https://elsewhere.example"),
                await nobody.sell("nobody", SAMPLED),
            ]
            assert [answer.status_code for answer in refused] == [409, 409, 401]
        received = await receiver.wait_for(has_served(3))
        served = sorted(received.named("POST /v1/movements"), key=lambda span: span.start_ns)
        assert [span.attributes["http.response.status_code"] for span in served] == [409, 409, 401]
        assert [span.attributes["http.route"] for span in served] == ["/v1/movements"] * 3
        assert not any(span.failed for span in served)
        batches = [span for span in received.named("commit batch") if not is_slow(span)]
        assert {span.parent for span in batches} == {served[0].id, served[1].id}
        assert not received.named("apply and flush")


async def test_the_metrics_tell_how_many_spans_were_taken(system: ResidentSystem) -> None:
    with OtlpReceiver() as receiver:
        await start_traced(system, receiver)
        async with httpx.AsyncClient(base_url=system.ledger_url) as http:
            await Till(http, await system.admin_key()).sell("sale", SAMPLED)
        await receiver.wait_for(has_served(1))

        async def has_exported() -> bool:
            exported = 'stockwire_ledger_spans_total{outcome="exported"}'
            return await metric_of(system.ledgers[0], exported) == len(
                [span for span in receiver.received.spans if span.service == LEDGER]
            )

        await wait_until(has_exported)
        assert await metric_of(system.ledgers[0], "stockwire_ledger_traces_limited_total") == 0


def is_slow(span: Span) -> bool:
    """Traced for that alone, which on a busy machine may be any batch."""
    return "stockwire.slow" in span.attributes and not span.parent


def has_served(requests: int) -> Callable[[Received], bool]:
    """Whether so many requests have come, and each with all that it brought about in its ledger."""
    return lambda received: len(received.named("POST /v1/movements")) == requests
