"""A request and its answer, as uvicorn keeps them for an app: what only an app needs of it is made when one asks."""

import asyncio
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import unquote

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

TARGETS_MAX = 64
"""Targets that are remembered as they were read: few are asked for often, and each may be as long as a head."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is for: the path as it is meant and as it was sent, and the query."""

    path: str
    raw_path: bytes
    query: bytes


@lru_cache(TARGETS_MAX)
def target_of(url: bytes) -> Target:
    """Raises HttpParserError."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return Target(unquote(path) if "%" in path else path, parsed.path, parsed.query or b"")


class Cycle(RequestResponseCycle):
    """``headers`` in the order in which they came, names in lower case; ``named``: the last of each name.

    A movement that is answered where it was read never has a scope, nor an event that its app would wait for.
    """

    access_log = False
    disconnected = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0

    def __init__(self, connection: HttpToolsProtocol, named: dict[bytes, bytes]) -> None:
        """For the request whose head ``connection`` has just read. Raises HttpParserError for a target that is none."""
        parser = connection.parser
        self.target = target_of(connection.url)
        self.headers = connection.headers
        self.named = named
        self.method = parser.get_method()
        self.http_version = parser.get_http_version()
        self.keep_alive = self.http_version != "1.0" and parser.should_keep_alive()
        self.waiting_for_100_continue = connection.expect_100_continue
        self.body = bytearray()
        self.transport = connection.transport
        self.flow = connection.flow
        self.logger = connection.logger
        self.default_headers = connection.server_state.default_headers
        self.on_response = connection.on_response_complete
        self._connection = connection

    @cached_property
    def scope(self) -> Scope:  # type: ignore[override]  # uvicorn sets it at once
        connection = self._connection
        return {
            "type": "http",
            "asgi": {"version": connection.asgi_version, "spec_version": "2.3"},
            "http_version": self.http_version,
            "server": connection.server,
            "client": connection.client,
            "scheme": connection.scheme,
            "method": self.method.decode("ascii"),
            "root_path": "",
            "path": self.target.path,
            "raw_path": self.target.raw_path,
            "query_string": self.target.query,
            "headers": self.headers,
            "state": connection.app_state.copy(),
        }

    @cached_property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]  # uvicorn sets it at once
        event = asyncio.Event()
        if self.body or not self.more_body or self.disconnected or self.response_complete:
            event.set()
        return event

    def stir(self) -> None:
        """Something has come for whoever waits for it; if nobody has asked yet, they will see it when they do."""
        if "message_event" in self.__dict__:
            self.message_event.set()
