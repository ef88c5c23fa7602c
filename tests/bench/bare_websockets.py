"""The least that WebSocket connections cost with the same library: handshakes, and then nothing is said.

python -m tests.bench.bare_websockets BACKLOG   prints its port
"""

import asyncio
import socket
import sys

from websockets.asyncio.server import ServerConnection, serve

from tests.bench.audience import SUBPROTOCOL


async def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    async with serve(
        _wait,
        sock=listener,
        backlog=int(sys.argv[1]),
        compression=None,
        subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # a str in all but its type
        ping_interval=None,
        open_timeout=None,
    ):
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


async def _wait(connection: ServerConnection) -> None:
    await connection.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
