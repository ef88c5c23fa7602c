"""Rendered pods carried out on loopback as nodes and the cluster would: commands, files, probes, Services, ends.

Each pod has an address of its own (127.x.y.z), on which it listens in the place of all of its own network. A Service
is a listener that leads to pods that are ready. What an engine does beside it, to rights and file systems, is not done.
"""

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from tests.deploy.chart import MOUNTED, NAMESPACE, RELEASE, SERVERS, Manifest, container_of, lay_out, of_kind
from tests.harness.processes import ServerProcess, clean_environment
from tests.harness.waiting import PATIENCE_S, wait_until

PROGRAM = Path(sys.executable).parent / "stockwire"
"""The image's ENTRYPOINT."""
EVERYWHERE = "0.0.0.0"
CHUNK_BYTES = 65_536
PROBE_S = 0.2
"""More often than a node asks: a test need not wait for that."""


class Pod:
    """One pod of a Deployment. ``revision``: of what it was made from. ``starts``: how often it was started.
    ``end_status``: of its end when it was deleted.
    """

    def __init__(
        self, address: str, template: Manifest, process: ServerProcess, http: httpx.AsyncClient, revision: str
    ) -> None:
        self.address = address
        self.revision = revision
        self.ready = False
        self.leaving = False
        self.starts = 0
        self.end_status: int | None = None
        self._process = process
        self._http = http
        self._grace_s = float(template["spec"]["terminationGracePeriodSeconds"])
        self._container = container_of(template)
        self._ports = {one["name"]: one["containerPort"] for one in self._container["ports"]}

    async def run(self) -> None:
        """Until it is cancelled or ended: starts it, again whenever it dies, and asks whether it is ready."""
        while not self.leaving:
            self._process.launch()
            self.starts += 1
            if await self._started():
                await self._probed()
            self.ready = False

    async def end(self) -> None:
        """As it is deleted: nobody is sent there; preStop, then SIGTERM; SIGKILL at the end of its grace."""
        self.leaving, self.ready = True, False
        began = time.monotonic()
        await asyncio.sleep(self._container["lifecycle"]["preStop"]["sleep"]["seconds"])
        self._process.terminate()
        with contextlib.suppress(AssertionError):
            await self._process.wait(self._grace_s - (time.monotonic() - began))
        if self._process.running:
            self._process.kill()
        self.end_status = self._process.returncode

    def kill(self) -> None:
        self._process.kill()

    def listens(self, port: str) -> str:
        """host:port of one of its ports, by its name."""
        return f"{self.address}:{self._ports[port]}"

    async def asked(self, port: str, path: str) -> httpx.Response:
        """Raises httpx.HTTPError."""
        return await self._http.get(f"http://{self.listens(port)}{path}")

    async def _started(self) -> bool:
        """False if it died."""
        while self._process.running:
            if await self._succeeds("startupProbe"):
                return True
            await asyncio.sleep(PROBE_S)
        return False

    async def _probed(self) -> None:
        """Until it dies, or is to end."""
        misses = 0
        while self._process.running and not self.leaving:
            succeeded = await self._succeeds("readinessProbe")
            misses = 0 if succeeded else misses + 1
            stays = self.ready and misses < self._container["readinessProbe"]["failureThreshold"]
            self.ready = not self.leaving and (succeeded or stays)
            await asyncio.sleep(PROBE_S)

    async def _succeeds(self, probe: str) -> bool:
        get = self._container[probe]["httpGet"]
        with contextlib.suppress(httpx.HTTPError):
            return (await self.asked(get["port"], get["path"])).is_success
        return False


class Cluster:
    """``async with``: its Services listen until the end, and nothing of it is left then.

    ``contents``: of the files that pods mount, by the last part of their path. ``images``: what an image runs that is
    not ours as it is here.
    """

    def __init__(
        self, folder: Path, contents: Mapping[str, str], images: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> None:
        self.pods: dict[str, list[Pod]] = {}
        self.ended: list[Pod] = []
        self._folder = folder
        self._contents = contents
        self._images = images
        self._network = ".".join(["127", *(str(random.SystemRandom().randint(1, 254)) for _ in range(2))])
        self._addresses: dict[str, str] = {}
        self._started = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Cluster":
        self._http = await self._stack.enter_async_context(httpx.AsyncClient(verify=False, timeout=PATIENCE_S))
        self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._stack.callback(self._kill)
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._stack.__aexit__(*raised)

    def address_of(self, component: str) -> str:
        """Of its Service."""
        return self._addresses[component]

    async def serve(self, manifests: list[Manifest]) -> None:
        """The Services."""
        for component, service in of_kind(manifests, "Service").items():
            self._addresses[component] = self.next_address()
            for port in service["spec"]["ports"]:
                await self._stack.enter_async_context(self._listening(component, port["port"]))

    async def run_jobs(self, manifests: list[Manifest]) -> list[str]:
        """The hooks of an install or upgrade, one after the other. The last line of each."""
        jobs = of_kind(manifests, "Job").values()
        ordered = sorted(jobs, key=lambda job: int(job["metadata"]["annotations"]["helm.sh/hook-weight"]))
        templates = [job["spec"]["template"] for job in ordered]
        return [await self.run(template, *container_of(template)["args"]) for template in templates]

    async def run(self, template: Manifest, *arguments: str) -> str:
        """A command to its end, in the place of the pod's own. Its last line. Raises AssertionError if it fails."""
        job = self._process("once", template, list(arguments), self.next_address())
        job.launch()
        assert await job.wait() == 0, job.stderr()
        return (job.folder / f"{job.name}.stdout").read_text().splitlines()[-1]

    async def deploy(self, manifests: list[Manifest], component: str) -> None:
        """As a rolling update with maxSurge 1 and maxUnavailable 0, from nothing too."""
        deployment = of_kind(manifests, SERVERS)[component]
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        before = self.pods.get(component, [])
        self.pods[component] = list(before)
        for number in range(deployment["spec"]["replicas"]):
            self._start(deployment["spec"]["template"], component)
            if before:
                await self.await_ready(component)
                await self._end(component, before[number])
        await self.await_ready(component)

    async def scale(self, component: str, template: Manifest, replicas: int, revision: str = "") -> None:
        """To so many pods of a revision. Those that are too many, the newest, end side by side."""
        there = [pod for pod in self.pods.setdefault(component, []) if pod.revision == revision]
        for _ in range(replicas - len(there)):
            self._start(template, component, revision)
        await asyncio.gather(self.await_ready(component), *(self._end(component, pod) for pod in there[replicas:]))

    async def await_ready(self, component: str) -> None:
        """Until all of its pods are."""

        async def ready() -> bool:
            return all(pod.ready for pod in self.pods[component])

        await wait_until(ready, what=f"every {component} is ready")

    async def _end(self, component: str, pod: Pod) -> None:
        self.pods[component].remove(pod)
        await pod.end()
        self.ended.append(pod)

    def _start(self, template: Manifest, component: str, revision: str = "") -> None:
        address = self.next_address()
        process = self._process(component, template, container_of(template)["args"], address)
        pod = Pod(address, template, process, self._http, revision)
        self.pods[component].append(pod)
        self._tasks.create_task(pod.run(), name=process.name)

    def _process(self, kind: str, template: Manifest, arguments: list[str], address: str) -> ServerProcess:
        name = f"{kind}-{address.rsplit('.', 1)[1]}"
        mounted = self._folder / name
        variables = lay_out(template, mounted, self._contents)
        arguments = [argument.replace(MOUNTED, str(mounted)) for argument in arguments]
        heard = {setting: address if value == EVERYWHERE else value for setting, value in variables.items()}
        resolved = {setting: self._resolved(value) for setting, value in heard.items()}
        program, *first = self._images.get(container_of(template)["image"], [str(PROGRAM)])
        return ServerProcess(name, clean_environment(resolved), self._folder, [*first, *arguments], program=program)

    def _resolved(self, value: str) -> str:
        """As the cluster's DNS does it."""
        for component, address in self._addresses.items():
            value = value.replace(f"{RELEASE}-{component}.{NAMESPACE}.svc", address)
        return value

    def next_address(self) -> str:
        """For one more that listens, also if it is no pod."""
        self._started += 1
        return f"{self._network}.{self._started}"

    @asynccontextmanager
    async def _listening(self, component: str, port: int) -> AsyncIterator[None]:
        def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._tasks.create_task(self._lead(component, port, reader, writer), name=f"to a {component}")

        server = await asyncio.start_server(lead, self._addresses[component], port)
        try:
            yield
        finally:
            server.close()

    async def _lead(
        self, component: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        ready = [pod for pod in self.pods.get(component, ()) if pod.ready]
        ends = [writer]
        try:
            to_reader, to_writer = await asyncio.open_connection(random.choice(ready).address, port)
            ends.append(to_writer)
            await asyncio.gather(_pass(reader, to_writer), _pass(to_reader, writer))
        except (OSError, IndexError):  # nobody is ready, or who was is gone
            return
        finally:
            for end in ends:
                end.transport.abort()

    def _kill(self) -> None:
        for pod in (pod for some in self.pods.values() for pod in some):
            pod.leaving = True
            pod.kill()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()
