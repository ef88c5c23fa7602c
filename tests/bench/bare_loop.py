"""The least a fan-out can cost in Python: one ready frame, one send() per socket. Nothing else.

python -m tests.bench.bare_loop FRAME_BYTES     prints its port; every line on stdin is one message to everybody
"""

import socket
import sys

from tests.bench.audience import MARK


def main() -> None:
    payload = MARK + b"x" * (int(sys.argv[1]) - len(MARK) - 4)
    frame = b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    listener.setblocking(False)
    audience: list[socket.socket] = []
    while sys.stdin.readline():
        audience += accepted(listener)
        for connection in audience:
            connection.send(frame)


def accepted(listener: socket.socket) -> list[socket.socket]:
    """Whoever has connected since the last message."""
    found: list[socket.socket] = []
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return found
        connection.setblocking(False)
        found.append(connection)


if __name__ == "__main__":
    main()
