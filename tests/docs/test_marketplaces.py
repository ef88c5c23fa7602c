"""The commands of docs/how-to/marketplaces.md, from a system that has nothing, with a strict server for Shopify."""

import re
from pathlib import Path

import pytest

from cli.access import SCOPES as UP_SCOPES
from tests.channels.shared.starting import market
from tests.channels.shopify.access import CLIENT_ID, CLIENT_SECRET
from tests.channels.shopify.shop import MAIN
from tests.docs.pages import block, spans_in
from tests.docs.running import Reader
from tests.followers.marketplaces.selling_at import offered
from tests.followers.running import channels_of
from tests.harness.node_peers import need_node_peer
from tests.harness.source import ROOT
from tests.harness.system import System
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

pytestmark = pytest.mark.usefixtures("processes")

PAGE = ROOT / "docs" / "how-to" / "marketplaces.md"
ON_PATH = 'export PATH="$PWD/.venv/bin:$PATH" STOCKWIRE_CHANNELS_URL='
"""Which the page leaves to the one on webhooks."""
ABOUT_WEB = re.compile(r"stockwire channel (list|vendors|\w+ web)\b")
"""What its sentences say about the channel that its blocks make."""


async def test_a_channel_is_made_mapped_and_offers_what_is_there(fresh_system: System, tmp_path: Path) -> None:
    need_node_peer("shopify")
    reader = Reader.of_system(tmp_path, fresh_system, await fresh_system.key("up", *UP_SCOPES))
    await reader.shell(ON_PATH)
    await reader.shell(block(PAGE, "sh", "channels"))
    key = reader.folder / "channels.key"
    assert key.stat().st_mode & 0o077 == 0, "others may read the key"
    async with (
        market("shopify", tmp_path) as there,
        Api(fresh_system.ledger_url, await fresh_system.admin_key()) as api,
        channels_of(fresh_system, STOCKWIRE_CHANNELS_KEY=key.read_text().strip()) as channels,
    ):
        await channels.start()
        for sku, berlin, hamburg in (("MUG", 5, 4), ("CUP", 1, 0)):
            await api.stock("berlin", sku, berlin)
            await api.stock("hamburg", sku, hamburg)
        await there.offer("101", 1, sku="MUG")
        await there.offer("102", 1, sku="ELSE")
        (reader.folder / "shopify.secret").write_text(CLIENT_SECRET)
        reader.meant = {
            "my-shop.myshopify.com": there.url,
            "346779380": MAIN,
            "9b1c": CLIENT_ID,
            "https://stock.example": channels.url,
        }
        await reader.shell(f"{ON_PATH}{channels.url}")
        checked = await reader.shell(block(PAGE, "sh", "shop"))
        assert "web" in checked

        async def read() -> bool:
            return "MUG" in await reader.shell("stockwire channel proposals web")

        await wait_until(read, what="its listings were read")
        unmapped = await reader.shell(block(PAGE, "sh", "shop", 1))
        assert "102" in unmapped.splitlines()[-1]
        assert "101,MUG" in (reader.folder / "mapping.csv").read_text()
        await offered(there, {"101": 5 + 4 - 2, "102": 1})
        told = await reader.shell("\n".join(dict.fromkeys(filter(ABOUT_WEB.match, spans_in(PAGE)))))
        assert "inventorySetQuantities" not in told, "nothing is to be sent"
        assert "0 would go" in told
        assert "window" in told
