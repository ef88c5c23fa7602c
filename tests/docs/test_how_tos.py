"""What the how-tos print is what runs: their commands and programs, from the first block of a page to its last."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cli.access import SCOPES as UP_SCOPES
from hub.settings import read_settings as read_hub_settings
from ledger.access.keys import list_keys
from ledger.database.engine import create_engine
from ledger.settings import read_settings as read_ledger_settings
from tests.docs.following import Follower
from tests.docs.pages import HOW_TOS, block, blocks, pages, text_of
from tests.docs.running import Reader
from tests.harness.source import ROOT
from tests.harness.system import System

pytestmark = pytest.mark.usefixtures("processes")

PAGES = ROOT / "docs" / "how-to"
SECRETS = {"webhooks.md": ("channels.key", "sealing.keys", "webhook.json")}
"""Files that a page makes."""
FOLLOWED = (
    "storefront.md",
    "till.md",
    "import-sales.md",
    "holds.md",
    "orders.md",
    "transfers.md",
    "console.md",
    "webhooks.md",
    "reconcile.md",
)
"""From the first block to the last, in a system that has nothing but what `up` makes. See ``Follower``."""
ELSEWHERE = {
    "back-up-and-restore.md": {"back-up", "restore"},
    # tests/followers/marketplaces/test_connectors_page.py
    "connectors.md": {"", "stockwire_woocommerce.py", "test_woocommerce.py"},
    "badge.md": {"badge", "badge-server", "badge-page", "badge-event", "index.html"},
    "badge-in-a-shop.md": {"shopify", "shopify-card", "woocommerce"},
    # tests/docs/test_consume_changes.py
    "consume-changes.md": {"cache.py", "table.py"},
    # tests/cli/test_cdc.py
    "debezium.md": {"set-up", "undo"},
    # tests/javascript/test_how_to.py, and of tests/browsers test_frameworks.py the cards, test_badge_pages.py the page
    "javascript.md": {
        *("javascript", "my-shop/sell.mjs", "my-shop/watch.mjs", "my-shop/index.html"),
        *("my-shop/Card.jsx", "my-shop/Card.vue", "my-shop/Card.svelte"),
    },
    # tests/followers/relay/test_kafka_page.py
    "kafka.md": {"", "shop", "relay", "along.py"},
    # tests/deploy/test_kubernetes_page.py
    "kubernetes.md": {"kubernetes"},
    "commands.md": {"", "intake"},  # tests/followers/intake/test_commands_page.py
    # tests/docs/test_nats_and_rabbitmq.py
    "nats.md": {"", "shop", "relay", "read.py", "reader"},
    "rabbitmq.md": {"", "shop", "relay", "read.py", "reader", "bind.py", "queue", "exchange"},
    # tests/docs/test_marketplaces.py
    "marketplaces.md": {"channels", "shop"},
    "production.md": {"production", "ledger", "hub"},
    # tests/server/tracing/test_tracing_settings.py
    "traces.md": {"ledger"},
    "upgrade.md": {*("operator", "screen", "ledger-1", "ledger-2", "hub-1", "hub-2"), *("system.sh", "process.sh")},
}
"""Pages that need more, and their blocks that a test of this folder runs, by name; the badge's: tests/browsers."""
PRINTED_DATABASE = "postgresql://stockwire:secret@db.internal/stockwire"
VERBS = {"run", "open", "output", "file", "env", "capture", "example"}
PROGRAMS = {"sh", "python", "js", "csv"}
PROSE = [page for page in pages() if page.is_relative_to(ROOT / "docs") or page.name == "README.md"]


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_program_on_a_page_is_only_shown(page: Path) -> None:
    assert [found for found in blocks(page) if found.language in PROGRAMS and found.verb not in VERBS] == []


def test_every_block_of_the_how_tos_is_held_by_a_test() -> None:
    for page in HOW_TOS:
        held = {found.name for found in blocks(page) if found.verb not in ("capture", "")}
        assert page.name in FOLLOWED or held == ELSEWHERE.get(page.name, set()), page.name


@pytest.mark.parametrize("name", FOLLOWED)
async def test_a_page_works_from_its_own_lines_alone(name: str, fresh_system: System, tmp_path: Path) -> None:
    reader = Reader.of_system(tmp_path, fresh_system, await fresh_system.key("up", *UP_SCOPES))
    page = PAGES / name
    assert "\n## Before you start\n" in text_of(page)
    await Follower(reader, page).follow()
    for secret in SECRETS.get(name, ()):
        assert (reader.folder / secret).stat().st_mode & 0o077 == 0, f"others may read {secret}"


async def test_the_commands_of_production_migrate_and_make_keys(empty_database_url: str, tmp_path: Path) -> None:
    page = PAGES / "production.md"
    (tmp_path / "clone").mkdir()
    reader = Reader(tmp_path / "clone", tmp_path / "nobody ran up here", "http://127.0.0.1:8080", [])
    named = block(page, "sh", "production")
    assert PRINTED_DATABASE in named
    await reader.shell(named.replace(PRINTED_DATABASE, empty_database_url))
    hub_key, ops_key = (await reader.shell(block(page, "sh", "production", 1))).splitlines()[-2:]
    assert hub_key.startswith("sw_")
    assert ops_key.startswith("sw_")
    engine = create_engine(empty_database_url, 1)
    try:
        async with engine.connect() as connection:
            scopes = {key.owner: set(key.scopes) for key in await list_keys(connection, "", 10)}
    finally:
        await engine.dispose()
    assert scopes == {"hubs": {"hub"}, "ops": {"admin", "stock:read:*", "stock:write:*"}}


@pytest.mark.parametrize(("process", "read"), [("ledger", read_ledger_settings), ("hub", read_hub_settings)])
def test_the_printed_settings_are_taken(process: str, read: Callable[[Mapping[str, str]], object]) -> None:
    lines = block(PAGES / "production.md", "sh", process).splitlines()
    read(dict(line.split("=", 1) for line in lines))
