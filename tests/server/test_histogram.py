"""What took how long is counted where it belongs, and exported as Prometheus reads it."""

import random

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.histogram import BOUNDS_S, Exemplar, Histogram
from server.metrics import Families, exposition

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def exported(histogram: Histogram) -> httpx.ASGITransport:
    """``/metrics`` with ``histogram`` as ``test_seconds``."""

    class One(Collector):
        def collect(self):  # type: ignore[no-untyped-def]  # what a collector yields is checked where ours are
            yield Families("test").histogram("seconds", "How long.", histogram)

    registry = CollectorRegistry()
    registry.register(One())

    async def metrics(request: Request) -> Response:
        return exposition(registry, request)

    return httpx.ASGITransport(Starlette(routes=[Route("/metrics", metrics)]))


async def scrape(histogram: Histogram, accept: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=exported(histogram), base_url="http://here") as http:
        return await http.get("/metrics", headers={"Accept": accept})


async def test_every_observation_is_below_its_bounds_and_in_the_sum() -> None:
    histogram, drawn = Histogram(), random.Random(7)
    observed = [drawn.choice((*BOUNDS_S, drawn.uniform(0, 0.01), drawn.uniform(0, 20))) for _ in range(2_000)]
    for seconds in observed:
        histogram.observe(seconds)
    (family,) = text_string_to_metric_families((await scrape(histogram, "text/plain")).text)
    values = {
        sample.labels.get("le", sample.name.removeprefix("test_seconds_")): sample.value for sample in family.samples
    }
    for bound in BOUNDS_S:
        assert values.pop(str(float(bound))) == sum(seconds <= bound for seconds in observed)
    assert values == {"+Inf": 2_000, "count": 2_000, "sum": pytest.approx(sum(observed))}


def test_the_time_that_is_promised_is_a_bound() -> None:
    assert 0.25 in BOUNDS_S
    assert list(BOUNDS_S) == sorted(BOUNDS_S)


async def test_the_newest_trace_of_a_bucket_is_told_to_who_reads_openmetrics_alone() -> None:
    histogram = Histogram()
    histogram.observe(0.3, Exemplar("f" * 32, 1.5))
    histogram.observe(0.4, Exemplar(TRACE_ID, 2.5))
    histogram.observe(0.45)
    histogram.observe(99, Exemplar("e" * 32, 3.5))
    plain = await scrape(histogram, "text/plain;version=0.0.4")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "trace_id" not in plain.text
    prometheus = (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,*/*;q=0.1"
    )
    answer = await scrape(histogram, prometheus)
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    (family,) = openmetrics_families(answer.text)  # type: ignore[no-untyped-call]  # as the library has it
    exemplars = {sample.labels["le"]: sample.exemplar for sample in family.samples if sample.exemplar}
    assert {le: (one.labels["trace_id"], one.value, float(one.timestamp)) for le, one in exemplars.items()} == {
        "0.5": (TRACE_ID, 0.4, 2.5),
        "+Inf": ("e" * 32, 99, 3.5),
    }


@pytest.mark.parametrize("accept", ["*/*", "", "application/openmetrics-text; version=abc", ";;=,,"])
async def test_whatever_is_accepted_metrics_are_answered(accept: str) -> None:
    answer = await scrape(Histogram(), accept)
    assert answer.status_code == 200
    assert "test_seconds_count 0.0" in answer.text
