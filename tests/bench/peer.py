"""Other programs that send each message to many subscribers: how each is started, subscribed to and published to.

They authenticate nobody, count nothing and remember nothing: the same fan-out at the least. One that is not installed
says how to get it.
"""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.audience import frame, frame_of
from tests.bench.native import HOW, built, has_compiler
from tests.harness.children import die_with_parent
from tests.harness.servers import free_port

GO_PROGRAMS = Path.home() / "go" / "bin"
START_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """``opening``: what a subscriber of all topics sends after the handshake at ``path``, who is one when it has heard
    ``ready``."""

    pid: int
    stream: tuple[str, int]
    publisher: socket.socket
    path: str = "/"
    opening: bytes = b""
    ready: bytes = b""

    def send(self, published: bytes) -> None:
        """What it has answered to the last is thrown away: the deliveries tell that it came."""
        self.publisher.setblocking(False)
        try:
            while self.publisher.recv(65_536):
                pass
        except BlockingIOError:
            pass
        self.publisher.setblocking(True)
        self.publisher.sendall(published)


class Peer(Protocol):
    """``how``: where it is to be had, if it is not ``installed``."""

    name: str
    how: str

    @property
    def installed(self) -> bool: ...

    def version(self) -> str: ...

    def running(self, folder: Path) -> AbstractContextManager[RunningPeer]: ...

    def published(self, topic: int, message: bytes) -> bytes:
        """What a publisher sends for it."""
        ...


class CLoop:
    """One send() of a ready frame for each subscriber and message, in C: the limit without joining frames."""

    name, how = "a C loop", HOW

    @property
    def installed(self) -> bool:
        return has_compiler()

    def version(self) -> str:
        return "tests/bench/c/limit.c"

    @contextmanager
    def running(self, folder: Path) -> Iterator[RunningPeer]:
        with _process([str(built("limit"))], folder, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            stream, control = (("127.0.0.1", int(port)) for port in process.stdout.readline().split())
            with _connected(control) as publisher:
                yield RunningPeer(process.pid, stream, publisher)

    def published(self, topic: int, message: bytes) -> bytes:
        return message + b"\n"


class Nchan:
    name, how = "nginx with nchan", "needs nginx and nchan (Debian: apt-get install nginx-light libnginx-mod-nchan)"
    module = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
    settings = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log; load_module {module};
events {{ worker_connections 20000; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location /stream {{ nchan_subscriber websocket; nchan_channel_id bench; nchan_subscriber_first_message newest; }}
    location /publish {{ nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1; }}
  }}
}}
"""

    @property
    def installed(self) -> bool:
        return _program("nginx") is not None and self.module.exists()

    def version(self) -> str:
        return _said(str(_program("nginx")), "-v").rpartition("/")[2]

    @contextmanager
    def running(self, folder: Path) -> Iterator[RunningPeer]:
        address, file = ("127.0.0.1", free_port()), folder / "nginx.conf"
        file.write_text(self.settings.format(folder=folder, module=self.module, port=address[1]))
        folder.chmod(0o777)  # started by root, it writes as somebody else
        log = str(folder / "start.log")
        with (
            _process([str(_program("nginx")), "-e", log, "-c", str(file)], folder) as process,
            _connected(address) as publisher,
        ):
            yield RunningPeer(process.pid, address, publisher, "/stream")

    def published(self, topic: int, message: bytes) -> bytes:
        return _post("/publish", message)


class Nats:
    name, how = "NATS over WebSocket", "needs nats-server (Debian: apt-get install nats-server)"
    settings = """
host: 127.0.0.1, port: {port}, ping_interval: "10m", max_connections: 65536
websocket {{ host: "127.0.0.1", port: {stream}, no_tls: true, compression: false }}
"""
    connect = b'CONNECT {"verbose":false,"pedantic":false}\r\n'

    @property
    def installed(self) -> bool:
        return _program("nats-server") is not None

    def version(self) -> str:
        return _said(str(_program("nats-server")), "--version").rpartition(" ")[2]

    @contextmanager
    def running(self, folder: Path) -> Iterator[RunningPeer]:
        address, stream = ("127.0.0.1", free_port()), ("127.0.0.1", free_port())
        file = folder / "nats.conf"
        file.write_text(self.settings.format(port=address[1], stream=stream[1]))
        subscription = frame_of(self.connect + b"SUB bench.* 1\r\nPING\r\n", binary=True)
        with (
            _process([str(_program("nats-server")), "-c", str(file)], folder) as process,
            _connected(stream),
            _connected(address) as publisher,
        ):
            publisher.sendall(self.connect)
            yield RunningPeer(process.pid, stream, publisher, "/", subscription, b"PONG")

    def published(self, topic: int, message: bytes) -> bytes:
        return b"PUB bench.%d %d\r\n%b\r\n" % (topic, len(message), message)


class Centrifugo:
    name = "Centrifugo"
    how = "needs centrifugo (with Go: make bench-centrifugo)"
    settings = {  # noqa: RUF012
        "client": {"insecure": True, "allowed_origins": ["*"], "ping_interval": "600s", "pong_timeout": "300s"},
        "http_api": {"insecure": True},
        "log": {"level": "error"},
    }

    @property
    def installed(self) -> bool:
        return _program("centrifugo") is not None

    def version(self) -> str:
        return _said(str(_program("centrifugo")), "version").split()[1].rstrip(",")

    @contextmanager
    def running(self, folder: Path) -> Iterator[RunningPeer]:
        address, file = ("127.0.0.1", free_port()), folder / "centrifugo.json"
        server = {"http_server": {"address": address[0], "port": address[1]}}
        file.write_text(json.dumps(self.settings | server))
        opening = frame({"id": 1, "connect": {}}) + frame({"id": 2, "subscribe": {"channel": "bench"}})
        with (
            _process([str(_program("centrifugo")), "-c", str(file)], folder) as process,
            _connected(address) as publisher,
        ):
            yield RunningPeer(process.pid, address, publisher, "/connection/websocket", opening, b'"subscribe":')

    def published(self, topic: int, message: bytes) -> bytes:
        return _post("/api/publish", b'{"channel":"bench","data":%b}' % message)


C_LOOP, NATS = CLoop(), Nats()
PEERS: tuple[Peer, ...] = (C_LOOP, Nchan(), NATS, Centrifugo())


def _program(name: str) -> str | None:
    """Also where Debian puts servers, and where Go puts what it has built."""
    return shutil.which(name) or next(
        (str(path) for folder in ("/usr/sbin", GO_PROGRAMS) if (path := Path(folder) / name).exists()), None
    )


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_DEADLINE_S, check=False)
    return (done.stdout + done.stderr).strip()


def _post(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: peer\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def _process(command: list[str], folder: Path, stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=stdout or log, stderr=log, preexec_fn=die_with_parent(signal.SIGKILL)
        )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=START_DEADLINE_S)


@contextmanager
def _connected(address: tuple[str, int]) -> Iterator[socket.socket]:
    """As soon as somebody listens there."""
    deadline = time.monotonic() + START_DEADLINE_S
    while (connection := _connect(address)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody listens at {address} after {START_DEADLINE_S} s")
        time.sleep(0.05)
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def _connect(address: tuple[str, int]) -> socket.socket | None:
    try:
        return socket.create_connection(address, timeout=START_DEADLINE_S)
    except ConnectionRefusedError:
        return None
