"""The connector of docs/how-to/connectors.md: it passes the kit by the bench of the page, and is found as anybody's."""

import base64
import hashlib
import hmac
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from followers.marketplaces.adapter import Adapter, NoticeRefused, SettingRefused
from followers.marketplaces.adapter import Notice as In
from followers.marketplaces.conformance.bench import Bench, remote_of
from followers.marketplaces.conformance.cases import CASES, LeftOut, run
from followers.marketplaces.vendors import Vendors
from tests.channels.shared.starting import Market, market
from tests.docs.pages import block
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S, wait_until

PAGE = ROOT / "docs" / "how-to" / "connectors.md"
NAME = "stockwire_woocommerce"
BENCH = "test_woocommerce"
SILENT = {"hangs", "half_open"}
"""The adapter does nothing about these; its remote waits for them, and is tested with others."""
CREDENTIALS: Mapping[str, str] = {"key": "ck_1", "secret": "cs_1", "notices": "long and random"}


pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The page's files in a folder, as a reader has them; the module of its bench, which imports the other."""
    folder = tmp_path_factory.mktemp("connector")
    for name in (NAME, BENCH):
        (folder / f"{name}.py").write_text(block(PAGE, "python", f"{name}.py"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield import_module(BENCH)
    for name in (NAME, BENCH):
        del sys.modules[name]


@pytest.fixture
def woocommerce(page: ModuleType) -> type[Adapter]:
    point = EntryPoint("woocommerce", f"{NAME}:WooCommerce", "stockwire.channels")
    return Vendors(lambda: [point]).adapter("woocommerce")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(processes: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    async with market("woocommerce", tmp_path_factory.mktemp("woocommerce")) as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="module")
async def bench(shop: Market, page: ModuleType, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The page's fixture, at the ports that there are; this machine may stand still for longer than it waits."""
    monkeypatch.setattr(page, "SHOP", shop.url)
    monkeypatch.setattr(page, "CONTROL", str(shop.control.base_url))
    monkeypatch.setattr(page, "remote_of", partial(remote_of, timeout_s=PATIENCE_S))
    monkeypatch.setattr(page.WooBench, "lacks", page.WooBench.lacks | SILENT)
    async with asynccontextmanager(page.bench.__wrapped__)() as bench:
        yield bench


@pytest.mark.parametrize("case", CASES)
async def test_it_conforms(case: str, bench: Bench) -> None:
    try:
        await run(case, bench)
    except LeftOut as reason:
        pytest.skip(str(reason))


async def test_webhooks_that_were_switched_off_are_switched_on_and_orders_polled_meanwhile(
    bench: Any, shop: Market
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    adapter, remote = bench.adapter, await bench.offer(bench.sku(1), 5)
    await adapter.check(bench.notices_url)
    hooks = await hooks_of(adapter)
    await shop.unsubscribe()
    order = await bench.sell(remote, 1)
    assert set((await hooks_of(adapter)).values()) == {"disabled"}
    assert order in {one.id for one in (await adapter.orders(since, None)).orders}
    await adapter.check(bench.notices_url)
    again = await hooks_of(adapter)
    assert {number: status for number, status in again.items() if status == "active"}.keys() <= hooks.keys()
    assert list(again.values()).count("active") == len(import_module(NAME).TOPICS), "each once, and no new one"


async def test_an_order_that_changes_between_two_pages_hides_none(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module(NAME), "PAGE", 2)
    remote, sold = await bench.offer(bench.sku(1), 5), list[str]()
    since = datetime.now(UTC)
    for _ in range(3):
        await next_second()
        sold.append(await bench.sell(remote, 1))
    page = await bench.adapter.orders(since, None)
    await next_second()
    await bench.edit(sold[0], remote, 2)
    found = {one.id for one in page.orders}
    while page.cursor is not None:
        page = await bench.adapter.orders(since, page.cursor)
        found |= {one.id for one in page.orders}
    assert found >= set(sold)


async def next_second() -> None:
    """The shop keeps the times of changes by whole ones."""
    second = int(time.time())

    async def is_over() -> bool:
        return int(time.time()) > second

    await wait_until(is_over)


async def hooks_of(adapter: Any) -> dict[int, str]:
    hooks, _ = await adapter._page("/webhooks", 1)
    return {one["id"]: one["status"] for one in hooks}


async def test_it_can_be_made_and_says_what_it_needs(woocommerce: type[Adapter]) -> None:
    assert set(woocommerce.credentials) == set(CREDENTIALS)
    async with remote_of(woocommerce.quotas) as remote:
        woocommerce({"url": "http://127.0.0.1:1"}, CREDENTIALS, remote)
        with pytest.raises(SettingRefused, match="https"):
            woocommerce({"url": "shop.example"}, CREDENTIALS, remote)


def signed(body: bytes) -> In:
    digest = hmac.digest(CREDENTIALS["notices"].encode(), body, hashlib.sha256)
    headers = {"x-wc-webhook-signature": base64.b64encode(digest).decode(), "x-wc-webhook-delivery-id": "d1"}
    return In(headers, body)


async def test_it_takes_what_is_signed_and_nothing_else(woocommerce: type[Adapter]) -> None:
    async with remote_of(woocommerce.quotas) as remote:
        adapter = woocommerce({"url": "http://127.0.0.1:1"}, CREDENTIALS, remote)
        good, other = signed(b'{"id": 17}'), signed(b'{"id": 18}')
        received, again = [await adapter.receive(good) for _ in range(2)]
        assert (received.changed_orders, again.id) == (["17"], received.id)
        assert (await adapter.receive(other)).id != received.id, "two of one second share their delivery id"
        for wrong in (In(good.headers, b'{"id": 18}'), In({}, b'{"id": 17}')):
            with pytest.raises(NoticeRefused):
                await adapter.receive(wrong)
        ping = await adapter.receive(In({}, b"webhook_id=5"))
        assert not ping.changed_orders
