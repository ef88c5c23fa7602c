"""Fixtures: a real PostgreSQL and a real Valkey for the whole run, a cloned database per test, real processes."""

import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from cli.launch import Watchdog
from ledger import migrations
from stockwire import AsyncClient
from tests.harness.children import SESSION_ID, SESSION_VARIABLE, left_behind
from tests.harness.postgres import PostgresServer, run_apart
from tests.harness.residents import is_the_tests_own, keep_logs
from tests.harness.servers import Server
from tests.harness.system import Grounds, ProcessSystem, ResidentSystem, System
from tests.harness.valkey import ValkeyServer

MEMORY = Path("/dev/shm")  # Linux has it; elsewhere there is none
MEMORY_BYTES_MIN = 2 * 2**30
os.environ[SESSION_VARIABLE] = SESSION_ID
# jsonschema builds its grammar when it is imported, in every worker: two seconds for a format that nothing of ours has
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # Python's own way to say: not there


def pytest_configure() -> None:
    """SIGTERM ends a run as Ctrl-C does: fixtures are torn down, nothing is left behind.

    A run in the background of a script ignores SIGINT, and with ``nohup`` SIGHUP. Programs inherit that, but they do
    not inherit a handler, not even one that does nothing.
    """
    keep_logs()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_sessionstart(session: pytest.Session) -> None:
    """``caplog`` holds what the test's own code logs. What a failed test is shown with has the residents' lines too."""
    logging_plugin: Any = session.config.pluginmanager.get_plugin("logging-plugin")
    logging_plugin.caplog_handler.addFilter(is_the_tests_own)


class StartLedger(Protocol):
    async def __call__(self, **settings: object) -> Server: ...


class StartHub(Protocol):
    async def __call__(self, *, ledger_urls: list[str] | None = None, **settings: object) -> Server: ...


class StartSystem(Protocol):
    async def __call__(self, ledgers: int = 1, hubs: int = 2) -> System: ...


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder with a short path, since socket paths are limited to 107 bytes. At the end no process may be left."""
    folder = Path(tempfile.mkdtemp(prefix="stock-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    left = left_behind(folder)
    shutil.rmtree(folder, ignore_errors=not folder.exists())  # gone with the watchdog, where there was one
    assert not left, "processes left behind by the tests:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def watchdog(server_folder: Path) -> Iterator[Watchdog]:
    """Ends the database and the broker when this run is killed, and removes what they have written."""
    with Watchdog() as watchdog:
        watchdog.remove_at_end(server_folder)
        yield watchdog


@pytest.fixture(scope="session")
def postgres(server_folder: Path, watchdog: Watchdog) -> Iterator[PostgresServer]:
    """The run's PostgreSQL. Never stop or kill it: take ``private_postgres`` for faults.

    In memory where there is room, and not fsynced: a database is cloned for almost every test, a tenth of a second of
    a processor each on a disk. No test pulls the machine's plug, and a SIGKILL loses nothing that the kernel has.
    """
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN
    folder = Path(tempfile.mkdtemp(prefix="stock-", dir=MEMORY)) if in_memory else server_folder
    folder.chmod(0o755)
    watchdog.remove_at_end(folder)
    options = {"fsync": "off", "max_connections": "300", "max_wal_size": "64MB"}
    server = PostgresServer(folder / "pg", watchdog, options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder / "pg" if folder == server_folder else folder)


@pytest.fixture(scope="session")
def valkey(server_folder: Path, watchdog: Watchdog) -> Iterator[ValkeyServer]:
    """The run's Valkey. Never stop or kill it: take ``private_valkey`` for faults."""
    server = ValkeyServer(server_folder / "valkey", watchdog)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def template_database(postgres: PostgresServer) -> str:
    """Name of a database migrated once, with the default number of shards. Cloned, never used."""
    name = postgres.create_database()
    run_apart(migrations.expand(postgres.url(name)))
    return name


@pytest.fixture
def database_url(postgres: PostgresServer, template_database: str) -> Iterator[str]:
    """``postgresql://...`` of a fresh, migrated database; dropped at the end whoever is still connected."""
    name = postgres.create_database(template_database)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Iterator[str]:
    """A database without any tables, for tests of migrations."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def redis_url(valkey: ValkeyServer) -> str:
    """Shared by all tests: keep apart by ``channel_prefix``."""
    return valkey.url


@pytest.fixture
def channel_prefix() -> str:
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture
def private_postgres(server_folder: Path, watchdog: Watchdog, processes: None) -> Iterator[PostgresServer]:
    """A running PostgreSQL of this test alone, fsynced, its database ``stockwire`` empty."""
    server = PostgresServer(server_folder / f"pg-{secrets.token_hex(3)}", watchdog)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def private_database_url(private_postgres: PostgresServer) -> str:
    """The database ``stockwire`` of ``private_postgres``, migrated."""
    run_apart(migrations.expand(private_postgres.url()))
    return private_postgres.url()


@pytest.fixture
def private_valkey(server_folder: Path, watchdog: Watchdog, processes: None) -> Iterator[ValkeyServer]:
    server = ValkeyServer(server_folder / f"valkey-{secrets.token_hex(3)}", watchdog)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
async def system(
    tmp_path: Path, database_url: str, redis_url: str, channel_prefix: str
) -> AsyncIterator[ResidentSystem]:
    """A system without servers yet, over this test's own database and channels. They will live in this process."""
    system = ResidentSystem(tmp_path, database_url, redis_url, channel_prefix)
    try:
        yield system
    finally:
        await system.stop()


@pytest.fixture
async def process_system(
    tmp_path: Path, database_url: str, redis_url: str, channel_prefix: str, processes: None
) -> AsyncIterator[ProcessSystem]:
    """As ``system``, of processes: for what is killed, paused, signalled, measured or has workers."""
    system = ProcessSystem(tmp_path, database_url, redis_url, channel_prefix)
    try:
        yield system
    finally:
        await system.stop()


@pytest.fixture
async def private_system(
    tmp_path: Path, private_database_url: str, private_valkey: ValkeyServer, channel_prefix: str
) -> AsyncIterator[ProcessSystem]:
    """As ``process_system``, over a PostgreSQL and a Valkey that the test may kill."""
    system = ProcessSystem(tmp_path, private_database_url, private_valkey.url, channel_prefix)
    try:
        yield system
    finally:
        await system.stop()


@pytest.fixture
def start_ledger(system: ResidentSystem) -> StartLedger:
    """``await start_ledger(STOCKWIRE_...=value)``: one more ledger replica, ready."""
    return system.start_ledger


@pytest.fixture
def start_hub(system: ResidentSystem) -> StartHub:
    """``await start_hub(ledger_urls=[...], STOCKWIRE_...=value)``: one more hub, ready."""
    return system.start_hub


@pytest.fixture
def start_system(system: ResidentSystem) -> StartSystem:
    return system.start


@pytest.fixture
async def stockwire_system(system: ResidentSystem) -> System:
    """One ledger and two hubs, ready, over this test's own database."""
    return await system.start()


@pytest.fixture
async def client(stockwire_system: System) -> AsyncIterator[AsyncClient]:
    """The Python client of ``stockwire_system``, with the admin key."""
    async with AsyncClient(stockwire_system.ledger_url, await stockwire_system.admin_key()) as client:
        yield client


@pytest.fixture
def token_secret(system: System) -> str:
    return system.token_secret


@pytest.fixture
async def admin_key(system: System) -> str:
    """An API key of this test's database with every scope but ``hub``."""
    return await system.admin_key()


@pytest.fixture
async def hub_key(system: System) -> str:
    return await system.hub_key()


@pytest.fixture(scope="session")
def grounds(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, valkey: ValkeyServer, template_database: str
) -> Grounds:
    """For systems that serve the tests of a file or of a folder."""
    return Grounds(postgres, valkey, template_database, tmp_path_factory.mktemp("systems"))


@pytest.fixture(scope="module")
def shared_system(grounds: Grounds) -> Iterator[System]:
    """One ledger and two hubs for a file: for tests that break nothing and take names of their own.

    Use ``unique_name`` for skus and locations. To start it takes as much of a processor as to let it wait for 25 s.
    """
    with grounds.system(ResidentSystem) as system:
        yield system


@pytest.fixture
async def shared_client(shared_system: System) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(shared_system.ledger_url, await shared_system.admin_key()) as client:
        yield client


@pytest.fixture
def unique_name() -> str:
    """A name that no other test uses, good as a sku or a location."""
    return f"n-{secrets.token_hex(6)}"
