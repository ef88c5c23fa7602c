"""A real system breaks under a real Prometheus and a real Alertmanager: what broke is told, and nothing else.

Burning budgets are left to promtool's clock: in a twelfth of their windows they judge how busy this machine is.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.deploy.observe.faults import BROKEN, LOCATION, PLENTY, ROW, SOLD, snapshot
from tests.deploy.observe.hurried import Watched, divided, hurried, not_burning, watched
from tests.deploy.observe.rules import RULES
from tests.followers.exporter.breaking import breaking
from tests.followers.exporter.running import running
from tests.harness.proxy import proxy_to_socket
from tests.harness.system import ResidentSystem
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, sale

FACTOR = 12
CALM_SCRAPES = 10
"""As long as the longest ``for`` of what is struck, and more: what is wrong from the beginning would be told."""
BETWEEN_SALES_S = 0.1
CAUSES = {"StockwireBrokerAway", "StockwireProcessAway", "StockwireSnapshotHeldOpen", "StockwireAuditViolation"}
HELD_BACK = "StockwireHubNotFresh"


def test_every_duration_is_divided_and_nothing_else(tmp_path: Path) -> None:
    assert divided("rate(a_total[5m]) > 300 and b offset 10m > 60", 10) == (
        "rate(a_total[30000ms]) > 300 and b offset 60000ms > 60"
    )
    assert divided("1m", FACTOR) == "5000ms"
    left = re.compile(r"\[\d+[smhd]\]|offset \d+[smhd]\b|(?:for|interval): \d+[smhd]\b")
    assert all(left.search(file.read_text()) for file in RULES)
    assert not any(left.search(file.read_text()) for file in hurried(tmp_path, FACTOR))


@pytest.mark.usefixtures("processes")
async def test_four_faults_at_once_are_told_by_their_alerts_and_a_calm_launch_by_none(
    tmp_path: Path, database_url: str, valkey: ValkeyServer, channel_prefix: str
) -> None:
    async with proxy_to_socket(valkey.socket) as broker:
        system = ResidentSystem(tmp_path, database_url, valkey.proxied_url(broker.port), channel_prefix)
        try:
            await system.start()
            async with (
                selling(system),
                running(system) as exporter,
                watched(system, exporter.admin, tmp_path / "observe", FACTOR) as seen,
            ):
                await exporter.knows_all()
                await calm(seen)
                async with breaking(database_url) as database, snapshot(database_url):
                    await database.execute(ROW)
                    broker.refuse()
                    await system.hubs[1].stop()
                    await told(seen, CAUSES)
                    await held_back(seen)
                assert not_burning(seen.called.firing) == CAUSES
                broker.heal()
        finally:
            await system.stop()


async def calm(seen: Watched) -> None:
    """A while without a fault: nothing fires, and nothing is told."""
    scraped = f"min(count_over_time(up[1h])) >= {CALM_SCRAPES}"
    await seen.prometheus.until(scraped)
    assert not_burning(await seen.firing()) == set()
    assert not_burning(seen.called.firing) == set()


async def told(seen: Watched, causes: set[str]) -> None:
    async def all_of_them() -> bool:
        return causes <= seen.called.firing

    await wait_until(all_of_them, what=f"{causes}, not {seen.called.firing}")


async def held_back(seen: Watched) -> None:
    """What follows from the broker is known to Alertmanager, and kept."""

    async def kept() -> bool:
        return HELD_BACK in await seen.alertmanager.held_back()

    await wait_until(kept, what=f"{HELD_BACK} held back")


@asynccontextmanager
async def selling(system: ResidentSystem) -> AsyncIterator[None]:
    """One after the other, from plenty."""
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock(LOCATION, SOLD, PLENTY)
        await api.stock(LOCATION, BROKEN, PLENTY)
        task = asyncio.create_task(_sell(api))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _sell(api: Api) -> None:
    while True:
        assert (await api.move(sale(LOCATION, SOLD))).is_success
        await asyncio.sleep(BETWEEN_SALES_S)
