"""WebSocket close codes of protocol v1, and what a client does after each.

1008 and 4000-4099 must not come back unchanged; 4100-4199 come back after a pause; 4200-4299, 1012 and everything else
(a lost connection has no code) come back now, jittered.
"""

from enum import Enum, IntEnum


class CloseCode(IntEnum):
    GOING_AWAY = 1001
    POLICY = 1008
    RESTART = 1012
    BAD_TOKEN = 4001
    FORBIDDEN = 4003
    PROTOCOL = 4005
    TOO_BIG = 4009
    TOO_MANY = 4100
    TOO_SLOW = 4101
    RATE = 4102
    TOKEN_EXPIRED = 4104
    EPOCH_CHANGED = 4202


class Return(Enum):
    """When a client may connect again."""

    NEVER = "never"
    PAUSED = "paused"
    NOW = "now"


def return_after(code: int | None) -> Return:
    """``None``: the connection was lost without a close frame."""
    if code == CloseCode.POLICY or (code is not None and 4000 <= code <= 4099):
        return Return.NEVER
    if code is not None and 4100 <= code <= 4199:
        return Return.PAUSED
    return Return.NOW
