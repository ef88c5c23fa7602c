"""deploy/compose.yaml names only what exists, and gives every process what it needs."""

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis.asyncio
from typer.main import get_command

from cli.wheels import postgres_programs, valkey_program
from console.following.ledger import SCOPES as CONSOLE_SCOPES
from console.settings import read_settings as read_console_settings
from hub.settings import read_settings as read_hub_settings
from ledger.settings import read_settings as read_ledger_settings
from server.settings.addresses import is_among
from server.settings.environment import Environment
from stockwire.cli.program import program
from tests.deploy.compose import COMPOSE, SECRETS, Missing, compose, own_services, services, settings_of
from tests.deploy.dockerfile import all_of, environment, only
from tests.deploy.load_balancer import CONFIGURATION
from tests.harness.processes import ServerProcess, clean_environment
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

PROGRAMS = Path(sys.executable).parent
STOP_S = {"ledger": 20.0, "hub": 15.0, "console": 3.0}
CONSOLE_PORT = "8083"
IMAGE = environment(Path("/"))


def of_kind(kind: str) -> dict[str, dict[str, str]]:
    """The environments of the services that run this command, with what the image sets."""
    found = {name: service for name, service in own_services().items() if service["command"][0] == kind}
    assert found
    return {name: {**IMAGE, **settings_of(service)} for name, service in found.items()}


def test_the_file_is_one_that_compose_reads() -> None:
    check = [str(PROGRAMS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(check, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_has_the_settings_that_it_needs_and_no_misspelt_ones(tmp_path: Path) -> None:
    key = tmp_path / "a.key"
    key.write_text("sw_key")
    for variables in of_kind("ledger").values():
        ledger = read_ledger_settings(variables)
        assert (ledger.host, ledger.admin_host) == ("0.0.0.0", "0.0.0.0")
        assert ledger.public_url
        assert all(hub.read_url for hub in ledger.hubs)
        assert is_among("172.18.0.9", ledger.trusted_proxies), "HAProxy is not believed"
    hubs = [
        read_hub_settings({**variables, "STOCKWIRE_HUB_KEY_FILE": str(key)}) for variables in of_kind("hub").values()
    ]
    assert {hub.node for hub in hubs} == set(of_kind("hub")), "told apart by what `connected` says"
    assert len({replace(hub, node="") for hub in hubs}) == 1
    assert all(is_among("172.18.0.9", hub.trusted_proxies) for hub in hubs), "HAProxy is not believed"
    ((_, variables),) = of_kind("console").items()
    console = read_console_settings({**variables, "STOCKWIRE_CONSOLE_KEY_FILE": str(key)})
    assert {urlsplit(url).hostname for url in console.hub_urls} == set(of_kind("hub"))
    assert console.admin_urls == tuple(settings_of(services()["tools"])["STOCKWIRE_ADMIN_URLS"].split(","))
    assert console.ledger_url == "http://haproxy:8080"
    assert console.origins == tuple(f"http://{host}:{CONSOLE_PORT}" for host in ("localhost", "127.0.0.1"))
    assert is_among("172.18.0.9", console.trusted_proxies), "HAProxy is not believed"
    for service in own_services().values():
        Environment(settings_of(service)).refuse_unknown()


def test_ledgers_and_hubs_share_one_secret_one_broker_and_the_addresses_of_each_other() -> None:
    shared = ("STOCKWIRE_TOKEN_SECRET", "STOCKWIRE_REDIS_URL", "STOCKWIRE_ALLOWED_ORIGINS")
    processes = [*of_kind("ledger").values(), *of_kind("hub").values(), *of_kind("doctor").values()]
    assert len({tuple(variables[name] for name in shared) for variables in processes}) == 1
    for variables in (*of_kind("hub").values(), *of_kind("doctor").values()):
        urls = variables["STOCKWIRE_LEDGER_URLS"].split(",")
        assert {urlsplit(url).hostname for url in urls} == set(of_kind("ledger"))
    hosts = {urlsplit(variables["STOCKWIRE_DATABASE_URL"]).hostname for variables in of_kind("ledger").values()}
    assert hosts == {"postgres"}
    assert "postgres" in services()


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_it_does_not_start_without_secrets_and_says_where_to_look(missing: str) -> None:
    with pytest.raises(Missing, match=f"{missing}: see the first lines of deploy/compose.yaml"):
        compose({name: value for name, value in SECRETS.items() if name != missing})
    assert f"{missing}=%s" in COMPOSE.read_text()


@pytest.mark.parametrize("kind", ["hub", "console"])
def test_the_key_that_is_made_is_the_key_that_is_read(kind: str) -> None:
    maker = f"{kind}-key"
    made = services()[maker]
    file = made["command"][-1]
    (volume,) = made["volumes"]
    name, folder = volume.split(":")
    assert Path(file).parent == Path(folder)
    assert f"-o {only('USER').split(':')[0]}" in all_of("RUN")[-1]
    assert all_of("RUN")[-1].endswith(folder), "a fresh volume takes its owner from the image's folder"
    readers = of_kind(kind)
    for reader, variables in readers.items():
        assert variables[f"STOCKWIRE_{kind.upper()}_KEY_FILE"] == file
        assert services()[reader]["volumes"] == [f"{name}:{folder}:ro"]
        assert services()[reader]["depends_on"][maker]["condition"] == "service_completed_successfully"
    mounting = {
        service for service, content in own_services().items() if content.get("volumes", [""])[0].startswith(f"{name}:")
    }
    looks = {"tools"} if kind == "hub" else set()
    assert mounting == {maker, *looks, *readers}, "nobody else sees the key, but who looks whether the hubs' is good"


def test_the_console_has_the_scopes_that_it_needs_and_no_others() -> None:
    command = services()["console-key"]["command"]
    scopes = [scope for option, scope in pairwise(command) if option == "--scope"]
    assert sorted(scopes) == sorted(CONSOLE_SCOPES)


def test_the_console_is_published_on_its_own() -> None:
    everything_else = services({**SECRETS, "PUBLISH": "0.0.0.0"})["haproxy"]["ports"]
    assert [port for port in everything_else if port.startswith("127.0.0.1:")] == [
        f"127.0.0.1:{CONSOLE_PORT}:{CONSOLE_PORT}"
    ]


def test_the_tools_know_every_process_and_stand_where_public_addresses_lead_somewhere() -> None:
    tools = services()["tools"]
    named = settings_of(tools)["STOCKWIRE_ADMIN_URLS"].split(",")
    assert named == [f"http://{name}:8081" for name in of_kind("ledger")] + [
        f"http://{name}:8092" for name in of_kind("hub")
    ]
    assert tools["network_mode"] == "service:haproxy"
    published = {port.rsplit(":", 1)[1] for port in services()["haproxy"]["ports"]} - {CONSOLE_PORT}
    for variables in of_kind("ledger").values():
        told = [variables[name] for name in ("STOCKWIRE_LEDGER_PUBLIC_URL", "STOCKWIRE_HUB_STREAM_URLS")]
        assert {urlsplit(url).netloc for url in told} == {f"localhost:{port}" for port in published}
    assert tools["profiles"], "not started with the rest"


def test_commands_exist_and_are_given_options_that_they_know() -> None:
    for service in own_services().values():
        words = list(service["command"])
        command = get_command(program())
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]  # only groups have it
        assert command.make_context(command.name, words)


def test_our_services_cannot_write_gain_rights_or_be_cut_short() -> None:
    for name, service in own_services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert float(service["stop_grace_period"].rstrip("s")) > max(STOP_S.values()), name
        assert "ports" not in service, f"{name} is reached through HAProxy only"


def test_services_wait_for_what_they_need_and_all_of_it_exists() -> None:
    for name, service in services().items():
        waits = service.get("depends_on", {})
        assert set(waits) <= set(services()), name
    for service in own_services().values():
        if service["command"][0] == "ledger":
            assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    for name in ("postgres", "valkey"):
        assert services()[name]["healthcheck"]["test"][0] == "CMD"
    used = {volume.split(":")[0] for service in services().values() for volume in service.get("volumes", [])}
    assert used == {*compose()["volumes"], "./haproxy.cfg"}


def test_haproxy_goes_by_the_names_and_ports_of_the_services() -> None:
    text = CONFIGURATION.read_text()
    published = {port.rsplit(":", 1)[1] for port in services()["haproxy"]["ports"]}
    assert all(port.startswith("127.0.0.1:") for port in services()["haproxy"]["ports"]), "not secret without TLS"
    assert all(f"-:{port}}}" in text for port in published)
    for name in of_kind("ledger"):
        assert f"-{name}:8080}}" in text
    for name in of_kind("hub"):
        assert f"-{name}:8090}}" in text
        assert f"-{name}:8091}}" in text
    for name in of_kind("console"):
        assert f"-{name}:{CONSOLE_PORT}}}" in text
    names = {part.split("-")[0] for part in text.split('"${')[1:]}
    assert not [name for name in names if name in settings_of(services()["haproxy"])]


async def test_valkey_takes_the_options_as_they_are_written(tmp_path: Path) -> None:
    port = free_port()
    options = services()["valkey"]["command"][1:]
    arguments = [*options, "--port", str(port), "--dir", str(tmp_path)]
    server = ServerProcess("valkey", clean_environment({}), tmp_path, arguments)
    server.program = str(valkey_program())
    server.launch()
    client = redis.asyncio.Redis(port=port, decode_responses=True)
    try:
        await wait_until(client.ping, swallow=redis.ConnectionError)
        found = await client.config_get("client-output-buffer-limit")
        assert f"pubsub {64 * 2**20} {16 * 2**20} 60" in str(found)
        kept = {name: (await client.config_get(name))[name] for name in ("save", "appendonly", "protected-mode")}
        assert kept == {"save": "", "appendonly": "no", "protected-mode": "no"}
    finally:
        await client.aclose()
        server.kill()


def test_postgres_knows_the_options_as_they_are_written() -> None:
    """It refuses to describe its configuration with one that it does not know."""
    options = list(services()["postgres"]["command"][1:])
    asked = subprocess.run(
        [postgres_programs() / "postgres", "--describe-config"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    known = {line.split("\t")[0] for line in asked.stdout.splitlines()}
    assert {option.removeprefix("--").split("=")[0] for option in options} <= known
