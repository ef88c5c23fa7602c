"""The least a fan-out can cost in Python: one ready frame, one send() per socket. Nothing else.

python -m tests.bench.bare_loop FRAME_BYTES     prints its port; every line on stdin is one message to everybody
"""

import select
import socket
import sys

from tests.bench.audience import MARK


def main() -> None:
    payload = MARK + b"x" * (int(sys.argv[1]) - len(MARK) - 4)
    frame = b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    audience: list[socket.socket] = []
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(sys.stdin, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == listener.fileno():
                connection, _ = listener.accept()
                connection.setblocking(False)
                audience.append(connection)
            elif not sys.stdin.readline():
                return
            else:
                for connection in audience:
                    connection.send(frame)


if __name__ == "__main__":
    main()
