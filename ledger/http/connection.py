"""HTTP connections of a ledger: counted in a table, which says who makes room when there are too many."""

import asyncio
from collections.abc import Callable
from typing import Any

from ledger.access.hub_callers import HubCallers
from ledger.http.ordinary import OrdinaryRequests, may_come_apart
from ledger.http.ordinary_operations import is_ordinary_path
from server.http.connection import HEAD_TOO_LARGE, BoundedConnection, cancelled, whole_answer
from server.http.connection_table import ConnectionTable
from server.http.cycle import Cycle
from wire.problems import PROBLEMS

BODY_APART_S = 0.05
"""How long a head may wait for its body before the app waits for it: a client's two sends lie much closer."""


class LedgerConnection(BoundedConnection):
    """Counted in ``table``, which asks it to make room; ``hub_callers`` tells whether it is a hub's.

    A client has longer to read an answer than at a hub: the largest, a page of 1,000 events, has about 500 KB.
    """

    stall_s = 30.0

    def __init__(
        self,
        *args: Any,
        table: ConnectionTable,
        hub_callers: HubCallers,
        ordinary: Callable[[], OrdinaryRequests | None],
        **kwargs: Any,
    ) -> None:
        """``ordinary``: what answers some requests without the app, once there is an app."""
        super().__init__(*args, **kwargs)
        self._ordinary = ordinary
        self._parsing = False
        self._held_back: Cycle | None = None
        self._body_apart: asyncio.TimerHandle | None = None
        self.address = ""
        self._table = table
        self._hub_callers = hub_callers

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        peer = transport.get_extra_info("peername")
        self.address = self._table.counted(str(peer[0])) if peer else ""
        if self._table.admit(self):
            super().connection_made(transport)
        else:
            self.transport = transport
            self.refuse(OVERLOADED)

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        self._held_back = None
        self._body_apart = cancelled(self._body_apart)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A request that may be ordinary is held back until what has come with it is read, and once more if its body
        comes apart from its head, as many clients send it."""
        self._parsing = True
        super().data_received(data)
        self._parsing = False
        cycle = self._held_back
        if cycle is None:
            return
        if cycle.more_body and self._body_apart is None and may_come_apart(cycle):
            self._body_apart = self.loop.call_later(BODY_APART_S, self._go_on)
        else:
            self._go_on()

    def _start_asgi_task(self, cycle: Cycle, app: Any) -> None:  # type: ignore[override]  # all cycles are ours
        if self._parsing and cycle.method == b"POST" and is_ordinary_path(cycle.target.raw_path):
            self._held_back = self._answered = cycle
        else:
            super()._start_asgi_task(cycle, app)

    def _go_on(self) -> None:
        """The request that was held back is answered, or handed to the app."""
        self._body_apart = cancelled(self._body_apart)
        cycle, self._held_back = self._held_back, None
        assert cycle is not None
        if cycle.more_body or cycle.disconnected or not self._taken(cycle):
            super()._start_asgi_task(cycle, self.app)

    def _taken(self, cycle: Cycle) -> bool:
        ordinary = self._ordinary()
        return ordinary is not None and not self.transport.is_closing() and ordinary.take(cycle)

    def on_headers_complete(self) -> None:
        self._table.begin(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.waits():
            self._table.end(self)

    def is_of_hub(self) -> bool:
        return self.cycle is not None and self._hub_callers.know(self.cycle.headers)

    def make_room(self) -> None:
        self.stop_reading()
        self.transport.close()

    def end_slow_head(self) -> None:
        self._table.turned_away["head_time"] += 1
        super().end_slow_head()

    def refuse_head(self, answer: bytes) -> None:
        self._table.turned_away["head_size" if answer is HEAD_TOO_LARGE else "unreadable"] += 1
        super().refuse_head(answer)


OVERLOADED = whole_answer(
    503,
    {
        "type": "overloaded",
        "title": PROBLEMS["overloaded"][1],
        "status": 503,
        "detail": "no connection is free",
        "retry_after_s": 1,
    },
    b"retry-after: 1",
)
