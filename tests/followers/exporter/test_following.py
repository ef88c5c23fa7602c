"""The exporter beside a ledger that goes away, comes back, and has another history; and what it says meanwhile."""

import re

import httpx
import pytest

from followers.exporter.following import Following
from followers.exporter.hottest import WINDOW_S
from followers.exporter.process import ledger_of
from ledger import migrations
from server.process import first_of
from server.settings.environment import SettingsError
from server.version import VERSION
from tests.followers.exporter.running import Running, running
from tests.harness.metrics import described_metrics, exported_metrics
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, sale

LOCATION = "berlin"


async def test_it_waits_for_a_ledger_that_is_away_and_goes_on_where_it_stood(system: ResidentSystem) -> None:
    ledger = await system.start_ledger()
    key = await system.admin_key()
    async with running(system) as exporter:
        async with Api(ledger.url, key) as api:
            await api.stock(LOCATION, "A", 10)
            await exporter.audited(1)
        await is_up(exporter, 1)
        assert await readiness(exporter) == {"status": "ready", "version": VERSION}
        await ledger.stop()
        await is_up(exporter, 0)
        assert (await readiness(exporter))["detail"].startswith("the log is not followed: the ledger ")
        assert [one for one in await exporter.troubles() if one.startswith("the log is not audited")]
        await ledger.restart()
        async with Api(ledger.url, key) as api:
            for _ in range(3):
                await api.move(sale(LOCATION, "A"))
        await exporter.audited(4)
        await is_up(exporter, 1)
        assert await readiness(exporter) == {"status": "ready", "version": VERSION}
        assert (await exporter.metrics())["stockwire_audit_first_sights_total"] == 0
        await exporter.until()


async def test_it_begins_at_the_head_or_at_the_start_and_says_how_far_it_is(system: ResidentSystem) -> None:
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for sku in "AB":
            await api.stock(LOCATION, sku, 10)
        async with running(system) as at_head, running(system, STOCKWIRE_EXPORTER_FROM_START=1) as from_start:
            await at_head.knows_all()
            await from_start.audited(2)
            await api.move(sale(LOCATION, "A"))
            await at_head.audited(1)
            await from_start.audited(3)
            for one in (at_head, from_start):
                await one.until()
                metrics = await one.metrics()
                positions = {
                    name: value for name, value in metrics.items() if re.match("stockwire_audit_(seq|head)", name)
                }
                assert sorted(positions.values()) == [0] * 6 + [3] * 2
                assert metrics["stockwire_audit_levels"] == 2


async def test_of_another_history_nothing_is_kept(system: ResidentSystem) -> None:
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock(LOCATION, "A", 10)
        async with running(system) as exporter:
            await exporter.knows_all()
            before = exporter.exporter.following.history
            await migrations.new_epoch(system.database_url)

            async def anew() -> bool:
                return (await exporter.metrics())["stockwire_exporter_history_rewritten_total"] == 1

            await wait_until(anew)
            now = exporter.exporter.following.history
            assert now is not None
            assert now is not before
            await api.move(sale(LOCATION, "A"))
            await exporter.audited(1)
            await exporter.until()


async def test_the_metrics_are_those_of_the_page_and_none_but_those_of_skus_names_one(system: ResidentSystem) -> None:
    await system.start_ledger()
    async with (
        Api(system.ledger_url, await system.admin_key()) as api,
        running(system, STOCKWIRE_EXPORTER_SKUS="listed,unknown", STOCKWIRE_EXPORTER_HOTTEST=2) as exporter,
    ):
        for sku in ("hot", "warm", "cold", "listed"):
            await api.stock(LOCATION, sku, 60)
        await api.stock("hamburg", "hot", 30)
        await exporter.knows_all()
        for sku, quantity in (("hot", 30), ("warm", 12), ("cold", 6)):
            await api.move(sale(LOCATION, sku, -quantity))
        await exporter.audited(8)
        metrics = await exporter.metrics()
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"{exporter.admin}/metrics", timeout=PATIENCE_S)).text
    assert described_metrics("Exporter") == exported_metrics(text)
    available = {"hot": 60, "warm": 48, "listed": 60, "unknown": 0}
    assert {name: metrics.get(f'stockwire_sku_available{{sku="{name}"}}') for name in available} == available
    assert metrics['stockwire_sku_sold_per_second{sku="listed"}'] == 0
    sold = metrics['stockwire_sku_sold_per_second{sku="hot"}']
    assert sold >= 30 / (WINDOW_S + 5)
    left = metrics['stockwire_sku_minutes_left{sku="hot"}']
    assert left == pytest.approx(60 / sold / 60)
    assert 'stockwire_sku_minutes_left{sku="listed"}' not in metrics
    naming = [line for line in text.splitlines() if re.search("hot|warm|cold|listed|berlin|hamburg", line)]
    assert all(line.startswith(("stockwire_sku_", "# ")) for line in naming), naming
    assert not [line for line in naming if "cold" in line]


async def test_a_key_that_may_not_do_it_is_refused_with_the_command_that_makes_one(system: ResidentSystem) -> None:
    await system.start_ledger()
    for scopes in (("feed",), ("stock:read:*",), ("feed", "stock:read:berlin")):
        key = await system.key("short", *scopes)
        async with ledger_of(system.ledger_url, key) as ledger:
            error: BaseException | None = None
            try:
                await Following(ledger, 1_000, from_start=False).run()
            except* SettingsError as group:
                error = first_of(group)
        assert re.match("STOCKWIRE_EXPORTER_KEY .*`stockwire key create exporter --scope feed --scope ", str(error))


async def readiness(exporter: Running) -> dict[str, str]:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{exporter.admin}/readyz", timeout=PATIENCE_S)
    found: dict[str, str] = answer.json()
    return found


async def is_up(exporter: Running, up: int) -> None:
    """Until it says so: of each shard it is told by itself."""

    async def said() -> bool:
        return (await exporter.metrics())["stockwire_exporter_feed_up"] == up

    await wait_until(said)
