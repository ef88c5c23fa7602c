"""What the Dockerfile puts into the image is enough, and is used by an unprivileged user who cannot write."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from stockwire import AsyncClient
from tests.deploy.compose import services, settings_of
from tests.deploy.dockerfile import removed_packages
from tests.deploy.image import SITE, Image, build_image
from tests.faults.watcher import await_agreement, watching
from tests.harness.api_keys import TOKEN_SECRET, make_key
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServerProcess
from tests.harness.proxy import proxy_to_socket
from tests.harness.servers import free_port
from tests.harness.size import SIZE
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import wait_until

# Without a size: an image is built and works, or not
pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]

KINDS = ("LEDGER", "HUB")
LOOKS_MAX = 5
"""On a busy machine a sound round trip may be late once, and not each time."""
SCOPES = ("admin", "stock:read:*", "stock:write:*")


@pytest.fixture(scope="module")
def image(server_folder: Path) -> Iterator[Image]:
    folder = server_folder / "image"
    folder.mkdir()
    try:
        yield build_image(folder)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
async def settings(
    postgres: PostgresServer, valkey: ValkeyServer, empty_database_url: str, channel_prefix: str
) -> AsyncIterator[dict[str, object]]:
    """Over TCP, as from a container: this run's sockets are for its own user."""
    database = empty_database_url.partition("?")[0].rsplit("/", 1)[1]
    async with proxy_to_socket(postgres.socket) as to_postgres, proxy_to_socket(valkey.socket) as to_valkey:
        yield {
            "STOCKWIRE_DATABASE_URL": postgres.proxied_url(to_postgres.port, database),
            "STOCKWIRE_REDIS_URL": valkey.proxied_url(to_valkey.port),
            "STOCKWIRE_CHANNEL_PREFIX": channel_prefix,
            "STOCKWIRE_TOKEN_SECRET": TOKEN_SECRET,
            "STOCKWIRE_BEHIND_PROXY": 1,
        }


async def test_the_image_migrates_makes_the_hubs_key_sells_and_shows_it(
    image: Image, settings: dict[str, object], empty_database_url: str, tmp_path: Path
) -> None:
    before = image.files()
    await migrate(image, settings)
    ports = {name: free_port() for name in ("LEDGER", "LEDGER_ADMIN", "HUB_STREAM", "HUB_READ", "HUB_ADMIN")}
    settings |= {f"STOCKWIRE_{name}_PORT": port for name, port in ports.items()}
    settings["STOCKWIRE_HUB_STREAM_URLS"] = f"ws://127.0.0.1:{ports['HUB_STREAM']}/v1/stream"
    settings["STOCKWIRE_LEDGER_PUBLIC_URL"] = f"http://127.0.0.1:{ports['LEDGER']}"
    settings["STOCKWIRE_LEDGER_URLS"] = settings["STOCKWIRE_LEDGER_PUBLIC_URL"]
    settings["STOCKWIRE_HUB_KEY_FILE"] = image.volume / "hub.key"
    ledger = image.process("ledger", tmp_path, settings, "ledger")
    hub = image.process("hub", tmp_path, settings, "hub")
    try:
        await ledger.start()
        await check_health(image, ledger, "-P", "-m", "ledger")
        await hub.start()
        key = await make_key(empty_database_url, "till", *SCOPES)
        await sell_and_watch(ledger, key)
        settings["STOCKWIRE_ADMIN_URLS"] = ",".join(f"http://127.0.0.1:{ports[f'{name}_ADMIN']}" for name in KINDS)
        await examine(image, settings, key)
        await end(ledger)
        await check_health(image, hub, "-P", "-m", "hub", "--workers", "1")  # without a ledger it still lives
        await end(hub)
        assert not await asyncio.to_thread(image.is_healthy, hub)
    finally:
        hub.kill()
        ledger.kill()
    assert image.files() == before, "something was written"


async def migrate(image: Image, settings: dict[str, object]) -> None:
    """As the services migrate and hub-key of compose.yaml do. The key is made at the first start, and kept later."""
    key_file = image.volume / "hub.key"
    make_key = ("key", "create", "hubs", "--scope", "hub", "--file", str(key_file))
    for command, says in (
        (("migrate",), "The database is migrated"),
        (make_key, f"A new key is in {key_file}"),
        (make_key, f"The key in {key_file} is good"),
    ):
        done = await asyncio.to_thread(image.run, settings, *command)
        assert (done.returncode, done.stderr) == (0, "")
        assert says in done.stdout
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert key_file.stat().st_uid == image.volume.stat().st_uid


async def sell_and_watch(ledger: ServerProcess, key: str) -> None:
    async with AsyncClient(ledger.url.replace("0.0.0.0", "127.0.0.1"), key) as client:
        await client.items.put("A", "A")
        await client.locations.put("berlin", "Berlin")
        async with watching(client, "berlin") as watcher:
            await client.stock.receive("A", "berlin", 5)
            await client.stock.sell("A", "berlin")
            await await_agreement(client, "berlin", [watcher])
            assert watcher.figures["berlin", "A"][1] == 4


async def examine(image: Image, settings: dict[str, object], key: str) -> None:
    """With what the service tools of compose.yaml is given, and no more: doctor can see everything, and the hubs hear
    of a key that is revoked. The tests' own PostgreSQL runs without fsync, which is the one thing to complain about.
    """
    known = {"STOCKWIRE_CHANNEL_PREFIX": "", "STOCKWIRE_ALLOWED_ORIGINS": "", **settings, "STOCKWIRE_API_KEY": key}
    given = {name: known[name] for name in (*settings_of(services()["tools"]), "STOCKWIRE_CHANNEL_PREFIX")}
    for _ in range(LOOKS_MAX):
        examined = await asyncio.to_thread(image.run, given, *services()["tools"]["command"], "--json")
        findings = json.loads(examined.stdout)["findings"]
        failed = [found["check"] for found in findings if found["state"] == "failed"]
        late = [check for check in failed if check.startswith("round trip")]
        if not late or {*failed} != {"durability", *late}:
            break
    assert failed == ["durability"], examined.stdout
    # The ledger of this test names streams alone, and the badge is read from a read port
    assert [found["check"] for found in findings if found["state"] == "skipped"] == ["badge"], examined.stdout
    assert any(found["check"].startswith("round trip") for found in findings)
    revoked = await asyncio.to_thread(image.run, given, "key", "revoke", key.split("_")[1])
    assert (revoked.returncode, revoked.stdout) == (0, f"Revoked {key.split('_')[1]}.\n"), revoked.stderr


async def check_health(image: Image, process: ServerProcess, *becomes: str) -> None:
    """Healthy while it runs, and not while it hangs. It has become the process, so that signals are its own."""
    started = psutil.Process(process.pid)
    assert tuple(started.cmdline()[1:]) == becomes
    assert image.user is None or set(started.uids()) == {image.user}

    async def healthy() -> bool:
        return await asyncio.to_thread(image.is_healthy, process)

    await wait_until(healthy, what=f"a healthy {process.name}")
    process.pause()
    try:
        began = time.monotonic()
        assert not await healthy(), "a process that hangs is not healthy"
        assert time.monotonic() - began > 1, "it was not the one that hangs"
    finally:
        process.resume()


async def end(process: ServerProcess) -> None:
    process.terminate()
    assert await process.wait() == 0
    process.check_log()


def test_what_was_removed_is_not_there(image: Image) -> None:
    names = {path.name.rsplit("-", 1)[0].split("-")[0] for path in (image.tree / SITE).glob("*.dist-info")}
    assert names
    assert not {name.replace("-", "_") for name in removed_packages()} & names


def test_a_command_that_makes_no_sense_ends_with_one_line(image: Image) -> None:
    done = image.run({}, "ledger")
    assert (done.returncode, done.stderr.count("\n")) == (78, 1), done.stderr


@pytest.mark.parametrize("command", [("up",), ("demo", "flash-sale")])
def test_what_needs_the_removed_packages_says_so_in_one_line(image: Image, command: tuple[str, ...]) -> None:
    done = image.run({}, *command)
    assert (done.returncode, done.stderr.count("\n")) == (78, 1), done.stderr
    assert done.stderr.startswith("stockwire: not in this image: ")
