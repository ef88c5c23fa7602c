"""`stockwire up`: a whole system from one command. Reads from top to bottom in the order things happen."""

import asyncio
import base64
import logging
import os
import secrets
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvloop

from cli import launches, page_server
from cli.access import DatabaseUnusable, PreparedAccess, prepare_database
from cli.banner import Banner
from cli.data_folder import DataFolder
from cli.embedded import EmbeddedFailed, Postgres, Valkey
from cli.launch import Watchdog
from cli.meter import Meter
from cli.ports import HOST, Ports
from cli.prometheus import Prometheus
from cli.replay import Replay
from cli.sample_shop import LOCATION, NoSample, SampleShop, read_sample
from cli.settings import UpSettings
from cli.shop import Shop
from cli.streaming import Streaming
from cli.supervisor import EmbeddedPart, Part, ServicePart, Supervisor, SupervisorFailed
from cli.terminal.control_socket import ControlSocket
from cli.terminal.controls import Controls
from cli.terminal.key_table import HINT
from cli.terminal.keyboard import Keyboard
from cli.terminal.screen import Screen
from server.log import JSON, end_with, log_to_stderr
from server.settings.environment import EXIT_CONFIG, SettingsError
from stockwire import AsyncClient
from stockwire.errors import StockwireError

READ_TOKEN_TTL_S = 3600  # the longest that a ledger gives
READ_TOKEN_EVERY_S = 1800
STOPPED = "Stopped."
_TIMEOUT_S = 10.0
_FIGURES_EVERY_S = 1.0
_FIRST_FIGURES_EVERY_S = 0.1

logger = logging.getLogger("stockwire.up")


class Stopped(Exception):
    """Somebody pressed Ctrl-C or `q`, or sent SIGTERM."""


def run(settings: UpSettings) -> int:
    """Runs until it is stopped. Exit status: 0 it was told to stop, 1 it failed, 78 it cannot start as asked.

    Ctrl-C is how people stop it, so it is no failure: `make` would tell an ordinary end as an error. Raises
    SettingsError for a data folder that cannot be used; KeyboardInterrupt before its loop has taken Ctrl-C over, when
    nothing runs yet.
    """
    folder = DataFolder(settings.data)
    folder.claim(reset=settings.reset)
    watchdog = Watchdog(hold=folder.lock)
    screen = Screen()
    status = 0
    if settings.log == JSON and not sys.stderr.isatty():
        log_to_stderr(JSON)  # what the screen says of it is for people
    told = (logger, logging.getLogger(page_server.LOGGER))
    for source in told:
        source.addHandler(screen)
    try:
        ports = settings.ports()
        watchdog.remove_at_end(folder.run_file)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(Up(settings, ports, folder, watchdog, screen).run())
    except* Stopped:
        screen.clear()
        screen.note(STOPPED)
    except* SettingsError as group:
        status = _report(screen, group, EXIT_CONFIG)
    except* (SupervisorFailed, EmbeddedFailed, NoSample, StockwireError, httpx.HTTPError) as group:
        status = _report(screen, group, 1)
    finally:
        watchdog.close()
        folder.release()
        for source in told:
            source.removeHandler(screen)
    return status


def _report(screen: Screen, group: BaseExceptionGroup[Exception], status: int) -> int:
    screen.clear()
    return end_with(status, "; ".join(str(error) for error in group.exceptions))


class Up:
    """One run. What is true of the system stands in its attributes as soon as it is known."""

    def __init__(
        self, settings: UpSettings, ports: Ports, folder: DataFolder, watchdog: Watchdog, screen: Screen
    ) -> None:
        self._settings = settings
        self._ports = ports
        self._folder = folder
        self._watchdog = watchdog
        self._screen = screen
        self._supervisor: Supervisor | None = None
        self._access: PreparedAccess | None = None
        self._client: AsyncClient | None = None
        self._read_token: tuple[str, datetime] | None = None
        self._keyboard: Keyboard | None = None
        self._console_link = ""
        self._prometheus: Prometheus | None = None
        self._streaming = Streaming(settings, ports, folder, watchdog) if settings.stream else None
        self._terminal = _terminal()

    async def run(self) -> None:
        """Raises Stopped, or the reason why the system cannot go on, in a group."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._stop_on_signals(tasks)
                self._supervisor = Supervisor(self._watchdog, tasks, self._write_run)
                await self._start(self._supervisor, tasks)
        finally:
            self._folder.run_file.unlink(missing_ok=True)
            if self._client:
                await self._client.close()
            if self._supervisor:
                await self._supervisor.stop()

    def _stop_on_signals(self, tasks: asyncio.TaskGroup) -> None:
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ask() -> None:
            if asked.done():  # asked twice: no more waiting for anybody
                if self._keyboard:
                    self._keyboard.restore()
                self._watchdog.close()
                self._screen.clear()
                self._screen.note("Killed.")
                os._exit(0)
            asked.set_result(None)
            if self._screen.is_terminal:
                self._screen.live("Stopping (Ctrl-C again to kill) …")

        async def stop() -> None:
            await asked
            raise Stopped

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, ask)
        tasks.create_task(stop(), name="stop")

    async def _start(self, supervisor: Supervisor, tasks: asyncio.TaskGroup) -> None:
        plan = tasks.create_task(asyncio.to_thread(read_sample), name="read the sample")
        database_url, redis_url = await self._start_servers(supervisor)
        with self._screen.stage("Database migrated"):
            self._access = await self._prepare_database(database_url)
        await self._start_services(supervisor, database_url, redis_url, self._access)
        channels = self._start_channels(supervisor, tasks, database_url, self._access)
        observing = self._start_observing(supervisor, tasks, self._access)
        streaming = self._streaming and tasks.create_task(self._streaming.start(supervisor, self._access), name="relay")
        client = self._client = AsyncClient(launches.ledger_url(self._ports), self._access.key)
        shop = SampleShop(await plan)
        await shop.load(client, self._folder, self._screen)
        page = Shop(
            ledger=launches.ledger_url(self._ports),
            key=self._access.key,
            hubs=launches.stream_urls(self._ports),
            location=LOCATION,
            cards=shop.cards(),
            origins=launches.page_origins(self._ports),
        )
        tasks.create_task(page_server.serve_page(page, client, HOST, self._ports.page), name="page")
        await self._renew_read_token()
        if channels:
            with self._screen.stage("Channels running"):
                await channels
        if observing:
            with self._screen.stage("Exporter and Prometheus running" if self._prometheus else "Exporter running"):
                await observing
        if streaming:
            with self._screen.stage("Relay running"):
                await streaming
        self._write_run()
        controls = self._controls(tasks)
        if self._settings.console:
            self._start_console(supervisor, tasks, controls, self._access)
        self._screen.note(self._banner(self._access, shop).text())
        if self._terminal:
            self._listen_to_keys(tasks, self._terminal, controls)
        await self._show(tasks, client, shop, database_url)

    async def _start_servers(self, supervisor: Supervisor) -> tuple[str, str]:
        """The embedded ones, unless others are named. Returns the database's and the broker's URL."""
        parts: list[Part] = []
        database_url, redis_url = self._settings.database_url, self._settings.redis_url
        if database_url is None:
            postgres = Postgres(self._folder.path, self._watchdog)
            database_url = postgres.url
            parts.append(EmbeddedPart(postgres))
        if redis_url is None:
            valkey = Valkey(self._folder.path, self._watchdog)
            redis_url = valkey.url
            parts.append(EmbeddedPart(valkey))
        names = {"postgres": "PostgreSQL", "valkey": "Valkey"}
        if parts:
            with self._screen.stage(f"{' and '.join(names[part.launch.name] for part in parts)} running"):
                await supervisor.start(*parts)
        return database_url, redis_url

    async def _prepare_database(self, database_url: str) -> PreparedAccess:
        try:
            return await prepare_database(self._folder, database_url)
        except DatabaseUnusable as error:
            if self._settings.database_url is None:
                raise SupervisorFailed(f"{error} (its log: {self._folder.path / 'postgres.log'})") from error
            raise SettingsError(f"{error}: correct STOCKWIRE_DATABASE_URL, or unset it to run one here") from error

    async def _start_services(
        self, supervisor: Supervisor, database_url: str, redis_url: str, access: PreparedAccess
    ) -> None:
        shared = launches.shared_settings(
            database_url,
            redis_url,
            self._settings.channel_prefix,
            access,
            self._ports,
            self._settings.origins,
            channels=self._settings.channels,
        )
        self._folder.write_environment(shared)
        ledger = ServicePart(launches.ledger_launch(self._folder, shared, self._ports))
        hubs = [
            ServicePart(launches.hub_launch(self._folder, shared, number, ports))
            for number, ports in enumerate(self._ports.hubs, 1)
        ]
        with self._screen.stage(f"Ledger and {len(hubs)} hub{'s' if len(hubs) > 1 else ''} running"):
            # Side by side: a hub waits for its ledger by itself. Two waves: the hubs are stopped first
            await asyncio.gather(supervisor.start(ledger), supervisor.start(*hubs))

    async def _show(self, tasks: asyncio.TaskGroup, client: AsyncClient, shop: SampleShop, database_url: str) -> None:
        """Live traffic, and what is measured of it, until the task group ends."""
        meter = Meter(client, LOCATION, launches.admin_urls(self._ports), database_url)
        for work in (meter.watch, meter.count, meter.check, self._keep_read_token):
            tasks.create_task(work(), name=work.__qualname__)
        if self._settings.replay:
            replay = Replay(
                client, self._folder.path / "replay.json", shop.plan.bookings, shop.needs, self._settings.replay
            )
            tasks.create_task(replay.run(), name="replay")
        while True:
            figures = meter.figures()
            if figures.changes_per_s is not None:
                self._screen.live(figures.line())
            await asyncio.sleep(_FIGURES_EVERY_S if figures.p50_ms is not None else _FIRST_FIGURES_EVERY_S)

    def _controls(self, tasks: asyncio.TaskGroup) -> Controls:
        def leave() -> None:
            os.kill(os.getpid(), signal.SIGTERM)

        return Controls(self._folder.path, self._watchdog, self._screen, tasks, len(self._ports.hubs), leave)

    def _start_console(
        self, supervisor: Supervisor, tasks: asyncio.TaskGroup, controls: Controls, access: PreparedAccess
    ) -> None:
        """Beside what goes on: nobody waits for it. It is kept running as all else is."""
        word = self._folder.keep_secret("console.link", secrets.token_urlsafe(18))
        socket = self._watchdog.socket_folder(self._folder.path / "sockets" / "control") / "up.sock"
        link = self._folder.path / "console.link"
        launch = launches.console_launch(self._folder, access.console_key, link, socket, self._ports)
        tasks.create_task(ControlSocket(socket, controls).run(), name="control socket")
        tasks.create_task(supervisor.start(ServicePart(launch)), name="console")
        self._console_link = f"{launches.console_url(self._ports)}/in/{word}"

    def _start_channels(
        self, supervisor: Supervisor, tasks: asyncio.TaskGroup, database_url: str, access: PreparedAccess
    ) -> asyncio.Task[None] | None:
        """Beside the loading of the sample. What was sealed in this folder before is still opened. Ends when they
        answer, or with SupervisorFailed if they do not in time."""
        if not self._settings.channels:
            return None
        file = "webhooks.keys"
        if self._folder.secret(file) is None:
            self._folder.keep_secret(file, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        launch = launches.channels_launch(
            self._folder, access.hub_key, database_url, self._folder.path / file, self._ports
        )
        return tasks.create_task(supervisor.start(ServicePart(launch)), name="channels")

    def _start_observing(
        self, supervisor: Supervisor, tasks: asyncio.TaskGroup, access: PreparedAccess
    ) -> asyncio.Task[None] | None:
        """As `_start_channels`. Without a Prometheus on the PATH the exporter runs alone."""
        if not self._settings.observe:
            return None
        parts: list[Part] = [ServicePart(launches.exporter_launch(self._folder, access.exporter_key, self._ports))]
        if program := shutil.which("prometheus"):
            self._prometheus = Prometheus(
                program, self._folder.path, self._watchdog, HOST, self._ports.prometheus, self._admin_urls()
            )
            parts.append(EmbeddedPart(self._prometheus))
        return tasks.create_task(supervisor.start(*parts), name="exporter and Prometheus")

    def _listen_to_keys(self, tasks: asyncio.TaskGroup, terminal: str, controls: Controls) -> None:
        self._keyboard = Keyboard(terminal, self._watchdog, controls.pressed, self._screen.redraw)
        tasks.create_task(self._keyboard.run(), name="keyboard")

    async def _keep_read_token(self) -> None:
        while True:
            await asyncio.sleep(READ_TOKEN_EVERY_S)
            try:
                await self._renew_read_token()
                self._write_run()
            except httpx.HTTPError as error:
                logger.warning("the read token could not be renewed reason=%r", str(error))

    async def _renew_read_token(self) -> None:
        assert self._access is not None
        async with httpx.AsyncClient(timeout=_TIMEOUT_S) as http:
            answer = await http.post(
                f"{launches.ledger_url(self._ports)}/v1/tokens",
                json={"scopes": ["stock:read:*"], "ttl_s": READ_TOKEN_TTL_S},
                headers={"Authorization": f"Bearer {self._access.key}"},
            )
        answer.raise_for_status()
        token = answer.json()
        self._read_token = token["token"], datetime.fromisoformat(token["expires_at"])

    def _write_run(self) -> None:
        """Once everything answers, and whenever a process was replaced after that."""
        if self._access is None or self._read_token is None or self._supervisor is None:
            return
        self._folder.write_run(
            {
                "ready": True,
                "ledger": launches.ledger_url(self._ports),
                "hubs": launches.stream_urls(self._ports),
                "key": self._access.key,
                "read_token": self._read_token[0],
                "pids": {"up": os.getpid(), **self._supervisor.pids},
                "read_token_expires_at": self._read_token[1].astimezone(UTC).isoformat(),
                "reads": launches.read_urls(self._ports),
                "page": launches.page_url(self._ports),
                "console": launches.console_url(self._ports) if self._settings.console else None,
                "prometheus": self._prometheus.url if self._prometheus else None,
                "stream": self._streaming.url if self._streaming else None,
                "admin": self._admin_urls(),
                "location": LOCATION,
            }
        )

    def _admin_urls(self) -> dict[str, str]:
        """Of every process that has one, by name."""
        urls = launches.admin_urls(self._ports)
        if self._settings.channels:
            urls["channels"] = launches.channels_admin_url(self._ports)
        if self._settings.observe:
            urls["exporter"] = launches.exporter_url(self._ports)
        if self._settings.stream:
            urls["relay"] = launches.relay_url(self._ports)
        return urls

    def _banner(self, access: PreparedAccess, shop: SampleShop) -> Banner:
        assert self._read_token is not None
        return Banner(
            page=launches.page_url(self._ports),
            ledger=launches.ledger_url(self._ports),
            hubs=launches.stream_urls(self._ports),
            key=access.key,
            read_token=self._read_token[0],
            read_token_ends=self._read_token[1],
            program=Path(sys.executable).with_name("stockwire"),
            data=self._folder.path,
            location=LOCATION,
            sku=shop.cards()[0].sku,
            read=launches.read_urls(self._ports)[0],
            origins=self._settings.origins,
            keys=HINT if self._terminal else "",
            console=self._console_link,
            channels=launches.channels_url(self._ports) if self._settings.channels else "",
            exporter=launches.exporter_url(self._ports) if self._settings.observe else "",
            prometheus=self._prometheus.url if self._prometheus else "",
            stream=self._streaming.url if self._streaming else "",
            stream_kind=self._settings.stream,
        )


def _terminal() -> str | None:
    """The one that standard input is, if it is one that can be opened by its name."""
    try:
        return os.ttyname(0) if os.access(os.ttyname(0), os.R_OK) else None
    except OSError:
        return None
