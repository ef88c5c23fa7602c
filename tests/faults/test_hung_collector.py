"""A collector that takes connections and never answers, at full load: sales do not notice, and nothing grows."""

import asyncio
import logging
import time
from collections.abc import Sequence
from statistics import quantiles

import psutil
import pytest

from stockwire import AsyncClient
from tests.harness.metrics import metric_of
from tests.harness.otlp import OtlpReceiver
from tests.harness.processes import ServerProcess
from tests.harness.proxy import proxy_to
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]

SKU, LOCATION = "shoe", "shop"
SALES = 300_000 if SIZE.share >= 1 else 600
"""While it hangs: ten minutes, at 500 a second. For a fifth of it a busy machine has no time: a part is far
less, and the queue is full all the time in it too."""
SALES_ANSWERED = 30_000 if SIZE.share >= 1 else 200
"""Before it hangs, and again when it is back: what the others are held against."""
QUEUE_MAX = 200
SALES_TO_FILL = 60
"""Four spans each: more than the queue has room for."""
TILLS = 16
TIMEOUT_S = 60
"""Of the exporter for one request: a sale that waited for it would take as long."""
GROWS_BYTES_MAX = 16 * 2**20
"""Beyond what as many sales cost while it answers; as many spans as the queue has room for are 1 MiB."""
P99_RATIO_MAX = 1.5
"""Of whole campaigns alone: a part has too few sales to tell, beside whatever else this machine does."""

logger = logging.getLogger(__name__)


async def test_a_collector_that_hangs_costs_sales_neither_time_nor_memory(process_system: ProcessSystem) -> None:
    with OtlpReceiver() as receiver:
        async with proxy_to("127.0.0.1", int(receiver.url.rpartition(":")[2])) as link:
            ledger = await process_system.start_ledger(
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{link.port}",
                OTEL_EXPORTER_OTLP_TIMEOUT=TIMEOUT_S,
                OTEL_BSP_SCHEDULE_DELAY=50,
                OTEL_BSP_MAX_QUEUE_SIZE=QUEUE_MAX,
                OTEL_TRACES_SAMPLER="always_on",
                STOCKWIRE_TRACES_PER_S=10_000,
            )
            async with AsyncClient(ledger.url, await process_system.admin_key()) as till:
                await till.items.put(SKU, "a shoe")
                await till.locations.put(LOCATION, "a shop")
                await till.stock.receive(SKU, LOCATION, 10**6)
                await sold(till, SALES_TO_FILL)
                begun = memory(ledger)
                answered = await sold(till, SALES_ANSWERED)
                costs_each = (memory(ledger) - begun) / SALES_ANSWERED
                link.half_open()
                await sold(till, SALES_TO_FILL)
                full, dropped = memory(ledger), await spans(ledger, "dropped")
                hung = await sold(till, SALES)
                grown = memory(ledger) - full
                assert await spans(ledger, "dropped") > dropped, "the queue was full all the time"
                link.heal()
                link.cut()
                exported = await spans(ledger, "exported")
                answered += await sold(till, SALES_ANSWERED)

                async def goes_on() -> bool:
                    return await spans(ledger, "exported") > exported

                await wait_until(goes_on, what="spans are sent again")
            assert max(hung) < TIMEOUT_S
            assert grown <= max(0.0, costs_each) * SALES + GROWS_BYTES_MAX, f"{grown} bytes, {costs_each} a sale before"
            ratio = p99(hung) / p99(answered)
            logger.info("p99 %.1f ms, while it hangs %.1f", 1e3 * p99(answered), 1e3 * p99(hung))
            assert SIZE.share < 1 or ratio <= P99_RATIO_MAX


async def sold(till: AsyncClient, sales: int) -> list[float]:
    """Seconds that each took, with ``TILLS`` at a time."""
    left = iter(range(sales))
    took_s: list[float] = []

    async def sell() -> None:
        for _ in left:
            began = time.monotonic()
            await till.stock.sell(SKU, LOCATION)
            took_s.append(time.monotonic() - began)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(TILLS):
            tasks.create_task(sell())
    return took_s


async def spans(ledger: ServerProcess, outcome: str) -> float:
    return await metric_of(ledger, f'stockwire_ledger_spans_total{{outcome="{outcome}"}}')


def memory(ledger: ServerProcess) -> int:
    return int(psutil.Process(ledger.pid).memory_info().rss)


def p99(took_s: Sequence[float]) -> float:
    return quantiles(took_s, n=100)[-1]
