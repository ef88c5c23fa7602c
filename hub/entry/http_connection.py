"""HTTP connections of a hub's read and admin ports, up to a number; one more is refused."""

import asyncio
from typing import Any

from hub.entry.refusal import Refusal
from server.http.connection import BoundedConnection


class HubConnection(BoundedConnection):
    """One over ``connections_max`` is not taken."""

    def __init__(self, *args: Any, connections_max: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections_max = connections_max

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if len(self.connections) >= self._connections_max:
            refusal = Refusal()
            transport.set_protocol(refusal)
            refusal.connection_made(transport)
        else:
            super().connection_made(transport)
