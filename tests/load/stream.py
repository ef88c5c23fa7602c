"""The socket of one screen: one hub, connected again as the SDK would, until it is killed. Blocking."""

import contextlib
import random
import time
from contextlib import AbstractContextManager
from typing import Any, NoReturn, Protocol

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from stockwire.errors import BadToken, Forbidden, StockwireError
from stockwire.level import Level
from stockwire.reconnect import Reconnect
from stockwire.session import Ending, Send
from tests.load.screen import Screen
from tests.load.web_socket import WebSocket

CONNECT_TIMEOUT_S = 10.0
"""For the upgrade, and as long again for each message until the snapshot is complete."""


class Broken(Exception):
    """A connection that never got its snapshot: a failed one in locust's statistics."""


class Record(Protocol):
    """Where a stream says what it measured."""

    def connecting(self) -> AbstractContextManager[Any]:
        """What happens inside takes that long; an exception is a failure, and ends there."""

    def shown(self, level: Level, payload_bytes: int) -> None:
        """A change has just come."""


def watch(screen: Screen, token: str, record: Record) -> NoReturn:
    """Raises StockwireError when the hub says never to come back."""
    reconnect = Reconnect(token_changes=False)
    while True:
        ending = _connection(screen, token, record, reconnect)
        screen.lost(ending.code)
        wait_s = reconnect.after(ending, random.random())
        if isinstance(wait_s, StockwireError):
            raise wait_s
        time.sleep(wait_s)


def _connection(screen: Screen, token: str, record: Record, reconnect: Reconnect) -> Ending:
    with contextlib.ExitStack() as stack:
        socket: WebSocket | None = None
        ending: Ending | None = None
        with record.connecting():
            try:
                socket = stack.enter_context(WebSocket(screen.hub, CONNECT_TIMEOUT_S))
                socket.send(screen.begin(token))
                while not screen.complete and ending is None:
                    ending = _message(screen, socket, record)
            except (OSError, WebSocketException) as error:
                ending = _ending_of(error)
            if ending is not None:
                raise Broken(ending.reason)
        if socket is None or ending is not None:
            return ending or Ending("never connected")
        reconnect.succeeded()
        return _messages(screen, socket, record)


def _messages(screen: Screen, socket: WebSocket, record: Record) -> Ending:
    while True:
        try:
            ending = _message(screen, socket, record)
        except (OSError, WebSocketException) as error:
            return _ending_of(error)
        if ending is not None:
            return ending


def _message(screen: Screen, socket: WebSocket, record: Record) -> Ending | None:
    """Raises TimeoutError (an OSError) when the hub is silent for too long, ConnectionClosed."""
    data = socket.receive(screen.session.silence_s_max or CONNECT_TIMEOUT_S)
    outputs, shown = screen.receive(data)
    for level in shown:
        record.shown(level, len(data))
    for output in outputs:
        if isinstance(output, Send):
            socket.send(output.text)
        elif isinstance(output, Ending):
            return output
    return None


def _ending_of(error: OSError | WebSocketException) -> Ending:
    reason = str(error) or type(error).__name__
    if isinstance(error, ConnectionClosed):
        return Ending(reason, None if error.rcvd is None else error.rcvd.code)
    if isinstance(error, InvalidStatus) and error.response.status_code == 401:
        return Ending(reason, error=BadToken(reason))
    if isinstance(error, InvalidStatus) and error.response.status_code == 403:
        return Ending(reason, error=Forbidden(reason))
    return Ending(reason)
