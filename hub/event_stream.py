"""Streaming HTTP: a subscription as Server-Sent Events, on the same sessions as the WebSocket stream.

The response is pulled by whoever reads it: what changes while a write is under way is only marked, so a reader that
stops costs one write and what it watches.
"""

import asyncio
import random
import time
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.conversation import Conversation, Greeting
from hub.door import Door, Visitor
from hub.endings import Ending
from hub.errors import Ended
from hub.fanout import Fanout
from hub.frames import Framing
from hub.limits import Limits
from hub.refusal import RETRY_AFTER_MAX_S
from hub.session import Session
from server.problems import Overloaded
from wire.messages import Disconnect, Subscribe
from wire.tokens import Principal

DEADLINES_S = 0.25
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The second: nginx, and proxies that took its word, pass each event on instead of gathering them."""


class EventStreams:
    """All event streams of this hub."""

    def __init__(self, limits: Limits, greeting: Greeting, schedule_flush: Callable[[], None], door: Door) -> None:
        self.streams: dict[EventStream, None] = {}
        self.draining = False
        self._limits = limits
        self._greeting = greeting
        self._schedule_flush = schedule_flush
        self._door = door

    def knock(self) -> None:
        """Before anything is looked up. Raises Overloaded when no more streams are taken now."""
        if self.draining or len(self.streams) >= self._limits.connections_max:
            raise Overloaded("this hub takes no more streams now")
        if not self._door.knock(asyncio.get_running_loop().time()):
            raise Overloaded("this hub takes no more streams now", random.randint(1, RETRY_AFTER_MAX_S))

    def response(self, fanout: Fanout, principal: Principal, subscribe: Subscribe, visitor: Visitor) -> Response:
        """Subscribes. ``visitor`` leaves when the stream ends. Raises Refused or Full before anything is sent."""
        stream = EventStream(self, fanout, principal, self._schedule_flush, lambda: self._door.leave(visitor))
        conversation = Conversation(fanout, stream.session, self._limits, self._greeting)
        fanout.join(stream.session)
        try:
            conversation.greet(0, principal, time.time())
            conversation.subscribe(subscribe, principal)
        except BaseException:
            fanout.leave(stream.session)
            raise
        self._schedule_flush()
        return stream

    async def run(self) -> None:
        """Ends streams whose key or token has ended, and those that could not be served. Until cancelled."""
        while True:
            now = time.time()
            for stream in list(self.streams):
                if stream.principal.expires_at is not None and now >= stream.principal.expires_at:
                    stream.end(Ended(Ending.TOKEN_EXPIRED_SINCE))
                elif not stream.session.subscriptions:
                    stream.end(Ended(Ending.NOT_SERVED))
            await asyncio.sleep(DEADLINES_S)

    def end_all(self, ending: Ending) -> None:
        for stream in list(self.streams):
            stream.end(Ended(ending, after_ms=200))

    def end_key(self, key: str) -> None:
        for stream in list(self.streams):
            if stream.principal.key == key:
                stream.end(Ended(Ending.KEY_REVOKED))

    def keys_in_use(self) -> list[str]:
        return [stream.principal.key for stream in self.streams if stream.principal.key]


def head() -> Response:
    """What HEAD is told of a stream: nothing is subscribed to, and there is no length."""
    response = Response(media_type=MEDIA_TYPE, headers=HEADERS)
    del response.headers["content-length"]
    return response


class EventStream(Response):
    """One response. What it is given while a write is under way is at most one flush."""

    def __init__(
        self,
        streams: EventStreams,
        fanout: Fanout,
        principal: Principal,
        schedule_flush: Callable[[], None],
        left: Callable[[], None],
    ) -> None:
        super().__init__(media_type=MEDIA_TYPE, headers=HEADERS)
        del self.headers["content-length"]
        self.principal = principal
        self.session = Session(self._take, Framing.EVENT_STREAM, fanout.delivery.pumping, fanout.counts)
        self._streams = streams
        self._fanout = fanout
        self._schedule_flush = schedule_flush
        self._left = left
        self._taken: list[bytes] = []
        self._ready = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._streams.streams[self] = None
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            writing = asyncio.ensure_future(self._write(send))
            leaving = asyncio.ensure_future(_left(receive))
            try:
                await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                writing.cancel()
                await asyncio.wait((writing, leaving))
            if not writing.cancelled():
                writing.result()
        finally:
            self._streams.streams.pop(self, None)
            self._fanout.leave(self.session)
            self._left()

    def end(self, ended: Ended) -> None:
        """Say why, and let the response end."""
        self.session.send(Disconnect(int(ended.code), ended.reason, ended.reconnect, ended.after_ms))
        self.session.lost()
        self._ready.set()

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


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
