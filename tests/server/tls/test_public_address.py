"""Nobody listens where other machines come without TLS, unless it was said that a proxy in front encrypts."""

import secrets
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness.processes import ServerProcess, clean_environment
from tests.server.tls.certificates import Authority

pytestmark = pytest.mark.usefixtures("processes")

PROGRAM = str(Path(sys.executable).with_name("stockwire"))
UNREACHED = "127.0.0.1:1"
SETTINGS: dict[str, Any] = {
    "STOCKWIRE_DATABASE_URL": f"postgresql://{UNREACHED}/nothing",
    "STOCKWIRE_LEDGER_DATABASE_WAIT_S": "0.1",
    "STOCKWIRE_REDIS_URL": f"redis://{UNREACHED}",
    "STOCKWIRE_LEDGER_URLS": f"http://{UNREACHED}",
    "STOCKWIRE_HUB_KEY": "sw_key",
    "STOCKWIRE_TOKEN_SECRET": "x" * 32,
    **dict.fromkeys(("STOCKWIRE_LEDGER_PORT", "STOCKWIRE_LEDGER_ADMIN_PORT"), "0"),
    **dict.fromkeys(("STOCKWIRE_HUB_STREAM_PORT", "STOCKWIRE_HUB_READ_PORT", "STOCKWIRE_HUB_ADMIN_PORT"), "0"),
}
EXIT_UNAVAILABLE = 69
"""A ledger that has come as far as waiting for its database."""


def command(folder: Path, settings: dict[str, Any], *arguments: str) -> ServerProcess:
    name = f"{arguments[0]}-{secrets.token_hex(4)}"  # each with a log of its own
    process = ServerProcess(name, clean_environment({**SETTINGS, **settings}), folder, list(arguments))
    process.program = PROGRAM
    process.launch()
    return process


async def refuses(process: ServerProcess, *named: str) -> None:
    assert await process.wait() == 78, process.stderr()
    (line,) = process.stderr().splitlines()
    assert line.startswith("stockwire: ")
    assert not [name for name in named if name not in line], line


async def test_a_public_address_without_tls_stops_the_start(tmp_path: Path) -> None:
    """Of each process and port: ``test_senseless_settings``."""
    await refuses(command(tmp_path, {"STOCKWIRE_HUB_HOST": "0.0.0.0"}, "hub"), "STOCKWIRE_HUB_HOST=0.0.0.0")


async def test_it_starts_with_the_word_that_a_proxy_encrypts(tmp_path: Path) -> None:
    public = {"STOCKWIRE_LEDGER_HOST": "0.0.0.0", "STOCKWIRE_HUB_HOST": "0.0.0.0"}
    for settings, option in ((public, ["--behind-proxy"]), ({**public, "STOCKWIRE_BEHIND_PROXY": "1"}, [])):
        ledger = command(tmp_path, settings, "ledger", *option)
        assert await ledger.wait() == EXIT_UNAVAILABLE, ledger.stderr()
        hub = command(tmp_path, settings, "hub", *option)
        await hub.await_ready()
        assert hub.stream.startswith("ws://0.0.0.0:")
        assert await hub.stop() == 0


async def test_it_starts_with_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    ledger = command(tmp_path, {**authority.server, "STOCKWIRE_LEDGER_HOST": "0.0.0.0"}, "ledger")
    assert await ledger.wait() == EXIT_UNAVAILABLE, ledger.stderr()


@pytest.mark.parametrize("kind", ["ledger", "hub"])
async def test_a_certificate_that_has_expired_stops_the_start(tmp_path: Path, kind: str) -> None:
    authority = Authority(tmp_path / "authority")
    authority.issue(days=-1)
    await refuses(command(tmp_path, authority.server, kind), "STOCKWIRE_TLS_CERT_FILE", "has expired: renew it")
