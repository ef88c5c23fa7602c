"""Routes of the console, and what each of them needs: a session, an origin of ours, the session's word."""

import time
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from console.entry.origins import Origins
from console.entry.sessions import Session, says_csrf
from console.entry.sign_in import SignIn
from console.moments import text_of
from console.topics.watch import Watch
from console.watched.history import EVERY_S
from console.web.acts import act, acts_of
from console.web.guard import Guard
from console.web.live import SESSION_OVER, Viewers
from console.web.pages import Pages
from server.http.health import HealthRoutes
from server.http.hosts import AllowedHosts
from server.http.json import Json
from server.http.problems import Problems
from server.problems import Forbidden, Invalid, Misdirected, TooLarge, Unauthorized
from server.settings.addresses import Network, client_address, customer_of
from server.version import VERSION

BODY_BYTES_MAX = 16_384
CSRF = "X-Stockwire-CSRF"
KINDS = (
    *("receipt", "return", "sale", "write_off", "adjustment", "count", "hold", "release", "commit", "fulfil"),
    *("transfer", "transit", "lost", "mixed"),
)
"""Of events, as docs/reference/http.md names them."""


@dataclass(frozen=True, slots=True)
class WebParts:
    """``cookie``: its name. ``encrypted``: whether that is how browsers reach the console."""

    watch: Watch
    sign_in: SignIn
    viewers: Viewers
    pages: Pages
    origins: Origins
    cookie: str
    encrypted: bool
    trusted_proxies: tuple[Network, ...]


def create_app(parts: WebParts) -> ASGIApp:
    routes = _Routes(parts)
    health = HealthRoutes(routes.why_not_ready, {"version": VERSION})
    app = Starlette(
        routes=[
            *health.routes(),
            Route("/api/session", routes.session, methods=["GET"]),
            Route("/api/session", routes.open_session, methods=["POST"]),
            Route("/api/session", routes.close_session, methods=["DELETE"]),
            Route("/api/clock", routes.clock, methods=["GET"]),
            Route("/api/history", routes.history, methods=["GET"]),
            Route("/api/catalogue", routes.catalogue, methods=["GET"]),
            Route("/api/act/{what}", routes.act, methods=["POST"]),
            Route("/in/{word}", routes.one_time_link, methods=["GET"]),
            WebSocketRoute("/live", routes.live),
            parts.pages.route(),
        ]
    )
    app.router.redirect_slashes = False
    problems = Problems()
    problems.install(app)
    ours = AllowedHosts(app, parts.origins.hosts, lambda host: problems.answer_to(Misdirected(host)))
    return Guard(ours, encrypted=parts.encrypted)


class _Routes:
    def __init__(self, parts: WebParts) -> None:
        self._parts = parts

    async def why_not_ready(self) -> str | None:
        """It serves whatever is away, and says so on its pages: that is what it is for."""
        return "this console stops" if self._parts.viewers.stopping else None

    async def session(self, request: Request) -> Response:
        session = self._session_of(request)
        return Json(self._signed_out() if session is None else self._signed_in(session))

    async def open_session(self, request: Request) -> Response:
        self._refuse_strangers(request)
        key = (await _body(request)).get("key")
        if not isinstance(key, str):
            raise Invalid("key", "an API key is required")
        return self._opened(*await self._parts.sign_in.with_key(key.strip(), self._address(request)))

    async def close_session(self, request: Request) -> Response:
        self._refuse_strangers(request)
        self._required_word(request)
        self._parts.sign_in.sessions.close(request.cookies[self._parts.cookie])
        self._parts.viewers.look_again()
        answer = Response(status_code=204)
        answer.delete_cookie(self._parts.cookie, path="/")
        return answer

    async def one_time_link(self, request: Request) -> Response:
        """A visit from a terminal, so there is no origin to look at; nobody can use the word a second time. HEAD
        is what shows a preview of a link: it must not use it up."""
        if request.method == "HEAD":
            return Response(status_code=405, headers={"Allow": "GET"})
        word = request.path_params["word"][:256]
        secret, session = await self._parts.sign_in.with_link(word, self._address(request))
        return self._with_cookie(RedirectResponse("/", 303), secret, session)

    async def clock(self, request: Request) -> Response:
        self._required(request)
        return Json({"now_ms": round(time.time() * 1_000, 1)})

    async def history(self, request: Request) -> Response:
        self._required(request)
        return Json({"every_s": EVERY_S, "points": [point.fields() for point in self._parts.watch.history.points]})

    async def catalogue(self, request: Request) -> Response:
        self._required(request)
        watch = self._parts.watch
        known = {**dict.fromkeys(watch.levels.table.locations), **watch.catalogue.locations}
        return Json(
            {
                "locations": [{"location": one, "name": name} for one, name in sorted(known.items())],
                "kinds": KINDS,
                "items": watch.catalogue.items,
                "levels": watch.levels.table.levels,
                "at": text_of(time.time()),
            }
        )

    async def act(self, request: Request) -> Response:
        self._refuse_strangers(request)
        session = self._required_word(request)
        if not session.may_act:
            raise Forbidden("admin")
        return Json(await act(self._parts.watch, request.path_params["what"], await _body(request)), 202)

    async def live(self, socket: WebSocket) -> None:
        """A page of somebody else is refused before the upgrade: 403. One of ours, whose session may have gone with
        another run of the console, could not tell that from a cut, and is told to sign in."""
        if not self._parts.origins.is_ours(socket.headers.getlist("origin")):
            await socket.close()
            return
        if self._session_of(socket) is None:
            await socket.accept()
            await socket.close(SESSION_OVER)
            return
        await self._parts.viewers.serve(socket, lambda: self._session_of(socket))

    # --- who is there

    def _session_of(self, asking: HTTPConnection) -> Session | None:
        return self._parts.sign_in.sessions.of(asking.cookies.get(self._parts.cookie), time.time())

    def _required(self, request: Request) -> Session:
        session = self._session_of(request)
        if session is None:
            raise Unauthorized("sign in first: there is no session, or it has ended")
        return session

    def _required_word(self, request: Request) -> Session:
        session = self._required(request)
        if not says_csrf(session, request.headers.get(CSRF)):
            raise Forbidden(CSRF)
        return session

    def _refuse_strangers(self, request: Request) -> None:
        """What changes anything comes from a page of ours, whatever cookie a browser sends along."""
        if not self._parts.origins.is_ours(request.headers.getlist("origin")):
            raise Forbidden("Origin")

    def _address(self, request: Request) -> str:
        """Whose it is: one name for all addresses of one customer."""
        peer = request.client.host if request.client else ""
        forwarded_for = request.headers.getlist("x-forwarded-for")
        return customer_of(client_address(peer, forwarded_for, self._parts.trusted_proxies))

    # --- answers

    def _opened(self, secret: str, session: Session) -> Response:
        return self._with_cookie(Json(self._signed_in(session)), secret, session)

    def _with_cookie(self, answer: Response, secret: str, session: Session) -> Response:
        answer.set_cookie(
            self._parts.cookie,
            secret,
            max_age=max(1, int(session.ends_s - time.time())),
            path="/",
            secure=self._parts.encrypted,
            httponly=True,
            samesite="strict",
        )
        return answer

    def _signed_in(self, session: Session) -> dict[str, Any]:
        return {
            **self._signed_out(),
            "signed_in": True,
            "owner": session.owner,
            "may_act": session.may_act,
            "csrf": session.csrf,
            "expires_at": text_of(session.ends_s),
            "actions": acts_of(self._parts.watch) if session.may_act else (),
        }

    def _signed_out(self) -> dict[str, Any]:
        return {"signed_in": False, "version": VERSION, "up": self._parts.watch.control.of_up}


async def _body(request: Request) -> dict[str, Any]:
    """A JSON object. Raises Invalid, TooLarge."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Invalid("Content-Type", "application/json is required", 400)
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > BODY_BYTES_MAX:
            raise TooLarge(BODY_BYTES_MAX)
    try:
        body = orjson.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Invalid("body", "a JSON object is required", 400)
    return body
