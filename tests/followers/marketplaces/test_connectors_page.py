"""The connector of docs/how-to/connectors.md is one: complete, and found as anybody's is."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from followers.marketplaces.adapter import Adapter, NoticeRefused, SettingRefused
from followers.marketplaces.adapter import Notice as In
from followers.marketplaces.conformance.bench import remote_of
from followers.marketplaces.vendors import Vendors
from tests.docs.pages import block
from tests.harness.source import ROOT

PAGE = ROOT / "docs" / "how-to" / "connectors.md"
NAME = "stockwire_woocommerce"
CREDENTIALS: Mapping[str, str] = {"key": "ck_1", "secret": "cs_1", "notices": "long and random"}


@pytest.fixture
def woocommerce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Adapter]:
    (tmp_path / f"{NAME}.py").write_text(block(PAGE, "python", f"{NAME}.py"))
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("woocommerce", f"{NAME}:WooCommerce", "stockwire.channels")
    return Vendors(lambda: [point]).adapter("woocommerce")


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
