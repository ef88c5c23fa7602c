"""`/live`: one WebSocket for each viewer. Nothing is queued for anybody: what is sent is made when it can be sent, so a
slow viewer gets the newest state, and one that takes nothing for long is cut off."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from console.entry.sessions import Session
from console.topics.patch import patch_of
from console.topics.topic import Topic
from console.web.board import Board
from server.problems import Problem

EVERY_S = 0.25
"""Between two answers to a viewer: four a second are as many as anybody reads."""
AT_ONCE_S = 0.05
"""Between an answer and the next one that is asked for: a page that asks in a loop gets twenty a second."""
SEND_WITHIN_S = 15.0
MESSAGE_BYTES_MAX = 16_384
SESSION_OVER, UNREADABLE, STOPPING, TOO_MANY = 4001, 4002, 1012, 1013

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """What a viewer sent is no message of ours."""


class Viewers:
    """All that are connected. ``came`` is called when the first one is there after a while without."""

    def __init__(self, board: Board, viewers_max: int, came: Callable[[], None]) -> None:
        self._board = board
        self._viewers_max = viewers_max
        self._came = came
        self._viewers: set[Viewer] = set()
        self.stopping = False

    def __len__(self) -> int:
        return len(self._viewers)

    def looking_at(self, *topics: str) -> bool:
        return any(viewer.topic_name in topics for viewer in self._viewers)

    async def serve(self, socket: WebSocket, session: Callable[[], Session | None]) -> None:
        """``session``: None when it has ended. The upgrade was checked, and not answered yet."""
        await socket.accept()
        if self.stopping or len(self._viewers) >= self._viewers_max:
            await socket.close(STOPPING if self.stopping else TOO_MANY)
            return
        viewer = Viewer(socket, self._board, session)
        self._viewers.add(viewer)
        self._came()
        try:
            await viewer.run()
        finally:
            self._viewers.discard(viewer)

    def look_again(self) -> None:
        """Sessions ended: whoever has none any more goes at once."""
        for viewer in self._viewers:
            viewer.wake()

    def stop(self) -> None:
        """Everybody is sent away, to come back."""
        self.stopping = True
        for viewer in self._viewers:
            viewer.end(STOPPING)


class Viewer:
    def __init__(self, socket: WebSocket, board: Board, session: Callable[[], Session | None]) -> None:
        self._socket = socket
        self._board = board
        self._session = session
        self._asked: dict[str, Any] | None = None
        self._shown: tuple[int, Topic[Any], Any] | None = None
        self._before: dict[str, Any] | None = None
        self._woken = asyncio.Event()
        self._close_code: int | None = None

    @property
    def topic_name(self) -> str:
        return self._shown[1].name if self._shown else ""

    def wake(self) -> None:
        self._woken.set()

    def end(self, code: int) -> None:
        self._close_code = code
        self._woken.set()

    async def run(self) -> None:
        """Until the viewer goes, or has to."""
        listening = asyncio.ensure_future(self._listen())
        try:
            while not listening.done():
                self._woken.clear()
                if self._close_code is None and self._session() is None:
                    self._close_code = SESSION_OVER
                if self._close_code is not None:
                    return
                await self._show()
                await self._pause()
        except TimeoutError:
            log.info("a viewer took nothing and was cut off within_s=%.0f", SEND_WITHIN_S)
        except (WebSocketDisconnect, RuntimeError, OSError):  # gone while we were sending
            return
        finally:
            await self._leave(listening)

    async def _leave(self, listening: "asyncio.Future[None]") -> None:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, Unreadable):
            await listening
        code = self._close_code
        if code is None and listening.done() and not listening.cancelled() and listening.exception() is not None:
            code = UNREADABLE if isinstance(listening.exception(), Unreadable) else None
        if code is not None:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._socket.close(code)

    async def _pause(self) -> None:
        """Until the next answer is due, or something is asked for."""
        await asyncio.sleep(AT_ONCE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S - AT_ONCE_S):
                await self._woken.wait()

    async def _listen(self) -> None:
        """The newest `show` counts; whatever was asked before and not answered yet is not wanted any more."""
        try:
            while True:
                text = await self._socket.receive_text()
                try:
                    message = orjson.loads(text)
                except ValueError:
                    raise Unreadable from None
                if not isinstance(message, dict) or type(message.get("id")) is not int:
                    raise Unreadable
                self._asked = message
                self._woken.set()
        except KeyError:  # a binary message
            raise Unreadable from None
        finally:
            self._woken.set()

    async def _show(self) -> None:
        if self._asked is not None:
            asked, self._asked, self._before = self._asked, None, None
            try:
                self._shown = asked["id"], *self._board.read(asked.get("show"), asked.get("args"))
            except Problem as problem:
                await self._refuse(asked["id"], problem)
        if self._shown is None:
            return
        number, topic, wanted = self._shown
        try:
            data = await self._board.data(topic, wanted)
        except Problem as problem:
            await self._refuse(number, problem)
            return
        if self._session() is None:  # it ended while the answer was awaited: `run` says so
            return
        if self._before is None:
            await self._send({"id": number, "data": data})
        elif patch := patch_of(self._before, data, topic.rows, topic.key, new_rows=topic.new_rows):
            await self._send({"id": number, **patch})
        self._before = data

    async def _refuse(self, number: int, problem: Problem) -> None:
        """Nothing is shown until something is asked for again; pages do so by themselves."""
        self._shown = None
        await self._send({"id": number, "error": problem.document()})

    async def _send(self, message: dict[str, Any]) -> None:
        """Waits for a viewer who is slow. Raises TimeoutError."""
        async with asyncio.timeout(SEND_WITHIN_S):
            await self._socket.send_text(orjson.dumps(message).decode())
