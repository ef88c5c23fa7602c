"""What `stockwire up` prints of its addresses can be pasted as it stands, and says which pages may."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cli.access import PreparedAccess
from cli.banner import NO_PROMETHEUS, Banner
from cli.data_folder import DataFolder
from cli.launches import hub_launch, ledger_launch, shared_settings
from cli.ports import Ports
from cli.settings import UpSettings

ORIGIN = "http://localhost:8000"
BANNER = Banner(
    page="http://127.0.0.1:8082",
    ledger="http://127.0.0.1:8080",
    hubs=["ws://127.0.0.1:8090/v1/stream"],
    key="sw_key",
    read_token="token",
    read_token_ends=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
    program=Path("stockwire"),
    data=Path(".stockwire"),
    location="shop",
    sku="85123A",
    read="http://127.0.0.1:8091",
    origins=[],
)


def test_the_tag_and_its_script_are_printed_with_the_pages_that_may_have_them() -> None:
    printed = replace(BANNER, origins=[ORIGIN]).text()
    assert '<stock-badge location="shop" sku="85123A">In stock</stock-badge>\n' in printed
    assert '<script type="module" src="http://127.0.0.1:8091/v1/badge.js"></script>\n' in printed
    assert f"on pages of {ORIGIN}: docs/how-to/badge.md" in printed
    assert f"STOCKWIRE_ALLOWED_ORIGINS={ORIGIN}" in BANNER.text(), "nobody would know how to let a page in"


def test_where_webhooks_are_made_is_printed_if_something_sends_them() -> None:
    address = "http://127.0.0.1:8083"
    assert f"  Channels   {address}  (webhooks: docs/how-to/webhooks.md)\n" in replace(BANNER, channels=address).text()
    assert "Channels" not in BANNER.text()


def test_where_prometheus_answers_is_printed_or_how_to_get_one() -> None:
    exporter, prometheus = "http://127.0.0.1:8086", "http://127.0.0.1:8087"
    observed = replace(BANNER, exporter=exporter, prometheus=prometheus).text()
    assert f"  Exporter   {exporter}/metrics\n" in observed
    assert f"  Prometheus {prometheus}  (what to look at: docs/how-to/observe.md)\n" in observed
    alone = replace(BANNER, exporter=exporter).text()
    assert f"  Prometheus {NO_PROMETHEUS}\n" in alone
    assert "Exporter" not in BANNER.text()
    assert "Prometheus" not in BANNER.text()


def test_where_a_relay_writes_is_printed_with_a_line_that_reads_it() -> None:
    kind, url = "nats", "nats://127.0.0.1:8089"
    streamed = replace(BANNER, stream=url, stream_kind=kind).text()
    assert f"  Stream     {url}  (every change: docs/how-to/{kind}.md)\n" in streamed
    assert f"    stockwire listen {url}\n" in streamed
    assert "Stream " not in BANNER.text()
    assert "listen" not in BANNER.text()


def test_pages_that_up_was_told_of_are_allowed_beside_its_own_and_watch_what_is_public(tmp_path: Path) -> None:
    variables = {"STOCKWIRE_ALLOWED_ORIGINS": ORIGIN}
    settings = UpSettings.read(data=tmp_path, reset=False, port=0, replay=0, hubs=1, variables=variables)
    ports = Ports.from_base(8080, 1)
    access = PreparedAccess("key", "hub key", "console key", "exporter key", "relay key", "secret")
    shared = shared_settings("postgresql://x", "redis://x", "prefix", access, ports, settings.origins, channels=True)
    allowed = ["http://127.0.0.1:8082", "http://localhost:8082", ORIGIN]
    assert shared["STOCKWIRE_ALLOWED_ORIGINS"].split(",") == allowed
    ledger = ledger_launch(DataFolder(tmp_path), shared, ports).environment
    assert ledger["STOCKWIRE_CHANNELS_URL"] == f"http://127.0.0.1:{ports.channels}", "or discovery names none"
    hub = hub_launch(DataFolder(tmp_path), shared, 1, ports.hubs[0]).environment
    assert hub["STOCKWIRE_ALLOWED_ORIGINS"].split(",") == allowed
    assert (hub["STOCKWIRE_HUB_PUBLIC_LOCATIONS"], hub["STOCKWIRE_HUB_VISITORS"]) == ("shop", "1")
