"""The table of what the hub's stream port makes of opening handshakes, good and bad (RFC 6455, section 4)."""

from functools import partial

from tests.conformance.frames import close, text
from tests.conformance.hub import TOKEN
from tests.conformance.rows import GONE, STAYS, Handshake, Row
from tests.harness.raw_socket import PING, TEXT, raw_frame
from tests.harness.stream import SUBPROTOCOL

HEADERS: dict[str, str] = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": SUBPROTOCOL,
}
"""The key is the one of RFC 6455, 1.3, whose answer stands there too."""
ACCEPTED = (("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),)


def opening(line: str = "GET /v1/stream HTTP/1.1", *more: str, without: str = "", **changed: str) -> bytes:
    """A request; ``changed``: headers by their names in lower case, with ``_`` for ``-``."""
    changes = {name.replace("_", "-"): value for name, value in changed.items()}
    headers = [f"{name}: {changes.get(name.lower(), value)}" for name, value in HEADERS.items() if name != without]
    return "\r\n".join([line, *headers, *more, "", ""]).encode()


def _requests() -> list[Handshake]:
    row = Handshake
    method, version = "GET and HTTP/1.1 or higher, or an error", "an error with the versions that the server takes"
    upgrade, once = "`Upgrade: websocket` and `Connection: Upgrade`, or an error", "once, or an error"
    key = "a key of 16 bytes in base64, or an error"
    host = "`Host`, or an error (RFC 9112, 3.2: 400)"
    return [
        row("as it should be", opening(), "4.2.2", "101 and the digest of the key", 101, ACCEPTED),
        row(
            "names in another case",
            opening(upgrade="WebSocket", connection="keep-alive, upgrade"),
            "4.2.1",
            "names and tokens in any case",
            101,
        ),
        row("POST", opening("POST /v1/stream HTTP/1.1"), "4.2.1", method, 405, (("Allow", "GET"),)),
        row("HTTP/1.0", opening("GET /v1/stream HTTP/1.0"), "4.2.1", method, 505),
        row("HTTP/2.0", opening("GET /v1/stream HTTP/2.0"), "4.2.1", method, GONE),
        row("no Host", opening(without="Host"), "4.2.1", host, 400),
        row("two Hosts", opening("GET /v1/stream HTTP/1.1", "Host: other"), "4.2.1", host, 400),
        row("no Upgrade", opening(without="Upgrade"), "4.2.1", upgrade, 426, (("Upgrade", "websocket"),)),
        row("Upgrade: h2c", opening(upgrade="h2c"), "4.2.1", upgrade, 426, (("Upgrade", "websocket"),)),
        row("no Connection", opening(without="Connection"), "4.2.1", upgrade, 426),
        row("Connection: close", opening(connection="close"), "4.2.1", upgrade, 426),
        row("no key", opening(without="Sec-WebSocket-Key"), "4.2.1", key, 400),
        row("an empty key", opening(sec_websocket_key=""), "4.2.1", key, 400),
        row("a key of 15 bytes", opening(sec_websocket_key="A" * 20), "4.2.1", key, 400),
        row("a key that is no base64", opening(sec_websocket_key="!" * 24), "4.2.1", key, 400),
        row(
            "two keys", opening("GET /v1/stream HTTP/1.1", "Sec-WebSocket-Key: " + "A" * 22 + "=="), "11.3.1", once, 400
        ),
        *(
            row(name, request, "4.2.2, 4.4", version, 426, (("Sec-WebSocket-Version", "13"),))
            for name, request in (
                ("version 8", opening(sec_websocket_version="8")),
                ("version 14", opening(sec_websocket_version="14")),
                ("version 013", opening(sec_websocket_version="013")),
                ("no version", opening(without="Sec-WebSocket-Version")),
                ("two versions", opening("GET /v1/stream HTTP/1.1", "Sec-WebSocket-Version: 8")),
            )
        ),
    ]


def _offers() -> list[Handshake]:
    row = Handshake
    offer = "one of the subprotocols offered, or none, or an error"
    return [
        row("no subprotocol", opening(without="Sec-WebSocket-Protocol"), "4.2.2", offer, 101),
        row(
            "ours among others",
            opening(sec_websocket_protocol=f"chat, {SUBPROTOCOL}"),
            "4.2.2",
            offer,
            101,
            (("Sec-WebSocket-Protocol", SUBPROTOCOL),),
        ),
        row("another subprotocol", opening(sec_websocket_protocol="chat"), "4.2.2", offer, 400),
        row(
            "permessage-deflate offered",
            opening("GET /v1/stream HTTP/1.1", "Sec-WebSocket-Extensions: permessage-deflate"),
            "9.1",
            "the server may take none",
            101,
        ),
        row("another path", opening("GET /v1/nothing HTTP/1.1"), "4.2.2", "404 for what does not exist", 404),
    ]


def _abuse() -> list[Handshake]:
    row, floods = Handshake, "limits against floods"
    plain = "GET /v1/stream HTTP/1.1"
    broken = "no HTTP, no WebSocket"
    return [
        row("200 headers", opening(plain, *(f"X-{number}: x" for number in range(200))), "10.4", floods, 431),
        row("a header of 10,000 bytes", opening(plain, "X: " + "x" * 10_000), "10.4", floods, 431),
        row("a header line without an end", opening()[:-2] + b"X: " + b"x" * 100_000, "10.4", floods, 431),
        row(
            "a request line of 10,000 bytes",
            opening("GET /v1/stream?" + "x" * 10_000 + " HTTP/1.1"),
            "10.4",
            floods,
            414,
        ),
        row("a header without a colon", opening(plain, "nonsense"), "4.2.1", broken, GONE),
        row("a header with a NUL", opening(plain, "X: \0"), "4.2.1", broken, GONE),
        row("a body announced", opening(plain, "Content-Length: 5") + b"hello", "4.2.1", "a GET without a body", GONE),
        row(
            "a body in chunks",
            opening(plain, "Transfer-Encoding: chunked") + b"0\r\n\r\n",
            "4.2.1",
            "a GET without a body",
            GONE,
        ),
        row("TLS", bytes.fromhex("16030100a5010000a10303") + bytes(160), "4.2.1", broken, GONE),
        row("an endless first line", b"\xff" * 100_000, "10.4", floods, 414),
        row("a request that stops half-way", opening()[:60], "10.4", "a deadline", GONE),
        row("nothing at all", b"", "10.4", "a deadline", GONE),
    ]


def _early() -> list[Handshake]:
    """Sent in the same segment as the request, though 4.1 wants the client to wait for the answer."""
    wait = "the client waits for the answer before it sends data"
    after = partial(Row, "", "", (), "", "")
    sent = {
        "text": (text(1), after(STAYS, (1,))),
        "a ping": (raw_frame(PING, b"x"), after(STAYS, (), (b"x",))),
        "a close": (close(1000), after(1000)),
        "a frame that breaks the rules": (raw_frame(TEXT, b"x", reserved=4), after(1002)),
        "2,000 pings": (raw_frame(PING, b"x") * 2_000, after(4102)),
    }
    request = opening("GET /v1/stream HTTP/1.1", f"Authorization: Bearer {TOKEN}")
    return [
        Handshake(f"{name} before the answer", request + data, "4.1", wait, 101, after=row)
        for name, (data, row) in sent.items()
    ]


HANDSHAKES: dict[str, tuple[Handshake, ...]] = {
    "Opening handshake": (*_requests(), *_offers()),
    "Opening handshake: abuse": tuple(_abuse()),
    "Opening handshake: impatience": tuple(_early()),
}
