"""Every reason for which a hub ends a connection: one table. Pure."""

from enum import Enum

from wire.close_codes import CloseCode
from wire.scopes import PUBLIC, READ

AWAY_MIN_MS, AWAY_MAX_MS = 1_000, 5_000
MOVED_AWAY_MAX_MS = 250  # who is moved with others of the same moment comes back before the next ones are
VISITOR_AWAY_MIN_MS, VISITOR_AWAY_MAX_MS = 3_000, 10_000  # longer: a page has the cached availability meanwhile


class Ending(Enum):
    """Close code, what the client is told (numbers and errors of the moment filled in), and how long it is asked to
    stay away, in milliseconds: at least, and at most where many are sent away at once and must not all come back
    together.
    """

    BINARY = CloseCode.PROTOCOL, "messages are JSON text, this one is binary"
    UNREADABLE = CloseCode.PROTOCOL, "messages are JSON objects, this one cannot be read"
    NO_OBJECT = CloseCode.PROTOCOL, "messages are JSON objects"
    CONNECT_MISSING = CloseCode.PROTOCOL, "the first message must be connect"
    CONNECT_UNREADABLE = CloseCode.PROTOCOL, "the first message must be connect: {error}"
    CONNECT_REPEATED = CloseCode.PROTOCOL, "connect may be sent once; a new token comes with refresh"
    TOO_BIG = CloseCode.TOO_BIG, "messages have at most {bytes_max} bytes"
    TOO_MANY_MESSAGES = CloseCode.RATE, "too many messages", AWAY_MIN_MS

    TOKEN_MISSING = (
        CloseCode.BAD_TOKEN,
        "connect needs a token: without come pages of STOCKWIRE_ALLOWED_ORIGINS alone, where STOCKWIRE_HUB_VISITORS=1",
    )
    TOKEN_REFUSED = CloseCode.BAD_TOKEN, "{error}"
    KEY_REVOKED = CloseCode.BAD_TOKEN, "the key was revoked"
    TOKEN_EXPIRED_BEFORE = CloseCode.TOKEN_EXPIRED, "{error}"
    TOKEN_EXPIRED_SINCE = CloseCode.TOKEN_EXPIRED, "the key or token has ended", AWAY_MIN_MS
    NO_SCOPE = CloseCode.FORBIDDEN, f"this key or token has no scope {READ}<location> or {PUBLIC}<location>"
    KEYS_UNCHECKED = CloseCode.RESTART, "keys cannot be checked now", AWAY_MIN_MS

    HUB_FULL = CloseCode.TOO_MANY, "this hub has as many connections as it may", AWAY_MAX_MS
    OWNER_FULL = CloseCode.TOO_MANY, "{error}", AWAY_MIN_MS, AWAY_MAX_MS
    VISITOR_REFUSED = CloseCode.TOO_MANY, "{error}", VISITOR_AWAY_MIN_MS, VISITOR_AWAY_MAX_MS
    VISITOR_GIVES_WAY = (
        CloseCode.TOO_MANY,
        "somebody else needs this visitor's place",
        VISITOR_AWAY_MIN_MS,
        VISITOR_AWAY_MAX_MS,
    )
    GIVES_WAY = CloseCode.TOO_MANY, "{newer} newer connections wait to authenticate", AWAY_MIN_MS, AWAY_MAX_MS

    CONNECT_LATE = CloseCode.TOO_SLOW, "connect must come within {seconds:g} s", AWAY_MIN_MS
    NOT_READING = CloseCode.TOO_SLOW, "nothing was read for {seconds:g} s", AWAY_MIN_MS
    NOT_ANSWERING = CloseCode.GOING_AWAY, "no answer to a ping within {seconds:g} s"
    FAILED = CloseCode.GOING_AWAY, "the hub has failed this connection"
    NO_LEDGER = CloseCode.RESTART, "no ledger was reached yet", AWAY_MIN_MS
    NOT_SERVED = CloseCode.RESTART, "what was asked for cannot be served now", AWAY_MIN_MS
    STOPPING = CloseCode.RESTART, "this hub is being stopped"
    SHED = CloseCode.RESTART, "this hub sends some of its clients elsewhere", 0, MOVED_AWAY_MAX_MS
    AGED = CloseCode.RESTART, "a connection to this hub lasts {seconds:g} s at most", 0, MOVED_AWAY_MAX_MS
    REWRITTEN = CloseCode.EPOCH_CHANGED, "history was rewritten: drop what you hold"

    def __init__(self, code: CloseCode, reason: str, after_ms: int = 0, after_ms_max: int | None = None) -> None:
        self.code = code
        self.reason = reason
        self.after_ms = after_ms
        self.after_ms_max = after_ms if after_ms_max is None else after_ms_max
