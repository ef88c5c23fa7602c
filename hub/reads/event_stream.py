"""Streaming HTTP: a subscription as Server-Sent Events, on the same sessions as the WebSocket stream.

Its reader pulls the response: what changes while a write is under way is only marked, so a reader that stops costs one
write and the levels that it watches.
"""

import asyncio
import random
import time
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.endings import Ending
from hub.entry.connections import Connections
from hub.entry.door import Caller, Door
from hub.entry.refusal import RETRY_AFTER_MAX_S
from hub.entry.visitors import Port
from hub.errors import Ended
from hub.fanout.fanout import Fanout
from hub.fanout.frames import Framing
from hub.fanout.session import Session
from hub.limits import Limits
from hub.protocols.native.conversation import Conversation, Greeting
from server.http.connection_table import ConnectionTable
from server.problems import Overloaded
from wire.messages import Disconnect, Subscribe
from wire.tokens import Principal

AWAY_MS = 200  # how long the reader of a stream that ends with all others is asked to stay away
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The second: nginx, and proxies that took its word, pass each event on instead of gathering them."""


class EventStreams:
    """All event streams of this hub."""

    def __init__(
        self,
        limits: Limits,
        greeting: Greeting,
        schedule_flush: Callable[[], None],
        door: Door,
        places: ConnectionTable,
    ) -> None:
        """``places``: of the port that they are served on."""
        self.streams = Connections["EventStream"](limits.connections_max, limits.connection_age_s)
        self.draining = False
        self._limits = limits
        self._greeting = greeting
        self._schedule_flush = schedule_flush
        self._door = door
        self._places = places

    def knock(self, *, keyed: bool) -> None:
        """Before anything is looked up. Raises Overloaded when no more streams are taken now. That its connection was
        taken means that there is a place.
        """
        if self.draining:
            raise Overloaded("this hub takes no more streams now")
        if not self._door.knock(asyncio.get_running_loop().time(), keyed=keyed):
            self._door.over_rate()
            raise Overloaded("this hub takes no more streams now", random.randint(1, RETRY_AFTER_MAX_S))

    def visits(self, caller: Caller, address: str) -> None:
        """It shows no key, and has not come by ``knock``: visitors have a rate of their own, so that a flood of them
        takes nothing from the others'. Raises Overloaded, Crowded or RateLimited.
        """
        crowded = self.draining or self._places.full
        visit = self._door.visitors.come(Port.EVENTS, address, lambda _: None, crowded=crowded)
        self._door.visits(caller, visit)

    def response(self, fanout: Fanout, principal: Principal, subscribe: Subscribe, caller: Caller) -> Response:
        """Subscribes. ``caller`` leaves when the stream ends. Raises Refused or Full before anything is sent."""
        stream = EventStream(self, fanout, principal, self._schedule_flush, lambda: self._door.leave(caller))
        conversation = Conversation(fanout, stream.session, self._limits, self._greeting)
        if caller.visit is not None:
            caller.visit.end = stream.end
            conversation.welcome(self._door.visitors, caller.visit)
        fanout.join(stream.session)
        try:
            conversation.greet(0, principal, time.time())
            conversation.subscribe(subscribe, principal)
        except BaseException:
            fanout.leave(stream.session)
            raise
        self._schedule_flush()
        return stream

    async def end_all(self, ending: Ending) -> None:
        await self.streams.end_all(ending, lambda: AWAY_MS)


def head() -> Response:
    """What HEAD is told of a stream: nothing is subscribed to, and there is no length."""
    response = Response(media_type=MEDIA_TYPE, headers=HEADERS)
    del response.headers["content-length"]
    return response


class EventStream(Response):
    """One response. While a write is under way it is given what one flush writes, at most."""

    def __init__(
        self,
        streams: EventStreams,
        fanout: Fanout,
        principal: Principal,
        schedule_flush: Callable[[], None],
        on_leave: Callable[[], None],
    ) -> None:
        super().__init__(media_type=MEDIA_TYPE, headers=HEADERS)
        del self.headers["content-length"]
        self.served = principal
        self.session = Session(self._take, Framing.EVENT_STREAM, fanout.delivery.pumping, fanout.counts)
        self._streams = streams
        self._fanout = fanout
        self._schedule_flush = schedule_flush
        self._on_leave = on_leave
        self._taken: list[bytes] = []
        self._ready = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._streams.streams.add(self)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            writing = asyncio.ensure_future(self._write(send))
            leaving = asyncio.ensure_future(_until_hung_up(receive))
            try:
                await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                writing.cancel()
                await asyncio.wait((writing, leaving))
            if not writing.cancelled():
                writing.result()
        finally:
            self._streams.streams.remove(self)
            self._fanout.leave(self.session)
            self._on_leave()

    def end(self, ended: Ended) -> None:
        """Say why, and let the response end."""
        self.session.send(Disconnect(int(ended.code), ended.reason, ended.reconnect, ended.after_ms))
        self.session.lost()
        self._ready.set()

    def check_deadlines(self, now: float, wall: float) -> None:  # as of every connection
        """Ends it when its key or token has ended, or it could not be served."""
        if self.served.expires_at is not None and wall >= self.served.expires_at:
            self.end(Ended(Ending.TOKEN_EXPIRED_SINCE))
        elif not self.session.subscriptions:
            self.end(Ended(Ending.NOT_SERVED))

    def _take(self, data: bytes) -> None:
        self._taken.append(data)
        self.session.paused()
        self._ready.set()

    async def _write(self, send: Send) -> None:
        while self.session.open or self._taken:
            await self._ready.wait()
            self._ready.clear()
            data = b"".join(self._taken)
            self._taken.clear()
            await send({"type": "http.response.body", "body": data, "more_body": True})
            if not self._taken:
                self.session.resumed()
                self._schedule_flush()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
