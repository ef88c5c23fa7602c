"""The parts of one `stockwire channels`, and the order in which they start and stop."""

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from followers.admin import create_admin_app
from followers.answers import Answers
from followers.api.app import ANSWERED, create_app
from followers.api.askers import Askers
from followers.database.database import Database, DatabaseAway
from followers.database.leases import Leases
from followers.database.schema import expand
from followers.log.ledger import Ledger
from followers.marketplaces.api.bodies import bytes_max_of
from followers.marketplaces.api.checked import CheckedWish
from followers.marketplaces.api.routes import ChannelParts, ChannelRoutes
from followers.marketplaces.marketplaces import Marketplaces
from followers.marketplaces.orders.api.routes import OrderParts, OrderRoutes
from followers.marketplaces.orders.booker import Booker
from followers.marketplaces.orders.desk import OrderWork
from followers.marketplaces.orders.notices import Notices
from followers.marketplaces.orders.pages import OrderPages
from followers.marketplaces.orders.shelf import Shelf
from followers.marketplaces.orders.till import Till
from followers.metrics import ChannelsCollector, Counted
from followers.operated import Operated
from followers.outward.addresses import Addresses
from followers.settings import Settings
from followers.webhooks.api.bodies import BODY_BYTES_MAX
from followers.webhooks.api.routes import RouteParts, Routes
from followers.webhooks.backlog import Backlogs
from followers.webhooks.delivery import Delivery
from followers.webhooks.endpoints import Endpoints
from followers.webhooks.events import Events
from followers.webhooks.intake import Intake
from followers.webhooks.keeping import Keeping
from followers.webhooks.leased import Held
from followers.webhooks.operated import OperatedWebhooks, Parts
from followers.webhooks.outbox import Outbox
from followers.webhooks.owners import Owners
from followers.webhooks.places import Places
from followers.webhooks.recording import Recording
from followers.webhooks.replays import Replays
from followers.webhooks.sender import Sender
from followers.webhooks.shipping import Shipping
from server.http.connection import BoundedConnection
from server.http.problems import Problems
from server.http.server import HttpServer, create_http_server
from server.rates.rate_limits import RateLimits
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes
from stockwire import AsyncClient

AGAIN_S = 1.0
STOP_MORE_S = 5.0
"""For what is in flight after ``stop``, beside the time of one attempt."""
ANSWER_S = 3
"""For requests to the API at hand after ``stop``."""

log = logging.getLogger(__name__)


class Channels:
    """``run`` once, within a running loop. ``stop`` from a signal handler: safe at any time, and twice."""

    def __init__(self, settings: Settings, tls: Tls | None = None, admin_tls: Tls | None = None) -> None:
        """``tls``, ``admin_tls``: of the API's port and of the admin port."""
        self._settings = settings
        self._stopping = asyncio.Event()
        self._follows = False
        woken = asyncio.Event()
        self.database = Database(settings.database_url)
        self.ledger = Ledger(settings.ledger_url, settings.key, settings.ledger_ca_file)
        self.addresses = Addresses(settings.opened, settings.receiver_ports)
        self._sender = Sender(self.addresses, ca_file=settings.receivers_ca_file, timeout_s=settings.timeout_s)
        name = secrets.token_hex(8)
        self._leases = Leases(self.database, settings.lease_s, name)
        self._client = AsyncClient(settings.ledger_url, settings.key)
        shelf = Shelf(self.database)
        self._notices = Notices(self.database, shelf)
        orders = OrderWork(shelf, self._notices, Booker(shelf, Till(self._client)), settings.poll_every_s)
        self.marketplaces = Marketplaces(
            self.database,
            self.ledger,
            settings.seal,
            self.addresses,
            [orders],
            name=name,
            lease_s=settings.lease_s,
            ca_file=settings.receivers_ca_file,
        )
        self.held = held = Held()
        outbox = Outbox(self.database, held)
        events = Events(self.ledger)
        self._owners = Owners(self.ledger, held, woken)
        self._keeping = keeping = Keeping(
            self._leases, outbox, held, self._owners, settings.seal, settings.lease_s, woken
        )
        self._intake = intake = Intake(self.ledger, Places(self.database), held, events, woken)
        self._recording = Recording(outbox, woken)
        shipping = Shipping(self._sender, events, self._leases.now_s, self._owners.is_good, settings.body_bytes_max)
        self._replays = Replays(self.ledger, outbox, held, self._intake, shipping, self._recording)
        self._delivery = Delivery(outbox, held, self._owners, self._intake, shipping, self._recording, woken)
        self.operated = OperatedWebhooks(Parts(held, keeping, intake, shipping.attempts, Backlogs(self.database)))
        self._server, self._admin_server = self._create_servers(Handshakes(tls), Handshakes(admin_tls))

    def stop(self) -> None:
        self._stopping.set()

    async def run(self, listener: socket.socket, admin: socket.socket, announce: Callable[[], None]) -> None:
        """Until ``stop``. ``announce``: when it works. Raises SettingsError if its key is no good."""
        async with (
            self.database,
            self.ledger,
            self._client,
            self._sender,
            self.marketplaces,
            asyncio.TaskGroup() as tasks,
        ):
            running = [tasks.create_task(self._follow(announce), name="channels")]
            serving = tasks.create_task(self._server.serve(sockets=[listener]), name="web")
            tasks.create_task(self._admin_server.serve(sockets=[admin]), name="admin")
            await self._stopping.wait()
            self._server.stop()
            await serving
            await self._end()
            for task in running:
                task.cancel()
            self._admin_server.stop()

    async def _follow(self, announce: Callable[[], None]) -> None:
        await self._expand()
        async with asyncio.TaskGroup() as tasks:
            for name, part in {
                "keeping": self._keeping.run(),
                "owners": self._owners.run(),
                "log": self._intake.run(),
                "recording": self._recording.run(),
                "replays": self._replays.run(),
                "delivery": self._delivery.run(),
                "marketplaces": self.marketplaces.run(),
            }.items():
                tasks.create_task(part, name=name)
            self._follows = True
            announce()

    async def _expand(self) -> None:
        """The schema, as soon as the database is there."""
        while True:
            try:
                await expand(self.database)
                return
            except DatabaseAway as error:
                log.warning("waiting for the database reason=%r", str(error))
                await asyncio.sleep(AGAIN_S)

    async def _end(self) -> None:
        """What is in flight is waited for and recorded; then others may take what we held."""
        await asyncio.gather(
            self._given_back("endpoints", self._end_webhooks()), self._given_back("channels", self.marketplaces.end())
        )

    async def _end_webhooks(self) -> None:
        await self._delivery.stop()
        await self._recording.drained()
        await self._leases.give_back()

    async def _given_back(self, what: str, end: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(self._settings.timeout_s + STOP_MORE_S):
                await end
        except (TimeoutError, DatabaseAway) as error:
            log.warning("leases are not given back and run out leased=%r reason=%r", what, str(error) or "too late")

    async def _why_not_ready(self) -> str | None:
        if self._stopping.is_set():
            return "these channels stop"
        return None if self._follows else "the database has not been reached yet"

    def _create_servers(self, handshakes: Handshakes, admin_handshakes: Handshakes) -> tuple[HttpServer, HttpServer]:
        """Of the API, and of the admin port."""
        settings = self._settings
        limits = RateLimits(settings.rate_per_s, None, "", "channels", counted="key")
        askers = Askers(self.ledger, limits)
        webhooks = RouteParts(Endpoints(self.database), self.ledger, settings.seal, self.addresses, askers)
        checked = CheckedWish(self.addresses, self.marketplaces.sessions)
        channels = ChannelParts(self.marketplaces, self.ledger, checked, askers)
        market = self.marketplaces
        orders = OrderParts(OrderPages(self.database), self._notices, askers, market.adapter_of, market.noticed)
        answers, problems = Answers(), Problems(ANSWERED)
        app = create_app(
            [*Routes(webhooks).routes(), *ChannelRoutes(channels).routes(), *OrderRoutes(orders).routes()],
            limits,
            problems,
            answers,
            self._why_not_ready,
            lambda scope: bytes_max_of(scope["path"]) or BODY_BYTES_MAX,
            settings.allowed_hosts,
        )
        counted = Counted(answers, problems, limits, (handshakes, admin_handshakes))
        operated: list[Operated] = [self.operated, self.marketplaces.operated]
        collector = ChannelsCollector(operated, counted)
        admin_app = create_admin_app("webhooks and channels", operated, collector, self._why_not_ready)
        return (
            create_http_server(app, BoundedConnection, ANSWER_S, handshakes),
            create_http_server(admin_app, BoundedConnection, ANSWER_S, admin_handshakes),
        )
