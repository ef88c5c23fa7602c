"""The parts of one hub process, and the order in which they start and stop."""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

from hub import admin
from hub.endings import Ending
from hub.entry.access import Access
from hub.entry.door import Door
from hub.entry.moves import DRAIN_BOUNDS_S, Moves
from hub.entry.serving import bound_send_buffer, create_server
from hub.entry.visitors import Port, Visitors
from hub.fanout.fanout import Fanout
from hub.feed.feed import Feed
from hub.feed.feed_parts import FeedParts
from hub.feed.feed_spans import FeedSpans
from hub.feed.heartbeats import Heartbeats
from hub.feed.ledger_client import LedgerClient
from hub.feed.loader import Loader
from hub.feed.ticker import Ticker
from hub.metrics import FLUSH_BOUNDS_S, Parts, Transit, registry_of
from hub.protocols.native.conversation import Greeting
from hub.reads import read_api
from hub.reads.event_stream import EventStreams
from hub.reads.problems import ANSWERED
from hub.reads.read_parts import ReadParts
from hub.reads.readers import Readers
from hub.reads.reads import Reads
from hub.settings import Settings
from hub.stream.stream import Stream, StreamParts
from server.histogram import Histogram
from server.http.connection_table import ConnectionTable
from server.http.problems import Problems
from server.http.request_times import RequestTimes
from server.problems import Unavailable
from server.rates.rate_limits import RateLimits
from server.tls.certificate import Tls
from server.tls.handshakes import Handshakes
from server.tokens.keys import FetchedKeys
from server.tokens.verifier import Verifier
from server.tracing.tracing import tracing_of

ANNOUNCE_S = 2.0  # a hub serves without a ledger too, but the first moments are not worth a false alarm
ADMIN_CONNECTIONS_MAX = 200  # scrapers, probes and tools
BEHIND_S = 10.0  # a hub behind by more is not ready; while the broker alone is away it never is

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listeners:
    """The socket of each port, bound and listening."""

    stream: socket.socket
    read: socket.socket
    admin: socket.socket


class Node:
    """One hub. ``run`` once, within a running loop. ``stop`` from a signal handler: safe at any time, and twice."""

    def __init__(self, settings: Settings, tls: Tls | None = None, admin_tls: Tls | None = None) -> None:
        """``tls``: of the stream and read ports. ``admin_tls``: of the admin port."""
        self._settings = settings
        self._stopping, self._draining, self._undrained = asyncio.Event(), asyncio.Event(), asyncio.Event()
        greeting = Greeting(settings.node, settings.heartbeat_s)
        self._ledger = LedgerClient(settings.ledger_urls, settings.hub_key, settings.ledger_ca_file)
        self._verifier = Verifier(settings.tokens, FetchedKeys("the ledger", self._ledger.key_set))
        self._access = Access(self._ledger, self._verifier, self._keys_in_use, self._end_key)
        self._tracing = tracing_of(settings.tracing, "stockwire-hub", settings.node)
        self._spans = None if self._tracing is None else FeedSpans(self._tracing)
        flushes = Histogram(FLUSH_BOUNDS_S)
        self._ticker = Ticker(lambda: self._feed.fanout, lambda: self._loader.notice(), flushes.observe, self._spans)
        schedule_flush = self._ticker.schedule_flush
        self._rewritten: asyncio.Queue[Fanout] = asyncio.Queue()
        transit = Transit()
        self._feed = feed = Feed(self._feed_parts(transit))
        self._loader = Loader(self._ledger, lambda: feed.fanout, schedule_flush, feed.rewrite)
        limits = settings.limits
        stream_handshakes, read_handshakes, admin_handshakes = (Handshakes(one) for one in (tls, tls, admin_tls))
        clock = asyncio.get_running_loop().time
        visitors = Visitors(settings.visitors, limits, settings.public_locations, settings.origins, clock)
        door = Door(limits, clock(), settings.trusted_proxies, visitors)
        self._owner_rates, address_rates = _read_rates(settings)
        readers = Readers(self._access, door, self._owner_rates, address_rates)
        self._stream = Stream(self._stream_parts(door, stream_handshakes, greeting))
        read_places = ConnectionTable(limits.connections_max)
        self._event_streams = EventStreams(limits, greeting, schedule_flush, door, read_places)
        self._moves = Moves((self._stream.connections, self._event_streams.streams), limits, settings.drain_s)
        self._heartbeats = Heartbeats(feed, self._ticker, settings.heartbeat_s)
        problems, request_times = Problems(ANSWERED), RequestTimes()
        self._drains = Histogram(DRAIN_BOUNDS_S)
        parts = Parts(
            node=settings.node,
            transit=transit,
            flushes=flushes,
            drains=self._drains,
            request_times=request_times,
            feed=feed,
            loader=self._loader,
            access=self._access,
            door=door,
            stream=self._stream,
            event_streams=self._event_streams,
            problems=problems,
            readers=readers,
            handshakes=(stream_handshakes, read_handshakes, admin_handshakes),
            draining=self._draining,
            moves=self._moves,
            tracing=self._tracing,
        )
        read_app = read_api.create_app(self._read_parts(door, readers, problems, request_times))
        self._read_server = create_server(
            read_app, read_places, read_handshakes, lambda: visitors.give_way(Port.EVENTS)
        )
        acts = admin.Acts(self.drain, self.undrain, self.shed)
        admin_app = admin.create_app(registry_of(parts), self.why_not_ready, acts)
        self._admin_server = create_server(admin_app, ConnectionTable(ADMIN_CONNECTIONS_MAX), admin_handshakes)

    def stop(self) -> None:
        """Drain, and end."""
        self._set_draining(True)
        self._stopping.set()

    def drain(self) -> None:
        """Send everybody elsewhere and take nobody, until ``undrain`` or ``stop``. Safe twice."""
        self._undrained.clear()
        self._set_draining(True)

    def undrain(self) -> bool:
        """Take clients again, also in the middle of a drain. False: it is being stopped, and goes on stopping."""
        if self._stopping.is_set():
            return False
        self._set_draining(False)
        self._undrained.set()
        return True

    def shed(self, share: float) -> int:
        """Send this share of the clients elsewhere within ``drain_s``, and go on taking others. Returns how many go.
        ``undrain`` keeps those whose turn has not come; ``drain`` and ``stop`` send all. Raises Unavailable.
        """
        if self._draining.is_set():
            raise Unavailable("this hub is draining: it sends everybody elsewhere")
        moving = self._moves.shed(share, asyncio.get_running_loop().time())
        log.info("moves a share of its clients share=%g moving=%d", share, moving)
        return moving

    def _set_draining(self, draining: bool) -> None:
        """At once: a drain that is only just beginning must not close the doors behind an ``undrain``."""
        self._moves.stop()
        (self._draining.set if draining else self._draining.clear)()
        self._stream.draining = self._event_streams.draining = draining

    async def run(self, listeners: Listeners, announce: Callable[[], None]) -> None:
        """Until ``stop``; then drained, in ``drain_s`` and a few seconds. ``announce``: when it takes connections."""
        async with self._ledger, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(part, name=name)
                for name, part in {
                    "feed": self._feed.run(),
                    "loader": self._loader.run(),
                    "access": self._access.run(),
                    "issuers": self._verifier.run(),
                    "heartbeats": self._heartbeats.run(),
                    "rate limits": self._owner_rates.run(),
                    "stream": self._stream.connections.run(),
                    "event streams": self._event_streams.streams.run(),
                    "moves": self._moves.run(),
                    "epochs": self._end_epochs(),
                }.items()
            ]
            bound_send_buffer(listeners.read, self._settings.limits.send_buffer_bytes)
            tasks.create_task(self._read_server.serve(sockets=[listeners.read]), name="read port")
            tasks.create_task(self._admin_server.serve(sockets=[listeners.admin]), name="admin port")
            await self._stream.open(listeners.stream)
            await self._first_moments()
            if not self._draining.is_set():
                announce()
            while not self._stopping.is_set():
                await self._draining.wait()
                await self._until_undrained_or_stopped()
            self._read_server.stop()
            self._admin_server.stop()
            for task in running:
                task.cancel()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)

    def why_not_ready(self) -> str | None:
        if self._draining.is_set():
            return "this hub is draining"
        fanout = self._feed.fanout
        if fanout is None:
            return "no ledger was reached yet"
        if fanout.shards.silent(asyncio.get_running_loop().time(), BEHIND_S):
            return f"this hub is behind by {self._feed.lag_ms} ms"
        return None

    def _feed_parts(self, transit: Transit) -> FeedParts:
        settings = self._settings
        return FeedParts(
            ledger=self._ledger,
            redis_url=settings.redis_url,
            channel_prefix=settings.channel_prefix,
            bounds=settings.bounds,
            schedule_flush=self._ticker.schedule_flush,
            applied=transit.applied,
            revoked=self._access.revoke,
            doubted=self._access.doubt,
            rewritten=self._rewritten.put_nowait,
            spans=self._spans,
        )

    def _stream_parts(self, door: Door, handshakes: Handshakes, greeting: Greeting) -> StreamParts:
        return StreamParts(
            feed=self._feed,
            access=self._access,
            door=door,
            handshakes=handshakes,
            schedule_flush=self._ticker.schedule_flush,
            limits=self._settings.limits,
            greeting=greeting,
            origins=self._settings.origins,
            allowed_hosts=self._settings.allowed_hosts,
        )

    def _read_parts(self, door: Door, readers: Readers, problems: Problems, request_times: RequestTimes) -> ReadParts:
        return ReadParts(
            reads=Reads(self._feed, self._ticker.schedule_flush),
            streams=self._event_streams,
            feed=self._feed,
            ledger=self._ledger,
            readers=readers,
            door=door,
            problems=problems,
            request_times=request_times,
            origins=self._settings.origins,
            allowed_hosts=self._settings.allowed_hosts,
            public_locations=self._settings.public_locations,
        )

    async def _first_moments(self) -> None:
        await _one_of(self._feed.started, self._draining, timeout_s=ANNOUNCE_S)

    async def _until_undrained_or_stopped(self) -> None:
        """Drains. Who takes clients again waits for nobody who is still being sent away."""
        closing = self._stopping.is_set()
        draining = asyncio.ensure_future(self._drain())
        undrained = asyncio.ensure_future(self._undrained.wait())
        done, _ = await asyncio.wait((draining, undrained), return_when=asyncio.FIRST_COMPLETED)
        undrained.cancel()
        if undrained not in done:  # the event itself may be cleared already, by the next drain
            draining.result()
            await _one_of(self._stopping, self._undrained)
        draining.cancel()
        if not self._stopping.is_set():
            log.info("takes clients again")
        elif not closing:
            await self._drain()  # the port closes too

    async def _drain(self) -> None:
        log.info("draining connections=%d", len(self._stream.connections))
        began = asyncio.get_running_loop().time()
        if self._stopping.is_set():
            self._stream.close()
        await self._event_streams.end_all(Ending.STOPPING)
        try:
            async with asyncio.timeout(self._settings.drain_s):
                await self._stream.drain()
        except TimeoutError:
            log.warning("connections were cut off connections=%d", len(self._stream.connections))
        self._drains.observe(asyncio.get_running_loop().time() - began)

    async def _end_epochs(self) -> None:
        """Ends everybody who was served from a history that is gone, with each rewrite. Until cancelled."""
        while True:
            await self._rewritten.get()
            await self._event_streams.end_all(Ending.REWRITTEN)
            await self._stream.end_all(Ending.REWRITTEN)

    def _end_key(self, key: str) -> None:
        self._stream.connections.end_key(key)
        self._event_streams.streams.end_key(key)

    def _keys_in_use(self) -> list[str]:
        return [*self._stream.connections.keys_in_use(), *self._event_streams.streams.keys_in_use()]


async def _one_of(*events: asyncio.Event, timeout_s: float | None = None) -> None:
    """Until one of them is set, or the time is over."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    _, pending = await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()


def _read_rates(settings: Settings) -> tuple[RateLimits, RateLimits]:
    """How much may be read over HTTP: by an owner, from all hubs together, and by an address, from this one."""
    shared = RateLimits(settings.rate_per_s, settings.redis_url, settings.channel_prefix, "hub")
    return shared, RateLimits(settings.rate_per_s, None, settings.channel_prefix, "hub", counted="address")
