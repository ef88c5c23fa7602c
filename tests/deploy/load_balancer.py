"""The gateways of deploy/, in front of a system's ledgers and hubs on loopback: HAProxy, Envoy, nginx."""

import asyncio
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.deploy.front import AS_ROOT, DEPLOY, Front, placed
from tests.harness.envoy import need_envoy
from tests.harness.programs import need_program
from tests.harness.servers import Server, free_port
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until

CONFIGURATION = DEPLOY / "haproxy.cfg"
MAXCONN = 1000
"""The default needs more open files than a developer's shell allows."""


def limits() -> dict[str, float]:
    """Every ``timeout NAME``, in seconds, the shortest of each; and ``tune.*``."""
    found: dict[str, float] = {}
    text = CONFIGURATION.read_text()
    for name, number, unit in re.findall(r"^\s*timeout ([\w-]+) (\d+)(ms|s)$", text, re.MULTILINE):
        found[name] = min(found.get(name, math.inf), float(number) / (1000 if unit == "ms" else 1))
    return found | {name: float(number) for name, number in re.findall(r"^\s*(tune\.\S+) (\d+)$", text, re.MULTILINE)}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where clients come."""

    api_port: int
    hubs_port: int
    console_port: int

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def reads(self) -> str:
        return f"http://127.0.0.1:{self.hubs_port}"

    @property
    def settings(self) -> dict[str, str]:
        """For the ledgers: what they tell clients."""
        return {
            "STOCKWIRE_LEDGER_PUBLIC_URL": self.api,
            "STOCKWIRE_HUB_STREAM_URLS": f"ws://127.0.0.1:{self.hubs_port}/v1/stream",
            "STOCKWIRE_HUB_READ_URLS": self.reads,
        }


@dataclass(frozen=True, slots=True)
class Behind:
    """Host and port of each that a gateway stands before. ``before``: a network whose X-Forwarded-For it believes, if
    its file leaves a place for one."""

    ledgers: Sequence[str]
    streams: Sequence[str]
    reads: Sequence[str]
    admin_ports: Sequence[int]
    console: str
    before: str = "255.255.255.255"


Launch = Callable[[Path, Addresses, Behind], Front]


def haproxy(folder: Path, own: Addresses, behind: Behind) -> Front:
    variables: dict[str, object] = {"MAXCONN": MAXCONN, "CONSOLE": behind.console, "PROXY_BEFORE": behind.before}
    for name, port in (("API", own.api_port), ("HUBS", own.hubs_port), ("CONSOLE", own.console_port)):
        variables[f"{name}_BIND"] = f"127.0.0.1:{port}"
    for number in (1, 2):
        variables[f"LEDGER_{number}"] = behind.ledgers[number - 1]
        variables[f"HUB_{number}_STREAM"] = behind.streams[number - 1]
        variables[f"HUB_{number}_READ"] = behind.reads[number - 1]
        variables[f"HUB_{number}_ADMIN_PORT"] = behind.admin_ports[number - 1]
    return Front([need_program("haproxy"), "-db", "-f", str(CONFIGURATION)], folder, variables)


def envoy(
    folder: Path, own: Addresses, behind: Behind, collector: str = "127.0.0.1:1", bounds: Mapping[str, str] = {}
) -> Front:
    file = folder / "envoy.yaml"
    file.write_text(envoy_text(own, behind, collector, bounds))
    quiet = ("--log-level", "warning", "--concurrency", "1", "--use-dynamic-base-id")
    return Front([str(need_envoy()), "-c", str(file), *quiet], folder)


def envoy_text(own: Addresses, behind: Behind, collector: str, bounds: Mapping[str, str]) -> str:
    """``collector``: host:port of where its spans go. ``bounds``: other ones, for what the file says."""

    def socket(place: str) -> str:
        host, _, port = place.rpartition(":")
        return f"{{address: {host}, port_value: {port}}}"

    places = {
        socket("0.0.0.0:8080"): socket(f"127.0.0.1:{own.api_port}"),
        socket("0.0.0.0:8090"): socket(f"127.0.0.1:{own.hubs_port}"),
        socket("0.0.0.0:8083"): socket(f"127.0.0.1:{own.console_port}"),
        socket("127.0.0.1:9901"): socket(f"127.0.0.1:{free_port()}"),
        socket("console:8083"): socket(behind.console),
        socket("otel-collector:4318"): socket(collector),
        "cluster: otel-collector, timeout: 1s": "cluster: otel-collector, timeout: 60s",  # this machine may stand still
        "max_active_downstream_connections: 40000": f"max_active_downstream_connections: {MAXCONN}",
    }
    for number in (1, 2):
        places[socket(f"ledger-{number}:8080")] = socket(behind.ledgers[number - 1])
        for port, here in ((8090, behind.streams[number - 1]), (8091, behind.reads[number - 1])):
            checked = "}, health_check_config: {port_value: %d}}"
            there = socket(f"hub-{number}:{port}") + checked % 8092
            places[there] = socket(here) + checked % behind.admin_ports[number - 1]
    return placed("envoy.yaml", {**places, **bounds})


def nginx(folder: Path, own: Addresses, behind: Behind, bounds: Mapping[str, str] = {}) -> Front:
    ports = {8080: own.api_port, 8090: own.hubs_port, 8083: own.console_port}
    places = {f"listen {port} ": f"listen 127.0.0.1:{here} " for port, here in ports.items()}
    for number in (1, 2):
        places[f"server ledger-{number}:8080"] = f"server {behind.ledgers[number - 1]}"
        places[f"server hub-{number}:8090"] = f"server {behind.streams[number - 1]}"
        places[f"server hub-{number}:8091"] = f"server {behind.reads[number - 1]}"
    places |= {"server console:8083": f"server {behind.console}", "/var/log/nginx": str(folder)}
    places |= {"worker_rlimit_nofile 50000": f"worker_rlimit_nofile {4 * MAXCONN}"}
    places |= {"worker_connections 20000": f"worker_connections {MAXCONN}"}
    if behind.before != "255.255.255.255":
        places["    real_ip_header"] = f"    set_real_ip_from {behind.before};\n    real_ip_header"
    file = folder / "nginx.conf"
    file.write_text(placed("nginx.conf", {**places, **bounds}))
    told = f"daemon off; {AS_ROOT}pid {folder}/nginx.pid; error_log stderr;"
    return Front([need_program("nginx"), "-p", str(folder), "-c", str(file), "-g", told], folder)


GATEWAYS: dict[str, Launch] = {"haproxy": haproxy, "envoy": envoy, "nginx": nginx}


class LoadBalancer:
    """A gateway before ``system``, whose two ledgers and two hubs ``start`` starts, and before a console on this
    machine's ``console_port``, whoever starts one. One at a time, at the same addresses."""

    def __init__(self, system: ProcessSystem, folder: Path) -> None:
        self.system = system
        self.addresses = Addresses(free_port(), free_port(), free_port())
        self.console_port = free_port()
        self._folder = folder

    async def start(self) -> None:
        await asyncio.gather(*(self.system.start_ledger(**self.addresses.settings) for _ in range(2)))
        await asyncio.gather(*(self.system.start_hub() for _ in range(2)))

    @contextmanager
    def stands(self, name: str) -> Iterator[None]:
        """While requests are passed on by this one of ``GATEWAYS``."""
        folder = self._folder / name
        folder.mkdir()
        behind = Behind(
            ledgers=[address(ledger.url) for ledger in self.system.ledgers],
            streams=[address(hub.stream) for hub in self.system.hubs],
            reads=[address(hub.url) for hub in self.system.hubs],
            admin_ports=[int(urlsplit(hub.admin).port or 0) for hub in self.system.hubs],
            console=f"127.0.0.1:{self.console_port}",
        )
        front = GATEWAYS[name](folder, self.addresses, behind)
        try:
            asyncio.run(wait_until(partial(self._answers, front), swallow=httpx.HTTPError, what=f"{name} passes on"))
            yield
        finally:
            front.stop()

    async def _answers(self, front: Front) -> bool:
        front.assert_runs()
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as http:
            api = await http.get(f"{self.addresses.api}/readyz")
            reads = await http.get(f"{self.addresses.reads}/v1/levels")
        return (api.status_code, reads.status_code) == (200, 401)


def address(url: str) -> str:
    return urlsplit(url).netloc


async def connections(hub: Server) -> int:
    """Open streams, as the hub counts them; 0 while it is away."""
    try:
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as http:
            metrics = (await http.get(f"{hub.admin}/metrics")).text
    except httpx.HTTPError:
        return 0
    match = re.search(r"^stockwire_hub_connections (\S+)$", metrics, re.MULTILINE)
    assert match, metrics
    return int(float(match[1]))
