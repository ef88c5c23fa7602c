"""What is said on one WebSocket: the library's protocol, without a socket, with our limits where the bytes are parsed.

Frames are counted while they are parsed, since one read may hold tens of thousands of pings, each answered at once.
"""

import http
import logging
from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from websockets.exceptions import HeaderLineTooLong, InvalidHeader, TooManyHeaders
from websockets.frames import CloseCode as StandardCode
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol as WebSocketProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader
from websockets.typing import Origin, Subprotocol

from hub.endings import Ending
from hub.errors import Ended
from hub.limits import Limits, Rate
from wire.close_codes import CloseCode, Return, return_after
from wire.hosts import is_one_host
from wire.messages import SUBPROTOCOL, Disconnect, encode

VERSION_HEADER, VERSION = "Sec-WebSocket-Version", "13"
DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
# The library holds every frame to what is left of the message: a ping between the fragments of a large one must fit.
CONTROL_BYTES_MAX = 125
HEAD_BYTES_MAX = 16_384  # the library alone takes 128 lines of 8 KiB
HEADERS_MAX = 100
REASON_BYTES_MAX = 123  # a close frame holds 125 bytes, two of them the code

log = logging.getLogger("websockets.hub")  # the library logs each connection here, at INFO


class Answers(Protocol):
    """Who counts what a port has answered."""

    def answered(self, status: int) -> None:
        """The upgrade was answered with this HTTP status."""

    def ended(self, code: int) -> None:
        """This side ends the connection, with this close code."""


class HeadReader(StreamReader):
    """Lines are only read for the head of the opening handshake: bounded together, not only one by one."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0
        self._lines = 0

    def read_line(self, m: int, too_long_exc_type: type[Exception] = RuntimeError) -> Generator[None, None, bytearray]:
        """Raises HeaderLineTooLong or TooManyHeaders too: the library answers both with 431."""
        line = yield from super().read_line(m, too_long_exc_type)
        self._bytes += len(line)
        self._lines += 1
        if self._bytes > HEAD_BYTES_MAX:
            raise HeaderLineTooLong(f"a request has at most {HEAD_BYTES_MAX} bytes before its body")
        if self._lines > HEADERS_MAX + 2:  # the request line, and the empty one at the end
            raise TooManyHeaders(f"a request has at most {HEADERS_MAX} headers")
        return line


class PatientProtocol(WebSocketProtocol):
    """Frames that come before the handshake's answer wait for it: a pong must not go out in front of the answer.

    They are taken by a parser of their own: that of the handshake keeps the request for as long as it runs.
    """

    def parse(self) -> Generator[None]:
        while self.state is State.CONNECTING:
            if self.reader.eof:
                self.fail(StandardCode.ABNORMAL_CLOSURE)
            yield

    def parse_frames(self) -> None:
        """The handshake was answered: what has come already is parsed at once."""
        self.parser = super().parse()
        next(self.parser)


class StreamProtocol(ServerProtocol, PatientProtocol):
    """Counts frames against the rate, and says ``disconnect`` before the library fails the connection by itself."""

    __slots__ = ("_clock", "_message_bytes_max", "_port", "_rate")

    def __init__(
        self,
        origins: Sequence[Origin | None] | None,
        limits: Limits,
        clock: Callable[[], float],
        port: Answers,
    ) -> None:
        super().__init__(
            origins=origins,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=limits.message_bytes_max + CONTROL_BYTES_MAX,
            logger=log,
        )
        self._message_bytes_max = limits.message_bytes_max
        self._clock = clock
        self._port = port
        self._rate = Rate(limits.messages_per_minute, limits.messages_burst, clock())

    def limit_messages(self, limits: Limits) -> None:
        """From now on those of somebody else."""
        self._rate = Rate(limits.messages_per_minute, limits.messages_burst, self._clock())

    def parse(self) -> Generator[None]:
        self.reader = HeadReader()
        yield from super().parse()

    def send_response(self, response: Response) -> None:
        self._port.answered(response.status_code)
        super().send_response(response)
        if self.state is State.OPEN:
            self.parse_frames()

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """A client that offers none is taken at our word; one that offers only others is refused."""
        return super().select_subprotocol(subprotocols) if subprotocols else None

    def process_request(self, request: Request) -> tuple[str, str | None, str | None]:
        """A request without exactly one Host is refused, as RFC 6455, 4.2.1 also wants it."""
        if not is_one_host(request.headers.get_all("Host")):
            raise InvalidHeader("Host")
        return super().process_request(request)

    def accept(self, request: Request) -> Response:
        """RFC 6455, 4.2.2: a client that offers another version of the protocol is told which one there is."""
        response = super().accept(request)
        if isinstance(self.handshake_exc, InvalidHeader) and self.handshake_exc.name == VERSION_HEADER:
            status = http.HTTPStatus.UPGRADE_REQUIRED
            response.status_code, response.reason_phrase = status.value, status.phrase
            response.headers[VERSION_HEADER] = VERSION
        return response

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CLOSE and not self._rate.take(self._clock()):
            self.fail(Ending.TOO_MANY_MESSAGES.code, Ending.TOO_MANY_MESSAGES.reason)
            return
        if frame.opcode in DATA and len(frame.data) + (self.current_size or 0) > self._message_bytes_max:
            too_big = Ended(Ending.TOO_BIG, bytes_max=self._message_bytes_max)
            self.fail(too_big.code, too_big.reason)
            return
        super().recv_frame(frame)

    def fail(self, code: int, reason: str = "") -> None:
        if code == StandardCode.MESSAGE_TOO_BIG:
            code = CloseCode.TOO_BIG
        reason = shortened(reason)
        if self.state is State.OPEN and code != StandardCode.ABNORMAL_CLOSURE:
            after_ms = Ending.TOO_MANY_MESSAGES.after_ms if code == CloseCode.RATE else 0
            reconnect = return_after(code) is not Return.NEVER
            self.send_text(encode(Disconnect(int(code), reason, reconnect, after_ms)))
            self._port.ended(int(code))
        super().fail(code, reason)


def shortened(reason: str) -> str:
    """What of it fits a close frame."""
    return reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
