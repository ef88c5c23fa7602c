"""HTTP connections of a hub's read and admin ports, up to a number; then one that waits for a request makes room."""

import asyncio
from collections.abc import Callable
from typing import Any

from hub.entry.refusal import Refusal
from server.http.connection import BoundedConnection
from server.http.connection_table import ConnectionTable


class HubConnection(BoundedConnection):
    """Counted in ``table``. ``room``: makes some when all have a request under way; one more is not taken else."""

    address = ""

    def __init__(self, *args: Any, table: ConnectionTable, room: Callable[[], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table
        self._room = room

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if self._table.admit(self, self._room):
            super().connection_made(transport)
            return
        refusal = Refusal()
        transport.set_protocol(refusal)
        refusal.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        self._table.begin(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.waits():
            self._table.end(self)

    def is_of_hub(self) -> bool:
        return False

    def make_room(self) -> None:
        self.stop_reading()
        self.transport.close()
