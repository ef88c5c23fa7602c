"""HAProxy with deploy/haproxy.cfg as it is, in front of a system's ledgers and hubs on loopback."""

import asyncio
import math
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.harness.children import die_with_parent
from tests.harness.processes import ServerProcess, clean_environment
from tests.harness.servers import free_port
from tests.harness.source import ROOT
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"
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


class LoadBalancer:
    """HAProxy before ``system``, whose two ledgers and two hubs ``start`` starts as well, and before a console on this
    machine's ``console_port``, whoever starts one. ``stop``: safe twice."""

    def __init__(self, system: ProcessSystem, folder: Path) -> None:
        self.system = system
        self.addresses = Addresses(free_port(), free_port(), free_port())
        self.console_port = free_port()
        self._log = folder / "haproxy.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, program: str) -> None:
        """Returns when requests are passed on."""
        await asyncio.gather(*(self.system.start_ledger(**self.addresses.settings) for _ in range(2)))
        await asyncio.gather(*(self.system.start_hub() for _ in range(2)))
        self._launch(program)
        await wait_until(self._answers, swallow=httpx.HTTPError, what="HAProxy passes requests on")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)

    def _launch(self, program: str) -> None:
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                [program, "-db", "-f", str(CONFIGURATION)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=clean_environment(self._variables()),
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def _variables(self) -> dict[str, object]:
        variables: dict[str, object] = {
            "API_BIND": f"127.0.0.1:{self.addresses.api_port}",
            "HUBS_BIND": f"127.0.0.1:{self.addresses.hubs_port}",
            "CONSOLE_BIND": f"127.0.0.1:{self.addresses.console_port}",
            "CONSOLE": f"127.0.0.1:{self.console_port}",
            "MAXCONN": MAXCONN,
        }
        for number, ledger in enumerate(self.system.ledgers, 1):
            variables[f"LEDGER_{number}"] = address(ledger.url)
        for number, hub in enumerate(self.system.hubs, 1):
            variables[f"HUB_{number}_STREAM"] = address(hub.stream)
            variables[f"HUB_{number}_READ"] = address(hub.url)
            variables[f"HUB_{number}_ADMIN_PORT"] = urlsplit(hub.admin).port
        return variables

    async def _answers(self) -> bool:
        assert self._process, "never started"
        assert self._process.poll() is None, self._log.read_text()
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as http:
            api = await http.get(f"{self.addresses.api}/readyz")
            reads = await http.get(f"{self.addresses.reads}/v1/levels")
        return (api.status_code, reads.status_code) == (200, 401)


def address(url: str) -> str:
    return urlsplit(url).netloc


async def connections(hub: ServerProcess) -> int:
    """Open streams, as the hub counts them; 0 while it is away."""
    try:
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as http:
            metrics = (await http.get(f"{hub.admin}/metrics")).text
    except httpx.HTTPError:
        return 0
    match = re.search(r"^stockwire_hub_connections (\S+)$", metrics, re.MULTILINE)
    assert match, metrics
    return int(float(match[1]))
