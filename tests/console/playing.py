"""A console that plays documents instead of watching a system, so that its pages meet what no shop has at once. It
decides nothing and checks nothing: that the real console says the same is held by the other tests of this room.

    python -m tests.console.playing [PORT] [canaries]      to look at pages while they are written
"""

import asyncio
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.console.played import LOCATIONS, Played, contract
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

PAGES = ROOT / "console" / "pages"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
SCRIPT = "text/javascript"
TYPES = {".html": "text/html", ".js": SCRIPT, ".mjs": SCRIPT, ".css": "text/css", ".svg": "image/svg+xml"}
KEY = "sw_played"
EVERY_S = 0.25
ROWS = {"launch": "skus", "stock": "rows"}
STOPPING = 1012


class Playing:
    """``shows``: what pages asked to be shown, newest last; ``acts`` what they did. ``away``: nobody is let in."""

    def __init__(self, played: Played) -> None:
        self.played = played
        self.url = ""
        self.away = False
        self.shows: list[dict[str, Any]] = []
        self.acts: list[tuple[str, dict[str, Any]]] = []

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                WebSocketRoute("/live", self._live),
                Route("/api/session", self._session, methods=["GET", "POST", "DELETE"]),
                Route("/api/act/{what}", self._act, methods=["POST"]),
                Route("/api/{what}", self._api),
                Route("/{path:path}", self._page),
            ]
        )

    async def _page(self, request: Request) -> Response:
        path = PAGES / (request.path_params["path"] or "index.html")
        path = path if path.is_file() else PAGES / "index.html"
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return Response(path.read_bytes(), media_type=TYPES[path.suffix], headers=headers)

    async def _api(self, request: Request) -> Response:
        what = request.path_params["what"]
        if what == "clock":
            return JSONResponse({"now_ms": time.time() * 1_000})
        if what == "history":
            return JSONResponse({"every_s": 1, "points": self.played.points()})
        locations = [{"location": name, "name": name} for name in LOCATIONS]
        return JSONResponse(contract(what)["answer"] | {"locations": locations})

    async def _session(self, request: Request) -> Response:
        if request.method == "POST":
            if (await request.json())["key"] != KEY:
                return JSONResponse({"type": "unauthorized", "title": "No valid key or token", "status": 401}, 401)
            self.played.signed_in = True
        if request.method == "DELETE":
            self.played.signed_in = False
            return Response(status_code=204)
        return JSONResponse(self.played.session())

    async def _act(self, request: Request) -> Response:
        what, body = request.path_params["what"], await request.json()
        self.acts.append((what, body))
        if what == "drain":
            self.played.drained.add(body["node"])
        if what == "undrain":
            self.played.drained.discard(body["node"])
        return JSONResponse({"said": f"{body.get('node', what)}: {what} {self.played.words(0, 'done')}"})

    async def _live(self, socket: WebSocket) -> None:
        if self.away:
            await socket.close()
            return
        await socket.accept()
        woken = asyncio.Event()
        asked: list[dict[str, Any]] = []
        listening = asyncio.ensure_future(self._listen(socket, asked, woken))
        answered = None
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while not listening.done() and not self.away:
                woken.clear()
                if asked:
                    await socket.send_json(self._answer(asked[-1], again=asked[-1]["id"] == answered))
                    answered = asked[-1]["id"]
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), EVERY_S)
            await socket.close(STOPPING)
        listening.cancel()

    async def _listen(self, socket: WebSocket, asked: list[dict[str, Any]], woken: asyncio.Event) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                asked.append(await socket.receive_json())
                self.shows.append(asked[-1])
                woken.set()

    def _answer(self, message: dict[str, Any], again: bool) -> dict[str, Any]:
        self.played.sold += 1
        data = self.played.data(message["show"], message["args"])
        rows = ROWS.get(message["show"])
        if not again or rows is None:
            return {"id": message["id"], "data": data}
        return {"id": message["id"], **{"rows" if name == rows else name: value for name, value in data.items()}}


@contextmanager
def playing(played: Played, port: int = 0) -> Iterator[Playing]:
    """In a thread of its own."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        made = Playing(played)
        made.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            made.app(), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),), name="playing", daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.away = server.should_exit = True
            thread.join(PATIENCE_S)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    with playing(Played(canaries="canaries" in arguments, signed_in=True), int(arguments[0])) as looked_at:
        sys.stdout.write(f"{looked_at.url}  (key {KEY})\n")
        sys.stdout.flush()
        threading.Event().wait()
