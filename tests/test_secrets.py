"""Secrets stay where they belong: no repr, no command line and no log shows one."""

import ast
import asyncio
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from redis.asyncio import Redis

from cli.access import PreparedAccess
from cli.launch import Launch
from cli.run_file import read_run
from cli.running_system import running_system
from cli.settings import UpSettings
from hub.protocols.native.conversation import Authenticate
from hub.settings import read_settings as read_hub_settings
from ledger.access.keys import ApiKey, NewKey
from ledger.settings import read_settings as read_ledger_settings
from stockwire.settings import Settings as ClientSettings
from tests.cli.running import RunningUp, gone
from tests.harness.log_lines import events
from tests.harness.processes import ledger_process
from tests.harness.servers import Server
from tests.harness.source import SOURCES, parsed
from tests.harness.stream import open_stream
from tests.harness.system import ProcessSystem, ResidentSystem, System
from tests.harness.waiting import wait_until
from wire.channels import shard_channel
from wire.messages import Connect

HIDDEN = "hidden-" + "x" * 32
DATABASE_URL = f"postgresql://u:{HIDDEN}@h/d"
REDIS_URL = f"redis://:{HIDDEN}@h"
VARIABLES = {
    "STOCKWIRE_DATABASE_URL": DATABASE_URL,
    "STOCKWIRE_REDIS_URL": REDIS_URL,
    "STOCKWIRE_TOKEN_SECRET": HIDDEN,
    "STOCKWIRE_HUB_KEY": HIDDEN,
    "STOCKWIRE_LEDGER_URLS": "http://ledger",
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET_NAME = re.compile(r"token|(.*_)?(secret|password|token)(_hash)?|(hub|api)_key|(database|redis)_url")
REFUSED_S = 20.0
DOCTOR_S = 60.0


# --- repr


def up_settings() -> UpSettings:
    return UpSettings.read(data=Path("data"), reset=False, port=0, replay=0, hubs=1, variables=VARIABLES)


@pytest.mark.parametrize(
    "value",
    [
        read_ledger_settings(VARIABLES),
        read_hub_settings(VARIABLES),
        up_settings(),
        ClientSettings("http://ledger", HIDDEN),
        PreparedAccess(*[HIDDEN] * 6),
        Launch("ledger", ("ledger",), Path("log"), environment=VARIABLES),
        ApiKey("id", "owner", "name", HIDDEN.encode(), (), NOW, None, None),
        NewKey("id", HIDDEN, "owner", "name", (), NOW, None),
        Authenticate(Connect(1, HIDDEN), HIDDEN),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}",
)
def test_a_repr_shows_no_secret(value: object) -> None:
    """Tracebacks, debuggers and careless log lines print it."""
    assert HIDDEN in "".join(str(getattr(value, name)) for name in type(value).__dataclass_fields__)  # type: ignore[attr-defined]  # all are dataclasses
    assert HIDDEN not in repr(value)
    assert HIDDEN not in f"{[value]!s}"


def test_what_is_read_from_the_data_folder_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"ledger": "http://ledger", "hubs": [], "key": HIDDEN}))
    (tmp_path / "environment").write_text(f"STOCKWIRE_DATABASE_URL='{DATABASE_URL}'\n")
    run, system = read_run(tmp_path), running_system(tmp_path)
    assert run is not None
    assert (run.key, system.key, system.database_url) == (HIDDEN, HIDDEN, DATABASE_URL)
    assert HIDDEN not in repr((run, system))


def test_every_field_that_is_called_a_secret_is_left_out_of_the_repr() -> None:
    """Also in the next class that somebody adds."""
    shown = [
        f"{path.name}: {name}"
        for path in SOURCES
        for name, value in dataclass_fields(path)
        if SECRET_NAME.fullmatch(name) and "repr=False" not in value
    ]
    assert not shown


def dataclass_fields(path: Path) -> Iterator[tuple[str, str]]:
    """Names, and what stands behind the equals sign."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(one) for one in node.decorator_list):
            for part in node.body:
                if isinstance(part, ast.AnnAssign):
                    yield ast.unparse(part.target), "" if part.value is None else ast.unparse(part.value)


# --- a running system


@pytest.fixture(scope="module")
def up(server_folder: Path, tmp_path_factory: pytest.TempPathFactory, processes: None) -> Iterator[RunningUp]:
    """Everything there is, database and broker included."""
    running = RunningUp(tmp_path_factory.mktemp("up"), "--replay", "0", settings={"STOCKWIRE_LOG": "json"})
    try:
        running.start()
        yield running
        children = running.processes()
    except BaseException:
        running.stop()
        raise
    assert running.stop() == 0, running.output
    assert gone(children) == []


@pytest.mark.usefixtures("processes")
async def test_no_command_line_and_no_log_of_an_up_shows_a_secret(up: RunningUp) -> None:
    kept = {name: (up.data / name).read_text().strip() for name in ("up.key", "hub.key", "token.secret")}
    kept["postgres.password"] = (up.data / "postgres.password").read_text().strip()
    kept["read token"] = str(up.run["read_token"])
    assert all(len(secret) >= 32 for secret in kept.values())

    async def all_is_well() -> bool:
        return (await asyncio.to_thread(up.command, "doctor")).returncode == 0

    await wait_until(all_is_well, DOCTOR_S, what="doctor has used everything")
    logs = sorted(up.data.glob("*.log"))
    assert {log.stem for log in logs} >= {"ledger", "hub-1", "hub-2", "postgres", "valkey"}
    assert shown_in(((log.name, log.read_text(errors="replace")) for log in logs), kept.values()) == []
    for log in logs:
        if log.stem not in ("postgres", "valkey"):
            assert [json.loads(line) for line in log.read_text().splitlines()], "each line an object, as it was set"
    assert shown_in(command_lines(), kept.values()) == []


def test_what_a_data_folder_keeps_is_its_users_alone(up: RunningUp) -> None:
    private = [*up.data.glob("*.key"), *up.data.glob("*.log"), up.data / "token.secret", up.data / "postgres.password"]
    private += [up.data / "run.json", up.data / "environment"]
    assert not [path.name for path in private if path.stat().st_mode & 0o077]


async def test_no_log_shows_a_secret_when_everything_is_refused(process_system: ProcessSystem) -> None:
    """A broker that is away, keys and tokens that are no good, in every place that takes one."""
    broker = f"redis://user:{HIDDEN}@127.0.0.1:1/0"
    ledger = await process_system.start_ledger(STOCKWIRE_REDIS_URL=broker, STOCKWIRE_LOG="json")
    hub = await process_system.start_hub(
        *("--workers", "2"), STOCKWIRE_REDIS_URL=broker, STOCKWIRE_HUB_ADMIN_PORT=0, STOCKWIRE_LOG="json"
    )
    key, used = await process_system.admin_key(), await process_system.hub_key()
    wrong = f"sw_{'a' * 12}_{secrets.token_urlsafe(32)}"
    async with httpx.AsyncClient() as http:
        for url in (f"{ledger.url}/v1/levels/berlin/A", f"{ledger.url}/v1/events", f"{hub.url}/v1/levels/berlin/A"):
            for credential in (key, wrong, f"{wrong}.a.b", f"{wrong}\N{LATIN SMALL LETTER E WITH ACUTE}"):
                headers = {b"Authorization": f"Bearer {credential}".encode()}
                await http.get(url, headers=headers)
                await http.get(url, params={"token": credential})
        asked = await http.post(
            f"{ledger.url}/v1/keys/introspect", json={"key": wrong}, headers={"Authorization": f"Bearer {used}"}
        )
        assert asked.status_code == 200
    for credential in (wrong, f"{wrong}.a.b"):
        async with open_stream(hub.stream) as stream:
            await stream.request("connect", token=credential)
            assert await stream.closed() is not None

    async def both_miss_the_broker() -> bool:
        return "the_broker_is_away" in events(hub) and "cannot_publish_hubs_read_the_log" in events(ledger)

    await wait_until(both_miss_the_broker)
    hidden = [key, used, wrong, HIDDEN, process_system.token_secret]
    assert shown_in(outputs([ledger, hub], process_system.folder), hidden) == []
    assert shown_in(command_lines(), hidden) == []


async def test_no_log_quotes_what_is_sold_or_what_the_broker_says(system: ResidentSystem) -> None:
    """Neither what cannot be read nor what can: it may be a customer's name."""
    await system.start(hubs=1)
    (ledger,), (hub,) = system.ledgers, system.hubs
    line = {"sku": "A", "location": "berlin", "kind": "receipt", "quantity": 5}
    headers = {"Authorization": f"Bearer {await system.admin_key()}"}
    async with httpx.AsyncClient(base_url=ledger.url, headers=headers) as http:
        for number, body in enumerate((line | {"reference": HIDDEN}, line | {"quantity": HIDDEN}, line | {HIDDEN: 1})):
            answer = await http.post("/v1/movements", json=body, headers={"Idempotency-Key": f"{HIDDEN}-{number}"})
            assert answer.status_code < 500
        cut_off = await http.post("/v1/movements", content=f'{{"{HIDDEN}', headers={"Idempotency-Key": "x"})
        assert cut_off.is_client_error

    async def is_told() -> bool:
        return "a broker message cannot be read" in hub.stderr()

    async with Redis.from_url(system.redis_url) as broker:
        for shard in range(4):
            for message in (HIDDEN, json.dumps({"epoch": [HIDDEN]}), json.dumps({HIDDEN: HIDDEN})):
                await broker.publish(shard_channel(system.channel_prefix, shard), message)
    await wait_until(is_told)
    assert shown_in(((server.name, server.stderr()) for server in (ledger, hub)), [HIDDEN]) == []


@pytest.mark.usefixtures("processes")
async def test_a_database_that_refuses_the_password_is_named_without_it(
    system: System, database_url: str, tmp_path: Path
) -> None:
    url = database_url.replace(str(urlsplit(database_url).password), HIDDEN)
    variables = {**VARIABLES, "STOCKWIRE_DATABASE_URL": url, "STOCKWIRE_REDIS_URL": system.redis_url}
    process = ledger_process("refused", tmp_path, {**variables, "STOCKWIRE_LEDGER_DATABASE_WAIT_S": 1})
    process.launch()
    try:
        assert await process.wait(REFUSED_S) != 0
    finally:
        process.kill()
    assert "STOCKWIRE_DATABASE_URL" in process.stderr() or "password authentication failed" in process.stderr()
    assert shown_in(outputs([process], tmp_path), [HIDDEN]) == []


def outputs(processes: Iterable[Server], folder: Path) -> Iterator[tuple[str, str]]:
    for process in processes:
        for kind in ("stdout", "stderr"):
            yield f"{process.name}.{kind}", (folder / f"{process.name}.{kind}").read_text(errors="replace")


def command_lines() -> Iterator[tuple[str, str]]:
    """Of every process of this machine that may be seen: anybody on it may see them too."""
    for process in psutil.process_iter(["pid", "cmdline"]):
        yield f"process {process.info['pid']}", " ".join(process.info["cmdline"] or [])


def shown_in(texts: Iterable[tuple[str, str]], hidden: Iterable[str]) -> list[str]:
    """Where a secret stands, without the secret. Of an API key its last part is the secret."""
    parts = [secret.split("_", 2)[2] if secret.startswith("sw_") else secret for secret in hidden]
    return [name for name, text in texts if any(part in text for part in parts)]
